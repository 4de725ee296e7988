//! Cut off anywhere: `kill -9`, full disks, failing disks, signals, and several commands at once. The same command given again
//! ends with the same rows, nothing is half there, and readers see what was before or all of it.
//!
//! What is quick runs with the other tests. The long runs are `#[ignore]`d: `just crash` runs them with an optimised binary and
//! prints what they found as a table (docs/trust-runs.md keeps the last one). The environment steers them:
//! `PINLAKE_CRASH_KILLS` (how many at random times, 1,000 unless told), `PINLAKE_CRASH_SEED`, `PINLAKE_CRASH_ARGS` (arguments
//! for every conversion), `PINLAKE_BIN` (another binary to test).

mod dice;
mod kills;
mod points;
mod rows;
mod scene;
mod snapshot;
mod tally;

use dice::Dice;
use points::{ALL, Points};
use scene::Scene;
use tally::{Tally, close};

/// What the long runs are steered by.
struct Plan {
    kills: u64,
    seed: u64,
}

impl Plan {
    fn read() -> Self {
        let number = |name: &str, usual: u64| match std::env::var(name) {
            Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} is no number")),
            Err(_) => usual,
        };
        let plan = Self {
            kills: number("PINLAKE_CRASH_KILLS", 1_000),
            seed: number("PINLAKE_CRASH_SEED", 20_261_030),
        };
        println!("PINLAKE_CRASH_KILLS={} PINLAKE_CRASH_SEED={}", plan.kills, plan.seed);
        plan
    }

    fn dice(&self) -> Dice {
        Dice::new(self.seed)
    }
}

/// Every scene, with its share of a hundred kills at random times.
fn scenes() -> [(fn() -> Scene, u64); 6] {
    [
        (Scene::fetch, 15),
        (Scene::convert_s3, 25),
        (Scene::convert_folder, 20),
        (Scene::convert_replace, 20),
        (Scene::convert_unnamed, 10),
        (Scene::run, 10),
    ]
}

#[test]
#[ignore = "minutes: `just crash`"]
fn kills_at_random_times() {
    let plan = Plan::read();
    let mut dice = plan.dice();
    let tallies = scenes().map(|(scene, percent)| {
        kills::at_random_times(&scene(), (plan.kills * percent).div_ceil(100), &mut dice)
    });
    close(&tallies);
}

#[test]
#[ignore = "minutes: `just crash`"]
fn kills_at_every_point() {
    let Some(points) = Points::ready() else { return };
    let mut dice = Plan::read().dice();
    let tallies: Vec<Tally> = scenes()
        .into_iter()
        .flat_map(|(scene, _)| {
            let scene = scene();
            [
                kills::at_every_point(&scene, &points, ALL, &mut dice),
                kills::within_every_write(&scene, &points),
            ]
        })
        .collect();
    close(&tallies);
}
