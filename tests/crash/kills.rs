//! `kill -9`: at random times and at every point, and then the same command again, as often as it takes.

use std::time::{Duration, Instant};

use super::points::{Deed, Fate, Points};
use super::scene::Scene;
use super::snapshot::Seen;
use super::tally::Tally;
use crate::harness::Dice;
use crate::harness::Ran;

/// Of a hundred commands that are given again, so many are killed too.
const AGAIN_PERCENT: u64 = 30;
/// Kills before a command is left to end.
const MOST_IN_A_ROW: u32 = 5;
/// Runs whose slowest says within what time kills are thrown.
const TRIALS: u32 = 3;

/// Kills the command at random times, so many times all in all, and lets it end after each or a few.
pub(super) fn at_random_times(scene: &Scene, kills: u64, dice: &mut Dice) -> Tally {
    let mut tally = Tally::of(format!("{}: kill -9 at a random time", scene.name));
    let longest = longest_run(scene, &mut tally);
    while tally.hits < kills && tally.is_going_on() {
        scene.fresh();
        for in_a_row in 1..=MOST_IN_A_ROW {
            let cut = kill_once(scene, longest, dice);
            if cut.code.is_some() {
                // It was done before the kill came.
                tally.take(scene.ended(&cut), &format!("after {} cuts", tally.hits));
                break;
            }
            tally.hits += 1;
            let place = format!("kill {}", tally.hits);
            look(scene, &mut tally, &place);
            if said_so(&cut) || in_a_row == MOST_IN_A_ROW || !dice.is_one_of_hundred(AGAIN_PERCENT) {
                end(scene, &mut tally, &cut);
                break;
            }
        }
    }
    tally.told()
}

/// The slowest of some runs that nobody disturbs; that they end well is the first thing to know.
pub(super) fn longest_run(scene: &Scene, tally: &mut Tally) -> Duration {
    let mut longest = Duration::ZERO;
    for _ in 0..TRIALS {
        scene.fresh();
        let begun = Instant::now();
        let ran = scene.command().run_wild();
        longest = longest.max(begun.elapsed());
        assert_eq!(ran.code, Some(0), "undisturbed: {ran}");
        tally.take(scene.ended(&ran), "undisturbed");
    }
    longest
}

/// Starts the command and kills it some time later, or too late.
fn kill_once(scene: &Scene, longest: Duration, dice: &mut Dice) -> Ran {
    let running = scene.command().start();
    let longest_micros = u64::try_from(longest.as_micros()).unwrap_or(u64::MAX);
    // A kill at a random time is what is wanted here: points that nobody thought of are met in no other way.
    std::thread::sleep(Duration::from_micros(dice.below(longest_micros)));
    running.kill()
}

/// Kills the command at every point there is, and lets it end after each. Of the commands given again some are killed at a
/// random point too.
pub(super) fn at_every_point(scene: &Scene, points: &Points, kinds: &[&str], dice: &mut Dice) -> Tally {
    let mut tally = Tally::of(format!("{}: kill -9 before every {}", scene.name, named(kinds)));
    at_each(scene, points, (kinds, Deed::Kill), |met, cut, place| {
        tally.hits += 1;
        look(scene, &mut tally, place);
        let (mut cut, mut kills) = (cut, 1);
        while !said_so(&cut) && dice.is_one_of_hundred(AGAIN_PERCENT) && kills < MOST_IN_A_ROW {
            let at = 1 + usize::try_from(dice.below(met as u64)).unwrap_or_default();
            let fate = Fate { kinds, at, deed: Deed::Kill };
            cut = points.arm(scene.command(), &scene.room, scene.target(), fate).run_wild();
            if cut.code.is_some() {
                break;
            }
            kills += 1;
            tally.hits += 1;
            look(scene, &mut tally, &format!("{place}, then at {at}"));
        }
        end(scene, &mut tally, &cut);
        tally.is_going_on()
    });
    tally.told()
}

/// Kills the command in the middle of every write.
pub(super) fn within_every_write(scene: &Scene, points: &Points) -> Tally {
    let mut tally = Tally::of(format!("{}: kill -9 within every write", scene.name));
    at_each(scene, points, (&["write"], Deed::Tear), |_, cut, place| {
        tally.hits += 1;
        look(scene, &mut tally, place);
        end(scene, &mut tally, &cut);
        tally.is_going_on()
    });
    tally.told()
}

/// Kills the command at one point, and lets it end.
pub(super) fn at_point(
    scene: &Scene,
    points: &Points,
    (kinds, at, deed): (&[&str], usize, Deed),
    tally: &mut Tally,
) {
    scene.fresh();
    let ran = points.arm(scene.command(), &scene.room, scene.target(), Fate { kinds, at, deed }).run_wild();
    let met = Points::met(&scene.room);
    // Threads may meet one point less the next time.
    if let Some(point) = met.get(at - 1) {
        assert!(ran.code.is_none(), "it was killed, and yet: {ran}");
        tally.hits += 1;
        look(scene, tally, &format!("point {at}, {} {}", point.kind, point.path));
    }
    end(scene, tally, &ran);
}

/// Runs the command afresh for each point and kills it there. `hit` is told how many points were met, what
/// the command had said, and which point was the last, and says whether to go on.
/// With one thread the points are nearly the same each time.
pub(super) fn at_each(
    scene: &Scene,
    points: &Points,
    (kinds, deed): (&[&str], Deed),
    mut hit: impl FnMut(usize, Ran, &str) -> bool,
) {
    one_by_one(|at| {
        scene.fresh();
        let fate = Fate { kinds, at, deed };
        let ran = points.arm(scene.command(), &scene.room, scene.target(), fate).run_wild();
        let met = Points::met(&scene.room);
        let Some(point) = met.get(at - 1) else {
            assert_eq!(ran.code, Some(0), "no point {at}, and yet: {ran}");
            return Strike::Missed;
        };
        assert!(ran.code.is_none(), "it was killed, and yet: {ran}");
        let place = format!("point {at}, {} {}", point.kind, point.path);
        if hit(met.len(), ran, &place) { Strike::Hit } else { Strike::Enough }
    });
}

/// How a strike at a point went.
pub(super) enum Strike {
    Hit,
    /// The command ended before it came there.
    Missed,
    /// Nothing more has to be known.
    Enough,
}

/// Strikes at one point after the other until the last one is passed. Threads make a few points more or less from run to run, so one
/// miss does not say that.
pub(super) fn one_by_one(mut strike: impl FnMut(usize) -> Strike) {
    const MISSES: u32 = 4;
    let mut missed_in_a_row = 0;
    for at in 1.. {
        match strike(at) {
            Strike::Hit => missed_in_a_row = 0,
            Strike::Missed => missed_in_a_row += 1,
            Strike::Enough => return,
        }
        if missed_in_a_row == MISSES {
            return;
        }
    }
}

/// What readers see after a cut: what was there before, or all of it.
pub(super) fn look(scene: &Scene, tally: &mut Tally, place: &str) -> Seen {
    let (seen, findings) = scene.look();
    if seen == Seen::Done {
        tally.behind_commit += 1;
    }
    tally.take(findings, place);
    seen
}

/// Whether a command had told its result, and so was done but for going away.
fn said_so(cut: &Ran) -> bool {
    !cut.stdout.is_empty()
}

/// Gives a command that was cut off again, undisturbed, and holds what is there then. One that had ended well, or had told its
/// result, was not cut off: given again it would be asked for more.
pub(super) fn end(scene: &Scene, tally: &mut Tally, cut: &Ran) {
    let place = format!("after {} cuts", tally.hits);
    tally.take_panic(cut, &place);
    if cut.code == Some(0) {
        tally.take(scene.ended(cut), &place);
        return;
    }
    if said_so(cut) {
        let (seen, mut findings) = scene.look();
        if seen != Seen::Done {
            findings.problem(format!("it told its result, and that is not there: {cut}"));
        }
        tally.take(findings, &place);
        return;
    }
    let read = scene.pieces_read();
    let is_done = scene.look().0 == Seen::Done;
    let ran = scene.command().run_wild();
    tally.reruns += 1;
    if let (Some((before, all)), Some((after, _))) = (read, scene.pieces_read())
        && after - before < all
        && !is_done
    {
        tally.resumed += 1;
    }
    tally.take_panic(&ran, &place);
    tally.take(scene.ended(&ran), &place);
}

/// Kinds of points in words.
fn named(kinds: &[&str]) -> String {
    if kinds.contains(&"write") { "change".to_owned() } else { "change but writes".to_owned() }
}
