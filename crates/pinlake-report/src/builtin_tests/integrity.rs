//! Whether a snapshot holds what its run read: the table against the run's notes and the log.

use serde_json::json;

use super::{lake, lake_of};
use crate::test_lake::TestLake;
use crate::{CountFact, LakeTables, PieceFact, RunFacts};

const HEADER: &str = "check,expected,actual,ok,level\n";

fn piece(number: usize, lines: u64, rows: u64) -> PieceFact {
    PieceFact {
        piece: format!("piece-{number}.gz"),
        size: 100,
        etag: None,
        sha256: String::new(),
        lines,
        rows,
        rejects: lines.saturating_sub(rows),
        blank: 0,
    }
}

fn reconciled(ok: bool) -> CountFact {
    CountFact { check: "all = whole".into(), expected: 1, actual: u64::from(ok), ok }
}

/// The eight usual endpoints, with the notes that a run would have made of them.
fn noted() -> TestLake {
    let mut lake = lake();
    let pieces = vec![piece(0, 5, 4), piece(1, 4, 4)];
    lake.tables_mut().run = RunFacts { pieces, reconciliation: vec![reconciled(true)] };
    lake
}

#[tokio::test]
async fn integrity() {
    let expected = "all = whole,1,1,true,error\n\
                    rows in the table = rows in its log,8,8,true,error\n\
                    rows in the table = rows of the pieces,8,8,true,error\n\
                    pieces with all of their rows in the table,2,2,true,error\n\
                    pieces in the table that the manifest lists,2,2,true,error\n\
                    pieces whose line numbers are lines of theirs,2,2,true,error\n\
                    rows from a line that gave one before,0,0,true,error\n\
                    ids in more than one piece,0,0,true,warn\n\
                    ids more than once in one piece,0,1,false,warn\n\
                    rows without an id,0,1,false,warn\n";
    assert_eq!(noted().csv("integrity", &[]).await, format!("{HEADER}{expected}"));
}

/// The rows of checks of level `error` that do not hold, without what all of them have.
async fn failures(lake: &TestLake) -> Vec<String> {
    let csv = lake.csv("integrity", &[]).await;
    csv.lines().filter_map(|line| line.strip_suffix(",false,error")).map(str::to_owned).collect()
}

type Fault = fn(&mut LakeTables);

#[tokio::test]
async fn each_way_in_which_rows_do_not_add_up_is_told() {
    let faults: [(&str, Fault, &[&str]); 9] = [
        (
            "a row of a piece is missing",
            |tables| tables.run.pieces[1] = piece(1, 5, 5),
            &["rows in the table = rows of the pieces,9,8", "pieces with all of their rows in the table,2,1"],
        ),
        (
            "rows are under the wrong piece, and there are as many as there should be",
            |tables| tables.run.pieces = vec![piece(0, 5, 5), piece(1, 4, 3)],
            &["pieces with all of their rows in the table,2,0"],
        ),
        (
            "rows are of a piece that was not read",
            |tables| tables.run.pieces.truncate(1),
            &[
                "rows in the table = rows of the pieces,4,8",
                "pieces in the table that the manifest lists,2,1",
                "pieces whose line numbers are lines of theirs,2,1",
            ],
        ),
        (
            "a piece is missing",
            |tables| tables.run.pieces.push(piece(2, 3, 3)),
            &[
                "rows in the table = rows of the pieces,11,8",
                "pieces with all of their rows in the table,3,2",
            ],
        ),
        (
            "a piece without rows is none that is missing",
            |tables| tables.run.pieces.push(piece(2, 3, 0)),
            &[],
        ),
        (
            "a line number is beyond the piece",
            |tables| tables.run.pieces[1].lines = 3,
            &["pieces whose line numbers are lines of theirs,2,1"],
        ),
        (
            "the log counts more rows",
            |tables| tables.snapshots[1].rows = 9,
            &["rows in the table = rows in its log,9,8"],
        ),
        (
            "a file is there twice",
            |tables| {
                let again = tables.files.last().cloned();
                tables.files.extend(again);
            },
            &[
                "rows in the table = rows in its log,8,12",
                "rows in the table = rows of the pieces,8,12",
                "pieces with all of their rows in the table,2,1",
                "rows from a line that gave one before,0,4",
            ],
        ),
        (
            "the run itself found a difference",
            |tables| tables.run.reconciliation.push(reconciled(false)),
            &["all = whole,1,0"],
        ),
    ];
    for (fault, make, expected) in faults {
        let mut lake = noted();
        make(lake.tables_mut());
        assert_eq!(failures(&lake).await, expected, "{fault}");
    }
}

#[tokio::test]
async fn repeated_ids_are_counted_once_each_and_missing_ones_are_no_repetition() {
    let mut lake = TestLake::empty().with_snapshot(
        "s",
        &[
            "{\"id\":\"a\"}\n{\"id\":\"a\"}\n{\"id\":\"a\"}\n{\"id\":\"b\"}\n{}",
            "{\"id\":\"a\"}\n{\"id\":\"b\"}\n{\"id\":\"c\"}\n{}\n{}",
        ],
    );
    lake.tables_mut().run.pieces = vec![piece(0, 5, 5), piece(1, 5, 5)];
    let csv = lake.csv("integrity", &[]).await;
    let expected = "ids in more than one piece,0,2,false,warn\n\
                    ids more than once in one piece,0,1,false,warn\n\
                    rows without an id,0,3,false,warn\n";
    assert!(csv.ends_with(expected), "{csv}");
    assert_eq!(failures(&lake).await, Vec::<String>::new());
}

#[tokio::test]
async fn without_the_notes_of_a_run_nothing_is_vouched_for() {
    assert_eq!(
        failures(&lake_of([json!({ "id": "a" })])).await,
        [
            "rows in the table = rows of the pieces,0,1",
            "pieces in the table that the manifest lists,1,0",
            "pieces whose line numbers are lines of theirs,1,0",
        ]
    );
}
