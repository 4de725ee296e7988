//! Several commands on one lake at once: of two on one snapshot one waits or fails and names the other, on different snapshots all
//! succeed, and readers beside them see what was before or all of it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::kills::{Strike, longest_run, look, one_by_one};
use super::points::{Deed, Fate, Points};
use super::scene::Scene;
use super::signals::is_reached;
use super::tally::{Findings, Tally};
use crate::harness::Dice;
use crate::harness::{Ran, Running};

const RESOURCE: i32 = 8;
const INTEGRITY: i32 = 7;
/// How long a command beside one that is stopped may take before the other goes on: longer than it takes where nothing is in
/// its way. One that waits for a lock takes as long as that.
const BESIDE: Duration = Duration::from_millis(700);
const STEP: Duration = Duration::from_millis(5);

/// The same command twice, the second some time after the first.
pub(super) fn of_one_snapshot(scene: &Scene, rounds: u64, dice: &mut Dice) -> Tally {
    let mut tally = Tally::of(format!("{}: twice at once", scene.name));
    let longest = longest_run(scene, &mut tally);
    for round in 0..rounds {
        scene.fresh();
        let first = scene.command().start();
        pause(longest, dice);
        let second = scene.command().start();
        let ids = [first.id(), second.id()];
        let ran = [first.end_wild(), second.end_wild()];
        tally.hits += 1;
        let place = format!("round {round}");
        tally.take(one_of_two(scene, &ran, ids), &place);
    }
    tally.told()
}

/// At least one of the two succeeds; the other too, or it names the first.
fn one_of_two(scene: &Scene, ran: &[Ran; 2], ids: [u32; 2]) -> Findings {
    let mut findings = Findings::default();
    let good = ran.iter().filter(|one| one.code == Some(0)).count();
    if good == 0 {
        findings.problem(format!("neither of two succeeded: {} {}", ran[0], ran[1]));
        return findings;
    }
    for (at, one) in ran.iter().enumerate() {
        let other = format!("process {}", ids[1 - at]);
        match one.code {
            Some(0) => {}
            Some(RESOURCE) if one.stderr.contains("in use") && one.stderr.contains(&other) => {}
            Some(RESOURCE) if one.stderr.contains("in use") => {
                findings.problem(format!("it does not name {other}: {}", one.stderr));
            }
            _ => findings += scene.ended_or_exists(one),
        }
    }
    findings += scene.finished();
    findings
}

/// Three of different snapshots at once, started at random.
pub(super) fn of_three_snapshots(scene: &Scene, rounds: u64, dice: &mut Dice) -> Tally {
    let mut tally = Tally::of(format!("{}: three snapshots at once", scene.name));
    let longest = longest_run(scene, &mut tally);
    let ids = ["a", "b", "c"];
    for round in 0..rounds {
        scene.fresh();
        let running = ids.map(|id| {
            let running = scene.command_as(id).start();
            pause(longest / 3, dice);
            running
        });
        let place = format!("round {round}");
        for ran in running.map(Running::end_wild) {
            tally.hits += 1;
            tally.take(succeeded(&ran), &place);
        }
        tally.take(scene.holds(&ids), &place);
    }
    tally.told()
}

/// One stopped at every point, and one of another snapshot beside it, which has to succeed; then the first goes on.
pub(super) fn beside_one_that_is_stopped(scene: &Scene, points: &Points, kinds: &[&str]) -> Tally {
    let mut tally = Tally::of(format!("{}: another beside one that is stopped", scene.name));
    one_by_one(|at| {
        scene.fresh();
        let fate = Fate { kinds, at, deed: Deed::Stop };
        let mut first = points.arm(scene.command_as("a"), &scene.room, scene.target(), fate).start();
        if !is_reached(scene, &mut first, at) {
            return Strike::Missed;
        }
        tally.hits += 1;
        let mut second = scene.command_as("b").start();
        let steps = BESIDE.as_millis() / STEP.as_millis();
        let is_in_no_way = (0..steps).any(|_| {
            std::thread::sleep(STEP);
            second.has_ended()
        });
        first.go_on();
        let place = format!("point {at}");
        // It waited for what the first held, and no longer than that.
        tally.behind_commit += u64::from(!is_in_no_way);
        for ran in [second.end_wild(), first.end_wild()] {
            tally.take(succeeded(&ran), &place);
        }
        tally.take(scene.holds(&["a", "b"]), &place);
        if tally.is_going_on() { Strike::Hit } else { Strike::Enough }
    });
    tally.told()
}

/// One stopped at every point, and readers beside it; then it goes on.
pub(super) fn readers_beside_one_that_is_stopped(scene: &Scene, points: &Points, kinds: &[&str]) -> Tally {
    let mut tally = Tally::of(format!("{}: readers beside one that is stopped", scene.name));
    one_by_one(|at| {
        scene.fresh();
        let fate = Fate { kinds, at, deed: Deed::Stop };
        let mut first = points.arm(scene.command(), &scene.room, scene.target(), fate).start();
        if !is_reached(scene, &mut first, at) {
            return Strike::Missed;
        }
        tally.hits += 1;
        let place = format!("point {at}");
        tally.take(read(scene), &place);
        look(scene, &mut tally, &place);
        first.go_on();
        let ran = first.end_wild();
        tally.take(scene.ended(&ran), &place);
        if tally.is_going_on() { Strike::Hit } else { Strike::Enough }
    });
    tally.told()
}

/// Readers, one after the other, while the command runs.
pub(super) fn readers_beside(scene: &Scene, rounds: u64) -> Tally {
    let mut tally = Tally::of(format!("{}: readers beside it", scene.name));
    for round in 0..rounds {
        scene.fresh();
        let mut running = scene.command().start();
        let place = format!("round {round}");
        while !running.has_ended() && tally.is_going_on() {
            tally.hits += 1;
            tally.take(read(scene), &place);
        }
        let ran = running.end_wild();
        tally.take(scene.ended(&ran), &place);
    }
    tally.told()
}

/// What readers of ours are told: each snapshot has all of its rows, and its manifest is that of its rows.
fn read(scene: &Scene) -> Findings {
    let mut findings = Findings::default();
    let query = "SELECT snapshot, count(*) AS rows FROM all_endpoints GROUP BY snapshot";
    let mut counted = scene.room.pinlake(&["sql", query, "--format", "json"]).run_wild();
    if counted.code == Some(INTEGRITY) {
        // A query that had begun before the snapshot was replaced may miss the files that it was to read. It then says so rather
        // than giving a part, and asked again it finds the new ones.
        counted = scene.room.pinlake(&["sql", query, "--format", "json"]).run_wild();
    }
    let listed = scene.room.pinlake(&["snapshots", "list", "--format", "json"]).run_wild();
    for (ran, name) in [(&counted, "snapshot"), (&listed, "snapshot")] {
        if ran.code != Some(0) {
            findings.problem(format!("a reader fails: {ran}"));
            continue;
        }
        let rows: BTreeMap<String, u64> = ran
            .rows()
            .iter()
            .map(|row| {
                (row[name].as_str().unwrap_or_default().to_owned(), row["rows"].as_u64().unwrap_or_default())
            })
            .collect();
        findings += scene.may_count(&rows);
    }
    findings += manifest_tells_of_files(scene);
    findings
}

/// Whether the files that the manifest tells of are in the lake. It and the log are read one after the other: where the snapshot
/// is replaced between the two they are of different runs, and asked again they agree.
fn manifest_tells_of_files(scene: &Scene) -> Findings {
    let mut findings = Findings::default();
    let mut missing = None;
    for _ in 0..3 {
        let shown = scene.room.pinlake(&["snapshots", "show", "latest", "--json"]).run_wild();
        let (Some(0), Ok(manifest)) = (shown.code, serde_json::from_str::<Value>(&shown.stdout)) else {
            findings.problem(format!("a reader fails: {shown}"));
            return findings;
        };
        let live = scene.room.lake().live_files();
        let told = manifest["files"].as_array().cloned().unwrap_or_default();
        let paths = told.iter().filter_map(|file| file["path"].as_str());
        let absent = |path: &&str| !live.contains(path.strip_prefix("endpoints/").unwrap_or(path));
        missing = paths.into_iter().find(absent).map(str::to_owned);
        if missing.is_none() {
            break;
        }
    }
    if let Some(path) = missing {
        findings.problem(format!("a manifest tells of {path}, which is not in the lake"));
    }
    findings
}

fn succeeded(ran: &Ran) -> Findings {
    let mut findings = Findings::default();
    if ran.code != Some(0) {
        findings.problem(format!("it fails beside another: {ran}"));
    }
    findings
}

/// Waits for a random part of a time: starts at random are what is wanted here.
fn pause(longest: Duration, dice: &mut Dice) {
    let longest_micros = u64::try_from(longest.as_micros()).unwrap_or(u64::MAX);
    std::thread::sleep(Duration::from_micros(dice.below(longest_micros)));
}
