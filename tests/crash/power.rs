//! Power cuts, as far as they can be had without cutting power: what was written and not synced may be gone afterwards, although
//! its name is there. After a kill every such file is made empty here, and the same command must go on from that.

use std::collections::BTreeSet;
use std::path::Path;

use super::kills::{at_each, end, look};
use super::points::{ALL, Deed, Fate, Point, Points};
use super::scene::Scene;
use super::tally::{Findings, Tally};

/// What has been done and not been made to last.
#[derive(Debug, Default)]
pub(super) struct Unsynced {
    /// Files with bytes that may be lost.
    files: BTreeSet<String>,
    /// Folders with names that may be lost: of what was made, moved or linked there.
    folders: BTreeSet<String>,
}

impl Unsynced {
    /// What these calls have left so. All of them were made.
    pub(super) fn after(points: &[Point]) -> Self {
        let mut unsynced = Self::default();
        for point in points {
            unsynced.apply(point);
        }
        unsynced
    }

    fn apply(&mut self, point: &Point) {
        match point.kind.as_str() {
            "write" | "truncate" => {
                self.files.insert(point.path.clone());
            }
            "create" | "mkdir" => self.name_in(&point.path),
            // What is gone needs no syncing.
            "sync" | "unlink" => {
                self.files.remove(&point.path);
                self.folders.remove(&point.path);
            }
            "rename" => {
                self.carry(&point.path, &point.to, true);
                self.name_in(&point.to);
            }
            "link" => {
                self.carry(&point.path, &point.to, false);
                self.name_in(&point.to);
            }
            _ => {}
        }
    }

    fn name_in(&mut self, path: &str) {
        if let Some((folder, _)) = path.rsplit_once('/') {
            self.folders.insert(folder.to_owned());
        }
    }

    /// What may be lost of a file, or below a folder, may be lost under its new name too.
    fn carry(&mut self, from: &str, to: &str, is_move: bool) {
        for names in [&mut self.files, &mut self.folders] {
            let moved: Vec<String> =
                names.iter().filter(|name| Path::new(name).starts_with(from)).cloned().collect();
            for name in moved {
                names.insert(format!("{to}{}", &name[from.len()..]));
                if is_move {
                    names.remove(&name);
                }
            }
        }
    }

    /// Makes every file empty whose bytes may be lost.
    fn lose(&self) {
        for path in self.files.iter().filter(|path| Path::new(path).is_file()) {
            std::fs::OpenOptions::new().write(true).truncate(true).open(path).unwrap();
        }
    }

    /// What of the things that readers see may be lost. `is_seen` says which those are.
    pub(super) fn of_what_is_seen(&self, is_seen: impl Fn(&str) -> bool) -> Findings {
        let mut findings = Findings::default();
        for path in self.files.iter().filter(|path| is_seen(path) && Path::new(path).is_file()) {
            findings.half_file(format!("a power cut could empty {path}"));
        }
        for path in self.folders.iter().filter(|path| is_seen(path) && Path::new(path).is_dir()) {
            findings.half_file(format!("a power cut could take names out of {path}"));
        }
        findings
    }
}

/// Cuts the power at every point.
pub(super) fn at_every_point(scene: &Scene, points: &Points) -> Tally {
    let mut tally = Tally::of(format!("{}: power cut before every change", scene.name));
    at_each(scene, points, (ALL, Deed::Kill), |met, cut, place| {
        tally.hits += 1;
        // The last call is the one that was not made.
        let made = Points::met(&scene.room);
        Unsynced::after(&made[..met - 1]).lose();
        look(scene, &mut tally, place);
        end(scene, &mut tally, &cut);
        tally.is_going_on()
    });
    tally.told()
}

/// Runs the command undisturbed, and holds that a power cut right behind its end would take nothing of what it made.
pub(super) fn behind_the_end(scene: &Scene, points: &Points) -> Findings {
    scene.fresh();
    let fate = Fate { kinds: ALL, at: 0, deed: Deed::Kill };
    let ran = points.arm(scene.command(), &scene.room, scene.target(), fate).succeeds();
    let unsynced = Unsynced::after(&Points::met(&scene.room));
    let mut findings = scene.ended(&ran);
    let target = scene.room.path(scene.target()).canonicalize().unwrap().display().to_string();
    findings += unsynced.of_what_is_seen(|path| path.starts_with(&target) && !path.contains("/.staging"));
    findings
}
