//! The commands that are cut off, each in a room of its own: what lies there before, and what must lie there when it is done.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use pinlake_local::{Population, PopulationOptions};
use serde_json::Value;

use super::rows::{DueRows, sha256};
use super::snapshot::{BASE, Goal, Seen, Watch};
use super::tally::Findings;
use crate::harness::{Pinlake, Ran, Room, World, files_below, lines_piece, population};

const ENDPOINTS: u64 = 400;
const PIECES: u64 = 5;
/// An export job makes pieces of this many endpoints.
const ENDPOINTS_PER_PIECE: u64 = 80;
/// Arguments that every conversion gets besides its own, with spaces between.
const MORE_ARGUMENTS: &str = "PINLAKE_CRASH_ARGS";
/// No endpoint, a blank line, no endpoint.
const ODD_LINES: [&str; 3] = ["nonsense", "", "[1]"];
const SNAPSHOT: &str = "s";
const THREADS: &str = "2";

/// What must be there in the end.
enum Aim {
    Snapshot(Box<Goal>, Watch),
    /// Pieces in the folder `dest`, by their names there.
    Pieces(BTreeMap<String, Vec<u8>>),
}

/// A command in its room.
pub(super) struct Scene {
    pub(super) name: &'static str,
    pub(super) room: Room,
    world: Option<World>,
    args: Vec<String>,
    threads: &'static str,
    aim: Aim,
}

impl Scene {
    /// Pieces from S3 into a folder.
    pub(super) fn fetch() -> Self {
        let audience = audience();
        let world = bucket(&audience);
        let mut files = BTreeMap::new();
        for (number, range) in audience.pieces(PIECES).into_iter().enumerate() {
            files.insert(format!("part-{number:05}.gz"), audience.piece(range));
        }
        files.insert("rejects.gz".to_owned(), lines_piece(&ODD_LINES));
        let deep = lines_piece(&[r#"{"Id":"deep"}"#]);
        world.put("exports/deep/er/part.gz", deep.clone());
        files.insert("deep/er/part.gz".to_owned(), deep);
        let args = ["fetch", &world.url("exports/"), "dest"].map(str::to_owned).to_vec();
        let (room, world) = (Room::new(), Some(world));
        Self { name: "fetch", room, world, args, threads: THREADS, aim: Aim::Pieces(files) }
    }

    /// Pieces from S3 to a snapshot.
    pub(super) fn convert_s3() -> Self {
        Self::convert("convert from S3", Some(SNAPSHOT), false)
    }

    /// The same with the program choosing the id.
    pub(super) fn convert_unnamed() -> Self {
        Self::convert("convert without --snapshot", None, false)
    }

    /// The same in the stead of a snapshot that is there.
    pub(super) fn convert_replace() -> Self {
        Self::convert("convert --replace", Some(SNAPSHOT), true)
    }

    fn convert(name: &'static str, id: Option<&'static str>, replace: bool) -> Self {
        let audience = audience();
        let world = bucket(&audience);
        let args = convert_args(&world.url("exports/"), id, replace);
        let goal = goal(&audience, "exports/", id, replace);
        Self::with_lake(name, Some(world), args, goal)
    }

    /// Pieces from a folder to a snapshot.
    pub(super) fn convert_folder() -> Self {
        let audience = audience();
        let goal = goal(&audience, "", Some(SNAPSHOT), false);
        let scene =
            Self::with_lake("convert from a folder", None, convert_args("in", Some(SNAPSHOT), false), goal);
        for (number, range) in audience.pieces(PIECES).into_iter().enumerate() {
            scene.room.write(&format!("in/part-{number:05}.gz"), audience.piece(range));
        }
        scene.room.write("in/rejects.gz", lines_piece(&ODD_LINES));
        scene
    }

    /// From an export job to a snapshot and its reports.
    pub(super) fn run() -> Self {
        let audience = audience();
        let world = World::with_audience(audience.options().clone(), ENDPOINTS_PER_PIECE);
        let names: Vec<String> =
            (0..ENDPOINTS.div_ceil(ENDPOINTS_PER_PIECE)).map(|number| format!("{number:05}")).collect();
        let goal = Goal {
            id: Some(SNAPSHOT),
            due: DueRows::of(&audience, &names).by_rank(),
            rejects: BTreeSet::new(),
            before: None,
            is_by_rank: true,
        };
        let role = "arn:aws:iam::123456789012:role/r";
        let args =
            ["run", "--s3-url-prefix", &world.url("runs/"), "--role-arn", role, "--snapshot", SNAPSHOT];
        let args = args.map(str::to_owned).to_vec();
        Self::with_lake("run", Some(world), with_more(args), goal)
    }

    fn with_lake(name: &'static str, world: Option<World>, args: Vec<String>, goal: Goal) -> Self {
        let room = Room::new();
        let other =
            Population::new(PopulationOptions { seed: 7, endpoints: 60, ..PopulationOptions::default() });
        for (id, endpoints) in [(BASE, 0..60), (SNAPSHOT, 0..30)] {
            if id == BASE || goal.before.is_some() {
                room.write("before/part-00000.gz", other.piece(endpoints));
                room.pinlake(&["-q", "convert", "before", "--snapshot", id]).succeeds();
            }
        }
        std::fs::rename(room.path("lake"), room.path("template")).unwrap();
        copy(&room.path("template"), &room.path("lake"));
        let watch = Watch::new(&room);
        Self { name, room, world, args, threads: THREADS, aim: Aim::Snapshot(Box::new(goal), watch) }
    }

    /// The same on one thread, which does the same each time.
    pub(super) fn on_one_thread(mut self) -> Self {
        self.threads = "1";
        self
    }

    /// Puts the room back to what it was before the command.
    pub(super) fn fresh(&self) {
        for folder in ["lake", "dest"] {
            // One of them is never there.
            let _ = std::fs::remove_dir_all(self.room.path(folder));
        }
        if matches!(self.aim, Aim::Snapshot(..)) {
            copy(&self.room.path("template"), &self.room.path("lake"));
        }
    }

    /// The folder that the command writes to, in the room.
    pub(super) fn target(&self) -> &'static str {
        match self.aim {
            Aim::Snapshot(..) => "lake",
            Aim::Pieces(_) => "dest",
        }
    }

    /// The command.
    pub(super) fn command(&self) -> Pinlake {
        let args: Vec<&str> = self.args.iter().map(String::as_str).collect();
        self.in_world(self.room.pinlake(&args))
    }

    /// The command with another program in front of it.
    pub(super) fn command_behind(&self, program: &[&str]) -> Pinlake {
        let args: Vec<&str> = self.args.iter().map(String::as_str).collect();
        self.in_world(Pinlake::behind(&self.room.path("."), program, &args))
    }

    /// The command with another id for its snapshot.
    pub(super) fn command_as(&self, id: &str) -> Pinlake {
        self.command().args(&["--snapshot", id])
    }

    fn in_world(&self, command: Pinlake) -> Pinlake {
        let command = command.env("PINLAKE_THREADS", self.threads);
        match &self.world {
            Some(world) => command.in_world(world),
            None => command,
        }
    }

    /// Pieces that were asked of S3 so far, and how many there are; none without S3.
    pub(super) fn pieces_read(&self) -> Option<(u64, u64)> {
        let world = self.world.as_ref()?;
        let all = match &self.aim {
            Aim::Pieces(files) => files.len() as u64,
            Aim::Snapshot(goal, _) => PIECES + u64::from(!goal.rejects.is_empty()),
        };
        Some((world.requests("GetObject"), all))
    }

    /// What readers see now, and what is wrong with it.
    pub(super) fn look(&self) -> (Seen, Findings) {
        match &self.aim {
            Aim::Snapshot(goal, watch) => watch.look(&self.room, goal),
            Aim::Pieces(files) => self.look_at_pieces(files),
        }
    }

    /// What is wrong now that the command has ended by itself.
    pub(super) fn ended(&self, ran: &Ran) -> Findings {
        if ran.code == Some(0) {
            return self.finished();
        }
        let (_, mut findings) = self.look();
        findings.problem(format!("the same command does not succeed: {ran}"));
        findings
    }

    /// The same where the command may also say that the snapshot is there, since somebody had all of it done.
    pub(super) fn ended_or_exists(&self, ran: &Ran) -> Findings {
        if ran.code == Some(0) {
            return self.finished();
        }
        let (seen, mut findings) = self.look();
        if ran.code != Some(2) || !ran.stderr.contains("has a snapshot") {
            findings.problem(format!("the same command does not succeed: {ran}"));
        } else if seen != Seen::Done {
            findings.problem("it says that the snapshot is there, and it is not");
        }
        findings
    }

    /// What is wrong now that the command has ended with 0.
    pub(super) fn finished(&self) -> Findings {
        match &self.aim {
            Aim::Snapshot(goal, watch) => watch.finished(&self.room, goal),
            Aim::Pieces(files) => self.finished_pieces(files),
        }
    }

    /// What lies in the lake's table and is named by nobody, now that the command has ended by itself.
    pub(super) fn nothing_unnamed(&self) -> Findings {
        let mut findings = Findings::default();
        if matches!(self.aim, Aim::Snapshot(..)) {
            let live = self.room.lake().live_files();
            for path in self.room.lake().parquet_files().into_iter().filter(|path| !live.contains(path)) {
                findings.half_file(format!("{path} lies there, and the log does not name it"));
            }
        }
        findings
    }

    /// What is wrong where snapshots of these ids were to be made besides the one that was there.
    pub(super) fn holds(&self, ids: &[&str]) -> Findings {
        match &self.aim {
            Aim::Snapshot(goal, watch) => watch.holds(&self.room, goal, ids),
            Aim::Pieces(_) => Findings::default(),
        }
    }

    /// What is wrong with rows that a reader counted, by snapshot.
    pub(super) fn may_count(&self, rows: &BTreeMap<String, u64>) -> Findings {
        match &self.aim {
            Aim::Snapshot(goal, _) => goal.may_count(rows),
            Aim::Pieces(_) => Findings::default(),
        }
    }

    fn look_at_pieces(&self, files: &BTreeMap<String, Vec<u8>>) -> (Seen, Findings) {
        let mut findings = Findings::default();
        let mut whole = 0;
        for name in files_below(&self.room.path("dest")).into_keys() {
            if name == "fetch.json" || is_passing(&name) {
                continue;
            }
            let there = std::fs::read(self.room.path("dest").join(&name)).unwrap_or_default();
            match files.get(&name) {
                Some(due) if *due == there => whole += 1,
                Some(due) => {
                    findings.half_file(format!("{name} has {} bytes of {}", there.len(), due.len()));
                }
                None => findings.half_file(format!("{name} should not be there")),
            }
        }
        (if whole == files.len() { Seen::Done } else { Seen::Before }, findings)
    }

    fn finished_pieces(&self, files: &BTreeMap<String, Vec<u8>>) -> Findings {
        let (_, mut findings) = self.look_at_pieces(files);
        let there = files_below(&self.room.path("dest"));
        for name in files.keys().filter(|name| !there.contains_key(*name)) {
            findings.lost += 1;
            findings.problem(format!("{name} is lost"));
        }
        for name in there.keys().filter(|name| is_passing(name)) {
            findings.half_file(format!("{name} stays behind"));
        }
        let index: Value = serde_json::from_str(&self.room.read("dest/fetch.json")).unwrap_or_default();
        let told: BTreeMap<String, String> = index["pieces"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(_, entry)| (text(&entry["file"]), text(&entry["sha256"])))
            .collect();
        let due: BTreeMap<String, String> =
            files.iter().map(|(name, bytes)| (name.clone(), sha256(bytes))).collect();
        if told != due {
            findings.problem(format!("fetch.json tells {told:?}, not {due:?}"));
        }
        findings
    }
}

/// Whether a file is there only while somebody fetches, and after a kill.
fn is_passing(name: &str) -> bool {
    name == ".fetch.lock" || name.ends_with(".partial")
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn audience() -> Population {
    population(ENDPOINTS, 0.2)
}

/// A bucket with the audience, and a piece with lines that are no endpoints.
fn bucket(audience: &Population) -> World {
    let world = World::with_pieces(audience, PIECES);
    world.put("exports/rejects.gz", lines_piece(&ODD_LINES));
    world
}

fn goal(audience: &Population, folder: &str, id: Option<&'static str>, replace: bool) -> Goal {
    let names: Vec<String> = (0..PIECES).map(|number| format!("{folder}part-{number:05}.gz")).collect();
    let before =
        Population::new(PopulationOptions { seed: 7, endpoints: 30, ..PopulationOptions::default() });
    Goal {
        id,
        due: DueRows::of(audience, &names),
        rejects: [1, 3].map(|line| (format!("{folder}rejects.gz"), line)).into(),
        before: replace.then(|| DueRows::of(&before, &["part-00000.gz".to_owned()])),
        is_by_rank: false,
    }
}

fn convert_args(source: &str, id: Option<&str>, replace: bool) -> Vec<String> {
    let mut args = vec!["convert", source, "--max-rejects", "2"];
    args.extend(id.into_iter().flat_map(|id| ["--snapshot", id]));
    if replace {
        args.push("--replace");
    }
    with_more(args.into_iter().map(str::to_owned).collect())
}

fn with_more(mut args: Vec<String>) -> Vec<String> {
    let more = std::env::var(MORE_ARGUMENTS).unwrap_or_default();
    args.extend(more.split_whitespace().map(str::to_owned));
    args
}

/// Copies a folder with all that is in it.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, &target).unwrap();
        }
    }
}
