//! What was found, and the table that tells it.

use std::fmt;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::ops::AddAssign;
use std::path::Path;

use crate::harness::Ran;

/// Problems that are told in full; of more than these the number is enough.
const TOLD: usize = 20;

/// What is wrong with a lake or a folder of pieces.
#[derive(Debug, Default, Clone)]
pub(super) struct Findings {
    /// Rows or pieces that should be there and are not.
    pub(super) lost: u64,
    /// Rows or pieces that are there once too often, or are others than they should be.
    pub(super) twice: u64,
    /// Files that can be seen and are not whole, or that nothing names.
    pub(super) half: u64,
    /// All of it in words.
    pub(super) problems: Vec<String>,
}

impl Findings {
    /// A problem that is neither of the three.
    pub(super) fn problem(&mut self, problem: impl Into<String>) {
        self.problems.push(problem.into());
    }

    /// A file that is not whole.
    pub(super) fn half_file(&mut self, problem: impl Into<String>) {
        self.half += 1;
        self.problem(problem);
    }
}

impl AddAssign for Findings {
    fn add_assign(&mut self, other: Self) {
        self.lost += other.lost;
        self.twice += other.twice;
        self.half += other.half;
        self.problems.extend(other.problems);
    }
}

/// One line of the table.
#[derive(Debug, Default)]
pub(super) struct Tally {
    what: String,
    /// How often the program was cut off, or a call failed.
    pub(super) hits: u64,
    /// How often the command was given again.
    pub(super) reruns: u64,
    /// How often it then read less than everything again, as far as S3 can tell.
    pub(super) resumed: u64,
    /// How often a cut came when the work could be seen already.
    pub(super) behind_commit: u64,
    findings: Findings,
}

impl Tally {
    pub(super) fn of(what: impl Into<String>) -> Self {
        Self { what: what.into(), ..Self::default() }
    }

    /// Takes findings in; `place` says after what they were made.
    pub(super) fn take(&mut self, mut findings: Findings, place: &str) {
        for problem in &mut findings.problems {
            *problem = format!("{place}: {problem}");
            eprintln!("PROBLEM {}: {problem}", self.what);
        }
        self.findings += findings;
    }

    /// Prints its line, for those who watch a long run.
    pub(super) fn told(self) -> Self {
        println!("{self}");
        self
    }

    /// Takes in that a command panicked, if it did.
    pub(super) fn take_panic(&mut self, ran: &Ran, place: &str) {
        if ran.has_panicked() {
            let mut findings = Findings::default();
            findings.problem(format!("it panicked: {ran}"));
            self.take(findings, place);
        }
    }

    /// Whether to go on: of many problems the first few tell enough.
    pub(super) fn is_going_on(&self) -> bool {
        self.findings.problems.len() < TOLD
    }

    fn is_clean(&self) -> bool {
        self.findings.problems.is_empty()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, hits, reruns, resumed, behind_commit, findings } = self;
        let Findings { lost, twice, half, problems } = findings;
        write!(f, "| {what} | {hits} | {behind_commit} | {reruns} | {resumed} ")?;
        write!(f, "| {lost} | {twice} | {half} | {} |", problems.len())
    }
}

/// Names a file that gets the lines of all tables, under one head.
const WHOLE_TABLE: &str = "PINLAKE_CRASH_TABLE";
const HEAD: &str = "\
| what | cut off | after the commit | given again | read less then | lost | twice | half files | problems |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
";

/// Prints the table, and fails if anything was found.
pub(super) fn close(tallies: &[Tally]) {
    let lines: Vec<String> = tallies.iter().map(Tally::to_string).collect();
    let lines = lines.join("\n");
    println!("\n{HEAD}{lines}");
    if let Some(path) = std::env::var_os(WHOLE_TABLE) {
        let is_new = !Path::new(&path).exists();
        let mut file = OpenOptions::new().create(true).append(true).open(&path).unwrap();
        writeln!(file, "{}{lines}", if is_new { HEAD } else { "" }).unwrap();
    }
    let problems: Vec<&String> = tallies.iter().flat_map(|tally| &tally.findings.problems).collect();
    let told: Vec<&str> = problems.iter().take(TOLD).map(|problem| problem.as_str()).collect();
    assert!(tallies.iter().all(Tally::is_clean), "{} problems:\n{}", problems.len(), told.join("\n"));
    assert!(tallies.iter().all(|tally| tally.hits > 0), "something was never cut off");
}
