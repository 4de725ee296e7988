//! The reports, run as a user runs them.

mod broken;
mod browser;
mod contract;
mod figures;
mod formats;
mod several;
mod snapshots;
mod steadiness;
mod templates;
mod verdicts;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use pinlake_local::{Endpoint, Population};
use serde_json::Value;

use crate::harness::{Ran, Room, Shared, population};
use contract::{BUILTIN, given};

/// How many endpoints the audience has that reports are held against.
const ENDPOINTS: u64 = 3_000;

/// A lake with the audience in it, and the audience as the oracle tells it.
struct Audience {
    room: Room,
    endpoints: Vec<Endpoint>,
    /// What many tests look at is made once.
    rows: OnceLock<Value>,
    page: OnceLock<String>,
}

/// Odd records are among them, so that reports meet repeated ids, lists without items and dates that are none. An earlier snapshot
/// has fewer endpoints, all of them usual.
fn audience() -> Arc<Audience> {
    static AUDIENCE: Shared<Audience> = Shared::new();
    AUDIENCE.get(|| {
        let audience = population(ENDPOINTS, 0.05);
        let room = Room::new();
        convert(&room, "first", &earlier());
        convert(&room, "second", &audience);
        Audience { room, endpoints: audience.iter().collect(), rows: OnceLock::new(), page: OnceLock::new() }
    })
}

/// A lake of its own in which every record is usual.
fn usual_audience() -> Arc<Audience> {
    static AUDIENCE: Shared<Audience> = Shared::new();
    AUDIENCE.get(|| {
        let room = Room::new();
        convert(&room, "usual", &earlier());
        Audience { room, endpoints: earlier().iter().collect(), rows: OnceLock::new(), page: OnceLock::new() }
    })
}

/// The audience of the earlier snapshot, which is called `first`; that of the later one `second`.
fn earlier() -> Population {
    population(500, 0.0)
}

/// Makes a snapshot of an audience in four pieces.
fn convert(room: &Room, snapshot: &str, audience: &Population) {
    for (number, range) in audience.pieces(4).into_iter().enumerate() {
        room.write(&format!("{snapshot}/part-{number}.gz"), audience.piece(range));
    }
    room.pinlake(&["convert", snapshot, "--snapshot", snapshot]).succeeds();
}

impl Audience {
    /// The rows of a report as JSON.
    fn report(&self, name: &str, params: &[&str]) -> Vec<Value> {
        if params == given(name) {
            return self.rows()[name].as_array().unwrap().clone();
        }
        let mut args = vec!["report", name, "--format", "json"];
        for param in params {
            args.extend(["--param", param]);
        }
        self.room.pinlake(&args).succeeds().rows()
    }

    /// The rows of every report, by name.
    fn rows(&self) -> &Value {
        self.rows.get_or_init(|| self.every_report(&["--format", "json"]).json())
    }

    /// The page of every report.
    fn page(&self) -> &str {
        self.page.get_or_init(|| self.every_report(&["--format", "html"]).stdout)
    }

    /// All reports in one run, those that ask for something included.
    fn every_report(&self, args: &[&str]) -> Ran {
        let mut all = vec!["report"];
        for (name, _) in &BUILTIN {
            all.push(name);
            all.extend(given(name).iter().flat_map(|param| ["--param", param]));
        }
        self.room.pinlake(&all).args(args).succeeds()
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
