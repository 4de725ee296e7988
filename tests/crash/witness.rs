//! strace as a second opinion: it sees every call to the system, so it says whether the library of `points` misses any; and it kills
//! by itself at a few points, counting each thread's calls.
//!
//! Where strace is not installed, or tracing is forbidden, tests say so and are skipped; `PINLAKE_REQUIRE_STRACE=1` insists on it.

use std::collections::BTreeMap;
use std::process::Command;

use super::kills::{end, look};
use super::points::{ALL, Deed, Fate, Points};
use super::scene::Scene;
use super::tally::Tally;

const REQUIRED: &str = "PINLAKE_REQUIRE_STRACE";
/// Calls that change something, by the kind of point that they are. `openat` does only with some flags.
const CALLS: [(&str, &str); 22] = [
    ("open", "create"),
    ("openat", "create"),
    ("creat", "create"),
    ("write", "write"),
    ("writev", "write"),
    ("pwrite64", "write"),
    ("copy_file_range", "write"),
    ("sendfile", "write"),
    ("fsync", "sync"),
    ("fdatasync", "sync"),
    ("ftruncate", "truncate"),
    ("fchmod", "chmod"),
    ("fchmodat", "chmod"),
    ("mkdir", "mkdir"),
    ("mkdirat", "mkdir"),
    ("rename", "rename"),
    ("renameat", "rename"),
    ("renameat2", "rename"),
    ("linkat", "link"),
    ("unlink", "unlink"),
    ("unlinkat", "unlink"),
    ("rmdir", "unlink"),
];

/// Whether strace can be used here.
pub(super) fn is_here() -> bool {
    let tried = Command::new("strace").args(["-qq", "-o", "/dev/null", "true"]).status();
    let works = tried.is_ok_and(|status| status.success());
    let required = std::env::var(REQUIRED).is_ok_and(|value| value == "1");
    assert!(works || !required, "{REQUIRED}=1, and strace is not installed or may not trace");
    if !works {
        eprintln!("skipped: strace is not installed or may not trace; {REQUIRED}=1 insists on it");
    }
    works
}

/// How many calls of each kind the command makes, as the library counts them and as strace does.
pub(super) fn both_counts(scene: &Scene, points: &Points) -> [BTreeMap<String, usize>; 2] {
    scene.fresh();
    let log = scene.room.path("strace.log");
    let calls: Vec<String> = CALLS.iter().map(|(call, _)| format!("?{call}")).collect();
    let (trace, log_path) = (format!("trace={}", calls.join(",")), log.display().to_string());
    let program =
        ["strace", "-f", "-qq", "-y", "-s", "400", "-e", &trace, "-e", "signal=none", "-o", &log_path];
    let fate = Fate { kinds: ALL, at: 0, deed: Deed::Kill };
    let command = scene.command_behind(&program);
    points.arm(command, &scene.room, scene.target(), fate).succeeds();
    let mut counted = [BTreeMap::new(), BTreeMap::new()];
    for point in Points::met(&scene.room) {
        *counted[0].entry(point.kind).or_default() += 1;
    }
    let root = scene.room.path(".").canonicalize().unwrap().join(scene.target()).display().to_string();
    let below =
        [format!("{root}/"), format!("{root}>"), format!("{root}\""), format!("\"{}/", scene.target())];
    let named = format!("\"{}\"", scene.target());
    for line in std::fs::read_to_string(log).unwrap().lines() {
        let Some((kind, arguments)) = call_of(line) else { continue };
        if below.iter().chain([&named]).any(|part| arguments.contains(part.as_str())) {
            *counted[1].entry(kind.to_owned()).or_default() += 1;
        }
    }
    counted
}

/// The kind of point that a line of strace's tells of, and what names its place; the second half of a call that was told in two is
/// none.
fn call_of(line: &str) -> Option<(&'static str, &str)> {
    let (_, call) = line.split_once(' ')?;
    let (name, arguments) = call.trim_start().split_once('(')?;
    let (_, kind) = CALLS.iter().find(|(known, _)| *known == name)?;
    match *kind {
        "create" if !arguments.contains("O_CREAT") && !arguments.contains("O_TRUNC") => None,
        "mkdir" if arguments.contains("EEXIST") => None,
        // What is written may hold any path.
        "write" => Some((kind, arguments.split_inclusive('>').next()?)),
        _ => Some((kind, arguments)),
    }
}

/// Kills the command when one of its threads makes its call of this name for the n-th time.
pub(super) fn kill_at(scene: &Scene, call: &str, nth: u32, tally: &mut Tally) {
    scene.fresh();
    let (trace, inject) = (format!("trace={call}"), format!("inject={call}:signal=KILL:when={nth}"));
    let program = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", &trace, "-e", &inject];
    let ran = scene.command_behind(&program).run_wild();
    if ran.code.is_none() {
        tally.hits += 1;
        look(scene, tally, &format!("{call} {nth}"));
    }
    end(scene, tally, &ran);
}
