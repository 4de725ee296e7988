//! SIGINT and SIGTERM, as Ctrl-C and a service manager send them: the command ends with 130, or with 0 if it was done already, says
//! the truth about what is there, and the same command given again ends with the same rows.

use std::time::Duration;

use super::kills::{Strike, end, longest_run, look, one_by_one};
use super::points::{Deed, Fate, Points};
use super::scene::Scene;
use super::snapshot::Seen;
use super::tally::{Findings, Tally};
use crate::harness::Dice;
use crate::harness::{Ran, Running};

const INTERRUPTED: i32 = 130;
/// A command that was asked twice to stop, and goes on for longer than this, does not stop.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often waiting looks again.
const STEP: Duration = Duration::from_millis(2);

/// Sends one signal or the other at random times, so many times all in all.
pub(super) fn at_random_times(scene: &Scene, signals: u64, dice: &mut Dice) -> Tally {
    let mut tally = Tally::of(format!("{}: SIGINT or SIGTERM at a random time", scene.name));
    let longest = longest_run(scene, &mut tally);
    while tally.hits < signals && tally.is_going_on() {
        scene.fresh();
        let running = scene.command().start();
        let longest_micros = u64::try_from(longest.as_micros()).unwrap_or(u64::MAX);
        // Signals at random times are what is wanted here, as with kills.
        std::thread::sleep(Duration::from_micros(dice.below(longest_micros)));
        if dice.is_one_of_hundred(50) {
            running.interrupt();
        } else {
            running.terminate();
        }
        let ran = running.end_wild();
        // Before the program listens for signals they do what they do to any program.
        if ran.code == Some(0) {
            continue;
        }
        tally.hits += 1;
        let place = format!("signal {}", tally.hits);
        hold(scene, &mut tally, &ran, &place);
    }
    tally.told()
}

/// Sends a signal at every point.
pub(super) fn at_every_point(scene: &Scene, points: &Points, kinds: &[&str], deed: Deed) -> Tally {
    let signal = if deed == Deed::Interrupt { "SIGINT" } else { "SIGTERM" };
    let mut tally = Tally::of(format!("{}: {signal} before every change", scene.name));
    one_by_one(|at| {
        scene.fresh();
        let fate = Fate { kinds, at, deed };
        let ran = points.arm(scene.command(), &scene.room, scene.target(), fate).run_wild();
        let met = Points::met(&scene.room);
        let Some(point) = met.get(at - 1) else { return Strike::Missed };
        let place = format!("point {at}, {} {}", point.kind, point.path);
        tally.hits += 1;
        hold(scene, &mut tally, &ran, &place);
        if tally.is_going_on() { Strike::Hit } else { Strike::Enough }
    });
    tally.told()
}

/// What must hold after a signal.
fn hold(scene: &Scene, tally: &mut Tally, ran: &Ran, place: &str) {
    let seen = look(scene, tally, place);
    let mut findings = scene.nothing_unnamed();
    match ran.code {
        // None: it came before the program listens, and did what it does to any program.
        Some(INTERRUPTED) | None => {}
        Some(0) if seen == Seen::Done => {}
        _ => findings.problem(format!("it should end with {INTERRUPTED}: {ran}")),
    }
    if seen == Seen::Done && scene.target() == "lake" && ran.stderr.contains("nothing was published") {
        findings.problem("it says that nothing was published, and the snapshot is there");
    }
    tally.take(findings, place);
    end(scene, tally, ran);
}

/// Asks twice while a call to the disk hangs, at every point: nobody waits for a disk that hangs.
pub(super) fn twice_while_a_call_hangs(scene: &Scene, points: &Points, kinds: &[&str]) -> Tally {
    let mut tally = Tally::of(format!("{}: SIGINT twice while the disk hangs", scene.name));
    one_by_one(|at| {
        scene.fresh();
        let fate = Fate { kinds, at, deed: Deed::Hang };
        let mut running = points.arm(scene.command(), &scene.room, scene.target(), fate).start();
        if !is_reached(scene, &mut running, at) {
            return Strike::Missed;
        }
        tally.hits += 1;
        running.interrupt();
        // Two signals at once are one, so the second has to wait until the first was taken.
        std::thread::sleep(Duration::from_millis(100));
        let ended_at_once = running.has_ended();
        if !ended_at_once {
            running.interrupt();
        }
        let mut findings = Findings::default();
        if !is_ended(&mut running) {
            findings.problem(format!("after two SIGINTs it is still there, {PATIENCE:?} later"));
        }
        let cut = running.kill();
        tally.take(findings, &format!("point {at}"));
        let place = format!("point {at}");
        look(scene, &mut tally, &place);
        end(scene, &mut tally, &cut);
        if tally.is_going_on() { Strike::Hit } else { Strike::Enough }
    });
    tally.told()
}

/// Waits until a command has come to its point; false if it ended without.
pub(super) fn is_reached(scene: &Scene, running: &mut Running, at: usize) -> bool {
    loop {
        let ended = running.has_ended();
        if Points::met(&scene.room).len() >= at {
            return true;
        }
        if ended {
            return false;
        }
        // The other process says nothing when it gets there, so its log is looked at again and again.
        std::thread::sleep(STEP);
    }
}

/// Waits for a command's end for as long as is right after a signal.
fn is_ended(running: &mut Running) -> bool {
    let steps = PATIENCE.as_millis() / STEP.as_millis();
    (0..steps).any(|_| {
        std::thread::sleep(STEP);
        running.has_ended()
    })
}
