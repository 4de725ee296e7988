//! Stopping the program at a point of our choice: the n-th call that changes something below a folder.
//!
//! What does it is a small C library (`points.c`) that is loaded into the program; it is compiled once a run. Where there is no C
//! compiler, or no Linux, tests that need it say so and are skipped.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::harness::{Pinlake, Room};

/// Every kind of call that counts.
pub(super) const ALL: &[&str] =
    &["create", "write", "truncate", "sync", "chmod", "mkdir", "rename", "link", "unlink"];
/// All but the writing of bytes, of which there are many of a kind.
pub(super) const BUT_WRITES: &[&str] =
    &["create", "truncate", "sync", "chmod", "mkdir", "rename", "link", "unlink"];
/// What a full disk refuses.
pub(super) const NEEDS_SPACE: &[&str] = &["create", "write", "sync", "mkdir", "rename", "link"];

const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/crash/points.c");

/// What happens at the point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deed {
    /// SIGKILL before the call.
    Kill,
    /// SIGKILL when a write is done by half.
    Tear,
    /// SIGSTOP before the call.
    Stop,
    /// SIGINT before the call, which is then made.
    Interrupt,
    /// SIGTERM in the same way.
    Terminate,
    /// The call never comes back.
    Hang,
    /// This call fails with the error of this number.
    Once(i32),
    /// So do all behind it.
    FromThere(i32),
}

impl Deed {
    fn told(self) -> String {
        match self {
            Self::Kill => "kill".to_owned(),
            Self::Tear => "tear".to_owned(),
            Self::Stop => "stop".to_owned(),
            Self::Interrupt => "interrupt".to_owned(),
            Self::Terminate => "terminate".to_owned(),
            Self::Hang => "hang".to_owned(),
            Self::Once(error) => format!("once:{error}"),
            Self::FromThere(error) => format!("on:{error}"),
        }
    }
}

/// A point that was met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Point {
    pub(super) kind: String,
    pub(super) path: String,
    /// Where a move or link leads to, else empty.
    pub(super) to: String,
}

/// The library, ready to be loaded.
pub(super) struct Points(PathBuf);

impl Points {
    /// None, with a line on stderr, where it cannot be made.
    pub(super) fn ready() -> Option<Self> {
        static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
        match BUILT.get_or_init(build) {
            Ok(path) => Some(Self(path.clone())),
            Err(reason) => {
                eprintln!("skipped: {reason}");
                None
            }
        }
    }

    /// A command that meets its fate at the point of number `at` below `folder` of the room, counting calls of `kinds`; with 0
    /// it is only watched.
    pub(super) fn arm(&self, command: Pinlake, room: &Room, folder: &str, fate: Fate<'_>) -> Pinlake {
        let log = room.path("points.log");
        // Of an earlier command, where there was one.
        let _ = std::fs::remove_file(&log);
        let counted = room.path(".").canonicalize().unwrap().join(folder);
        command
            .env("LD_PRELOAD", &self.0)
            .env("POINTS_ROOT", counted)
            .env("POINTS_LOG", &log)
            .env("POINTS_KINDS", format!(",{},", fate.kinds.join(",")))
            .env("POINTS_AT", fate.at.to_string())
            .env("POINTS_DO", fate.deed.told())
    }

    /// The points that the last armed command of the room met, in their order.
    pub(super) fn met(room: &Room) -> Vec<Point> {
        let text = std::fs::read_to_string(room.path("points.log")).unwrap_or_default();
        text.lines().filter_map(parse).collect()
    }
}

/// What is to happen to a command, and where.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fate<'a> {
    pub(super) kinds: &'a [&'a str],
    /// From 1.
    pub(super) at: usize,
    pub(super) deed: Deed,
}

/// A line of the log; none if it was cut.
fn parse(line: &str) -> Option<Point> {
    let mut fields = line.split('\t').skip(1).map(str::to_owned);
    Some(Point { kind: fields.next()?, path: fields.next()?, to: fields.next()? })
}

fn build() -> Result<PathBuf, String> {
    if !cfg!(target_os = "linux") {
        return Err("points are for Linux".to_owned());
    }
    let library = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("points-{}.so", std::process::id()));
    let compiled = Command::new("cc")
        .args(["-O2", "-shared", "-fPIC", "-o"])
        .arg(&library)
        .arg(SOURCE)
        .output()
        .map_err(|error| format!("no C compiler, `cc`: {error}"))?;
    let told = String::from_utf8_lossy(&compiled.stderr);
    assert!(compiled.status.success(), "{SOURCE} does not compile:\n{told}");
    Ok(library)
}
