//! What is known of endpoints, and what is not.

use std::collections::{BTreeMap, BTreeSet};

use pinlake_local::Endpoint;
use pinlake_local::population::TextLists;
use serde_json::json;

use super::super::audience;
use super::{Text, all, assert_figures, channel, share};
use crate::harness::row_of;

#[test]
fn attribute_catalogue() {
    let audience = audience();
    let user_attributes = |one: &Endpoint| one.user.as_ref().and_then(|user| user.user_attributes.clone());
    let mut expected = Vec::new();
    for (source, lists) in [
        ("attributes", &(|one: &Endpoint| one.attributes.clone()) as &dyn Fn(&Endpoint) -> Option<TextLists>),
        ("user_attributes", &user_attributes),
    ] {
        let mut entries: BTreeMap<String, Vec<Vec<Text>>> = BTreeMap::new();
        for (name, values) in audience.endpoints.iter().filter_map(lists).flatten() {
            entries.entry(name).or_default().push(values);
        }
        let names: Vec<String> = entries.keys().cloned().collect();
        for (name, lists) in entries {
            let values: Vec<&String> = lists.iter().flatten().flatten().collect();
            let max_values = lists.iter().map(Vec::len).max().unwrap_or(0);
            let max_length = values.iter().map(|value| value.chars().count()).max().unwrap_or(0);
            let has_variant =
                names.iter().any(|other| *other != name && other.to_lowercase() == name.to_lowercase());
            let problems = [
                (name.chars().count() > 50, "name_over_50"),
                (max_length > 100, "value_over_100"),
                (max_values > 50, "over_50_values"),
                (has_variant, "case_variant"),
            ];
            expected.push(json!({
                "source": source,
                "name": name,
                "endpoints": lists.len(),
                "fill_share": share(lists.len() as u64, all(&audience)),
                "distinct_values": values.into_iter().collect::<BTreeSet<_>>().len(),
                "max_values": max_values,
                "max_length": max_length,
                "problems": problems.iter().filter(|it| it.0).map(|it| it.1).collect::<Vec<_>>(),
            }));
        }
    }
    assert!(expected.len() > 8);
    assert_figures(&audience, "attribute-catalogue", &[], expected);
}

#[test]
fn completeness() {
    let audience = audience();
    let channels = audience.count(channel);
    let mut nulls: BTreeMap<(String, Text), u64> = BTreeMap::new();
    for one in &audience.endpoints {
        for (column, value) in row_of(one).as_object().unwrap() {
            *nulls.entry((column.clone(), channel(one))).or_default() += u64::from(value.is_null());
        }
        for column in ["piece", "line", "snapshot"] {
            nulls.entry((column.to_owned(), channel(one))).or_default();
        }
    }
    assert_eq!(nulls.len(), 32 * channels.len());
    let expected = nulls.into_iter().map(|((column, channel), nulls)| {
        let null_share = share(nulls, channels[&channel]);
        json!({ "column": column, "channel_type": channel, "null_share": null_share })
    });
    assert_figures(&audience, "completeness", &[], expected.collect());
}
