//! The reports, run as a user runs them.

mod browser;
mod figures;
mod formats;
mod templates;

use std::collections::BTreeMap;
use std::sync::Arc;

use pinlake_local::Endpoint;
use serde_json::Value;

use crate::harness::{Room, Shared, population};

/// How many endpoints the audience has that reports are held against.
const ENDPOINTS: u64 = 3_000;

/// The built-in reports with the columns that reports.md fixes for them.
const BUILTIN: [(&str, &[&str]); 12] = [
    (
        "audience-summary",
        &[
            "endpoints",
            "distinct_ids",
            "addresses",
            "users",
            "anonymous_endpoints",
            "targetable",
            "opted_out",
            "inactive",
            "first_created",
            "last_effective",
        ],
    ),
    ("channel-mix", &["channel_type", "endpoint_status", "opt_out", "endpoints", "share"]),
    ("targetable", &["channel_type", "endpoints", "targetable", "targetable_share"]),
    ("opt-out", &["channel_type", "country", "endpoints", "opted_out", "opt_out_share"]),
    ("growth", &["period", "channel_type", "new_endpoints", "running_total"]),
    ("recency", &["band", "channel_type", "endpoints", "share"]),
    ("geography", &["country", "region", "city", "endpoints", "users", "share"]),
    ("platforms", &["platform", "platform_version", "endpoints", "share"]),
    ("endpoints-per-user", &["endpoints_per_user", "users", "at_limit"]),
    ("channel-overlap", &["channels", "users", "endpoints"]),
    (
        "attribute-catalogue",
        &[
            "source",
            "name",
            "endpoints",
            "fill_share",
            "distinct_values",
            "max_values",
            "max_length",
            "problems",
        ],
    ),
    ("completeness", &["column", "channel_type", "null_share"]),
];

/// A lake with the audience in it, and the audience as the oracle tells it.
struct Audience {
    room: Room,
    endpoints: Vec<Endpoint>,
}

/// Odd records are among them, so that reports meet repeated ids, lists without items and dates that are none.
fn audience() -> Arc<Audience> {
    static AUDIENCE: Shared<Audience> = Shared::new();
    AUDIENCE.get(|| {
        let audience = population(ENDPOINTS, 0.05);
        let room = Room::new();
        for (number, range) in audience.pieces(4).into_iter().enumerate() {
            room.write(&format!("in/part-{number}.gz"), audience.piece(range));
        }
        room.pinlake(&["convert", "in", "--snapshot", "s"]).succeeds();
        Audience { room, endpoints: audience.iter().collect() }
    })
}

impl Audience {
    /// The rows of a report as JSON.
    fn report(&self, name: &str, params: &[&str]) -> Vec<Value> {
        let mut args = vec!["report", name, "--format", "json"];
        for param in params {
            args.extend(["--param", param]);
        }
        self.room.pinlake(&args).succeeds().rows()
    }

    /// How many endpoints have each key.
    fn count<K: Ord>(&self, key: impl Fn(&Endpoint) -> K) -> BTreeMap<K, u64> {
        let mut counts = BTreeMap::new();
        for endpoint in &self.endpoints {
            *counts.entry(key(endpoint)).or_default() += 1;
        }
        counts
    }
}
