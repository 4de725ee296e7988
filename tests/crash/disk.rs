//! Disks that are full or fail: every call that could tell so does, in turn. The command ends with exit code 8, names the place,
//! shows nothing half, and the same command given again, with the disk well, ends with the same rows.

use std::path::Path;

use super::kills::{Strike, end, look, one_by_one};
use super::points::{Deed, Fate, Point, Points};
use super::scene::Scene;
use super::snapshot::Seen;
use super::tally::{Findings, Tally};
use crate::harness::Ran;

const EIO: i32 = 5;
const EMFILE: i32 = 24;
/// No space left on the device.
pub(super) const ENOSPC: i32 = 28;
/// Disk, memory or another limit.
const RESOURCE: i32 = 8;

/// What is wrong with the disk.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fault {
    pub(super) name: &'static str,
    deed: Deed,
    /// The calls that it strikes.
    pub(super) kinds: &'static [&'static str],
}

/// It is full from some moment on: whatever needs room fails, and of the first write half is done.
pub(super) const FULL: Fault = Fault {
    name: "disk full from there on",
    deed: Deed::FromThere(ENOSPC),
    kinds: super::points::NEEDS_SPACE,
};
/// It had no room for one call, and has room again.
pub(super) const FULL_ONCE: Fault =
    Fault { name: "disk full once", deed: Deed::Once(ENOSPC), kinds: super::points::NEEDS_SPACE };
/// One call of any kind fails.
pub(super) const FAILS_ONCE: Fault =
    Fault { name: "EIO once", deed: Deed::Once(EIO), kinds: super::points::ALL };
/// All calls fail from some moment on.
pub(super) const FAILS: Fault =
    Fault { name: "EIO from there on", deed: Deed::FromThere(EIO), kinds: super::points::ALL };
/// The process has too many files open, once.
pub(super) const TOO_MANY_FILES: Fault =
    Fault { name: "EMFILE once", deed: Deed::Once(EMFILE), kinds: &["create"] };

/// Lets every call fail in turn.
pub(super) fn at_every_point(scene: &Scene, points: &Points, fault: Fault) -> Tally {
    let mut tally = Tally::of(format!("{}: {}", scene.name, fault.name));
    one_by_one(|at| match strike(scene, points, (fault, at), &mut tally) {
        false => Strike::Missed,
        true if tally.is_going_on() => Strike::Hit,
        true => Strike::Enough,
    });
    tally.told()
}

/// Lets the call of this number fail, and those behind it where the fault says so. False where there is no such call.
pub(super) fn strike(scene: &Scene, points: &Points, (fault, at): (Fault, usize), tally: &mut Tally) -> bool {
    scene.fresh();
    let fate = Fate { kinds: fault.kinds, at, deed: fault.deed };
    let ran = points.arm(scene.command(), &scene.room, scene.target(), fate).run_wild();
    let met = Points::met(&scene.room);
    if met.len() < at {
        assert_eq!(ran.code, Some(0), "no call {at}, and yet: {ran}");
        return false;
    }
    let point = &met[at - 1];
    let place = format!("call {at}, {} {}", point.kind, point.path);
    tally.hits += 1;
    let seen = look(scene, tally, &place);
    let failed = match fault.deed {
        Deed::FromThere(_) => &met[at - 1..],
        _ => &met[at - 1..at],
    };
    tally.take(judged(scene, &ran, seen, failed), &place);
    // After a single failure the program still has the means to undo what it did, or to bring it to its end. Where nothing works
    // any more it may not even learn that its commit stands.
    if matches!(fault.deed, Deed::Once(_)) {
        // What cannot be removed lies there until the next command removes it.
        if point.kind != "unlink" {
            tally.take(scene.nothing_unnamed(), &place);
        }
        if ran.code != Some(0) && seen == Seen::Done && scene.target() == "lake" {
            let mut findings = Findings::default();
            findings.problem(format!("it failed, and the snapshot is there: {ran}"));
            tally.take(findings, &place);
        }
    }
    // Where it succeeded all the same, it was the tidying up that failed, and what is left is the next command's to clear.
    if ran.code != Some(0) {
        end(scene, tally, &ran);
    }
    true
}

/// A failure that says what it is and where; or success, where the call that failed was of no consequence.
fn judged(scene: &Scene, ran: &Ran, seen: Seen, failed: &[Point]) -> Findings {
    let mut findings = Findings::default();
    match ran.code {
        Some(0) if seen == Seen::Done => {}
        Some(0) => findings.problem(format!("it ended with 0, and nothing is there: {ran}")),
        Some(RESOURCE) => {
            let message: Vec<&str> =
                ran.stderr.lines().skip_while(|line| !line.starts_with("pinlake: ")).collect();
            let message = message.join("\n");
            if !failed.iter().any(|point| names(&message, scene, point)) {
                findings.problem(format!("the message does not name the place: {message}"));
            }
        }
        _ => findings.problem(format!("it should end with {RESOURCE}: {ran}")),
    }
    findings
}

/// Whether a message names the file or folder of a point (of a move, either end), or one above it in the folder that was named.
fn names(message: &str, scene: &Scene, point: &Point) -> bool {
    let target = scene.room.path(scene.target());
    let target = target.canonicalize().unwrap_or(target);
    [&point.path, &point.to].into_iter().filter(|path| !path.is_empty()).any(|path| {
        let Ok(inside) = Path::new(path).strip_prefix(&target) else {
            return message.contains(scene.target());
        };
        let mut above = inside.ancestors().take_while(|part| part.components().next().is_some());
        // A folder that cannot be made is named as it was typed.
        above.any(|part| message.contains(&format!("{}/{}", scene.target(), part.display())))
            || (inside.components().count() <= 1 && message.contains(scene.target()))
    })
}
