//! Cut off anywhere: `kill -9`, full disks, failing disks, signals, and several commands at once. The same command given again
//! ends with the same rows, nothing is half there, and readers see what was before or all of it.
//!
//! What is quick runs with the other tests. The long runs are `#[ignore]`d: `just crash` runs them with an optimised binary and
//! prints what they found as a table (docs/trust-runs.md keeps the last one). The environment steers them:
//! `PINLAKE_CRASH_KILLS` (how many at random times, 1,000 unless told), `PINLAKE_CRASH_SEED`, `PINLAKE_CRASH_ARGS` (arguments
//! for every conversion), `PINLAKE_BIN` (another binary to test).

mod company;
mod disk;
mod kills;
mod points;
mod power;
mod rows;
mod scene;
mod signals;
mod snapshot;
mod tally;
mod witness;

use crate::harness::Dice;
use points::{ALL, BUT_WRITES, Deed, Fate, Points};
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

/// The kind of each point that an undisturbed run meets.
fn kinds_met(scene: &Scene, points: &Points) -> Vec<String> {
    scene.fresh();
    let fate = Fate { kinds: ALL, at: 0, deed: Deed::Kill };
    points.arm(scene.command(), &scene.room, scene.target(), fate).succeeds();
    Points::met(&scene.room).into_iter().map(|point| point.kind).collect()
}

/// A place to stop at, drawn among the points of some kinds.
fn drawn(met: &[String], kinds: &[&str], dice: &mut Dice) -> usize {
    let count = met.iter().filter(|kind| kinds.contains(&kind.as_str())).count();
    1 + usize::try_from(dice.below(count as u64)).unwrap_or_default()
}

#[test]
fn a_kill_anywhere_costs_nothing_but_the_time() {
    let Some(points) = Points::ready() else { return };
    let mut dice = Dice::new(5);
    let tallies = [Scene::fetch, Scene::convert_folder, Scene::convert_replace].map(|scene| {
        let scene = scene();
        let (mut tally, met) = (Tally::of(scene.name), kinds_met(&scene, &points));
        for _ in 0..3 {
            let at = drawn(&met, BUT_WRITES, &mut dice);
            kills::at_point(&scene, &points, (BUT_WRITES, at, Deed::Kill), &mut tally);
        }
        tally
    });
    close(&tallies);
}

#[test]
fn a_disk_that_fills_up_ends_with_8_names_the_place_and_costs_nothing_but_the_time() {
    let Some(points) = Points::ready() else { return };
    let mut dice = Dice::new(6);
    let tallies = [Scene::fetch, Scene::convert_folder].map(|scene| {
        let scene = scene();
        let (mut tally, met) = (Tally::of(scene.name), kinds_met(&scene, &points));
        for fault in [disk::FULL, disk::FAILS_ONCE, disk::TOO_MANY_FILES] {
            let at = drawn(&met, fault.kinds, &mut dice);
            disk::strike(&scene, &points, (fault, at), &mut tally);
        }
        tally
    });
    close(&tallies);
}

/// The index of what was fetched cannot be written either, and that is not what has to be told.
#[test]
fn of_all_that_a_full_disk_keeps_from_being_written_the_first_is_told() {
    let Some(points) = Points::ready() else { return };
    let scene = Scene::fetch();
    scene.fresh();
    let fate = Fate { kinds: &["mkdir", "create"], at: 4, deed: Deed::FromThere(disk::ENOSPC) };
    let ran = points.arm(scene.command(), &scene.room, scene.target(), fate).ends(8);
    let message = ran.stderr.split_once("pinlake: ").unwrap().1;
    assert!(message.contains("cannot write dest/") && !message.contains("fetch.json"), "{ran}");
}

#[test]
fn what_a_command_has_made_when_it_ends_outlasts_a_power_cut() {
    let Some(points) = Points::ready() else { return };
    for scene in [Scene::fetch, Scene::convert_folder, Scene::convert_replace] {
        let scene = scene();
        let findings = power::behind_the_end(&scene, &points);
        assert!(findings.problems.is_empty(), "{}: {:?}", scene.name, findings.problems);
    }
}

#[test]
fn strace_sees_no_change_that_is_not_counted() {
    let (Some(points), true) = (Points::ready(), witness::is_here()) else { return };
    for scene in [Scene::fetch, Scene::convert_replace] {
        let scene = scene();
        let [counted, seen] = witness::both_counts(&scene, &points);
        assert_eq!(counted, seen, "{}", scene.name);
    }
}

#[test]
fn a_kill_by_strace_costs_nothing_but_the_time() {
    if !witness::is_here() {
        return;
    }
    let scene = Scene::convert_folder();
    let mut tally = Tally::of(scene.name);
    for (call, nth) in [("fsync", 2), ("rename", 2), ("linkat", 1)] {
        witness::kill_at(&scene, call, nth, &mut tally);
    }
    close(&[tally]);
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
    let mut tallies = Vec::new();
    for scene in [Scene::fetch, Scene::convert_folder, Scene::convert_replace] {
        let scene = scene().on_one_thread();
        tallies.push(kills::at_every_point(&scene, &points, ALL, &mut dice));
        tallies.push(kills::within_every_write(&scene, &points));
        tallies.push(power::at_every_point(&scene, &points));
    }
    for scene in [Scene::convert_s3, Scene::convert_replace, Scene::convert_unnamed, Scene::run] {
        tallies.push(kills::at_every_point(&scene(), &points, BUT_WRITES, &mut dice));
    }
    close(&tallies);
}

#[test]
#[ignore = "minutes: `just crash`"]
fn disks_that_are_full_or_fail_at_every_call() {
    let Some(points) = Points::ready() else { return };
    let faults = [disk::FULL, disk::FULL_ONCE, disk::FAILS_ONCE, disk::FAILS, disk::TOO_MANY_FILES];
    let scenes = [Scene::fetch, Scene::convert_folder, Scene::convert_replace];
    let mut tallies = Vec::new();
    for scene in scenes {
        let scene = scene().on_one_thread();
        tallies.extend(faults.map(|fault| disk::at_every_point(&scene, &points, fault)));
    }
    close(&tallies);
}

#[test]
#[ignore = "minutes: `just crash`"]
fn signals_at_any_time() {
    let plan = Plan::read();
    let mut dice = plan.dice();
    let scenes = [Scene::fetch, Scene::convert_s3, Scene::convert_replace].map(|scene| scene());
    let mut tallies: Vec<Tally> =
        scenes.iter().map(|scene| signals::at_random_times(scene, plan.kills / 20, &mut dice)).collect();
    if let Some(points) = Points::ready() {
        for scene in &scenes {
            tallies.push(signals::at_every_point(scene, &points, BUT_WRITES, Deed::Interrupt));
            tallies.push(signals::at_every_point(scene, &points, BUT_WRITES, Deed::Terminate));
        }
    }
    close(&tallies);
}

#[test]
#[ignore = "minutes: `just crash`"]
fn signals_while_the_disk_hangs() {
    let Some(points) = Points::ready() else { return };
    let scenes = [Scene::fetch, Scene::convert_folder];
    close(&scenes.map(|scene| signals::twice_while_a_call_hangs(&scene(), &points, BUT_WRITES)));
}

#[test]
#[ignore = "minutes: `just crash`"]
fn several_commands_on_one_lake() {
    let plan = Plan::read();
    let mut dice = plan.dice();
    let rounds = plan.kills / 20;
    let [s3, folder, replace] =
        [Scene::convert_s3, Scene::convert_folder, Scene::convert_replace].map(|scene| scene());
    let mut tallies = vec![
        company::of_one_snapshot(&s3, rounds, &mut dice),
        company::of_one_snapshot(&folder, rounds, &mut dice),
        company::of_one_snapshot(&replace, rounds, &mut dice),
        company::of_three_snapshots(&s3, rounds, &mut dice),
        company::readers_beside(&s3, rounds),
        company::readers_beside(&replace, rounds),
    ];
    if let Some(points) = Points::ready() {
        tallies.push(company::beside_one_that_is_stopped(&folder, &points, BUT_WRITES));
        tallies.push(company::readers_beside_one_that_is_stopped(&folder, &points, BUT_WRITES));
        tallies.push(company::readers_beside_one_that_is_stopped(&replace, &points, BUT_WRITES));
    }
    close(&tallies);
}
