//! The order of the page: sections by what they ask about, each group in the order of the run.

use serde::Serialize;

use super::section::Section;

/// Fewer sections than this need no groups.
const WORTH_GROUPING: usize = 6;

/// The groups, with the built-in reports that belong to each. Others come last.
const GROUPS: &[(&str, &[&str])] = &[
    (
        "The audience",
        &["audience-summary", "channel-mix", "growth", "recency", "retention", "lifetime", "cohort-balance"],
    ),
    ("Reach", &["targetable", "opt-out", "unreachable-users", "dormant", "email-domains", "phone-countries"]),
    ("Places", &["geography", "geo-radius", "locales", "timezones"]),
    ("Devices and apps", &["platforms", "devices", "app-versions"]),
    ("People", &["endpoints-per-user", "channel-overlap", "rfm", "user-conflicts", "subject-lookup"]),
    ("Attributes and metrics", &["attribute-catalogue", "attribute-values", "metric-distribution"]),
    (
        "The data itself",
        &[
            "integrity",
            "completeness",
            "address-quality",
            "duplicate-addresses",
            "ghosts",
            "snapshot-diff",
            "migration-readiness",
        ],
    ),
];
const FURTHER: &str = "Further reports";

/// Sections that belong together.
#[derive(Debug, Serialize)]
pub(super) struct Group {
    /// Empty where the page is too short for groups.
    name: &'static str,
    pub(super) sections: Vec<Section>,
}

/// Puts sections in groups and numbers them.
pub(super) fn grouped(sections: Vec<Section>) -> Vec<Group> {
    let mut groups = if sections.len() < WORTH_GROUPING {
        vec![Group { name: "", sections }]
    } else {
        into_groups(sections)
    };
    for (place, section) in groups.iter_mut().flat_map(|group| &mut group.sections).enumerate() {
        section.number = place + 1;
    }
    groups
}

fn into_groups(sections: Vec<Section>) -> Vec<Group> {
    let names = GROUPS.iter().map(|(name, _)| *name).chain([FURTHER]);
    let mut groups: Vec<Group> = names.map(|name| Group { name, sections: Vec::new() }).collect();
    for section in sections {
        let place = GROUPS.iter().position(|(_, reports)| reports.contains(&section.name.as_str()));
        groups[place.unwrap_or(GROUPS.len())].sections.push(section);
    }
    groups.retain(|group| !group.sections.is_empty());
    groups
}
