//! What changed between two small snapshots, in every format.

use std::io::Cursor;

use calamine::{Reader as _, Xlsx, open_workbook_from_rs};
use serde_json::{Value, json};

use super::*;
use crate::test_lake::TestLake;

const BEFORE: &str = r#"
{"id":"gone","channel_type":"SMS","address":"+4912345"}
{"id":"same","channel_type":"EMAIL","attributes":{"Team":["Carp"],"Plan":["a","b"]},"metrics":{"n":1.0}}
{"id":"moved","city":"Toyama","effective_date":"2026-01-01T00:00:00Z","attributes":{"Team":["Carp"],"Old":["x"]},"metrics":{"n":1.0}}
{"id":"twice","address":"first"}
{"id":"twice","address":"second"}
{"channel_type":"APNS"}
"#;

const AFTER: &str = r#"
{"id":"moved","city":null,"effective_date":"2026-02-01T00:00:00Z","attributes":{"Team":["Carp","Angels"],"New":[]},"metrics":{"n":1.0}}
{"id":"same","channel_type":"EMAIL","attributes":{"Plan":["a","b"],"Team":["Carp"]},"metrics":{"n":1.0}}
{"id":"twice","address":"first"}
{"id":"new","channel_type":"EMAIL","user_id":"u \"1\"\n"}
{"channel_type":"APNS"}
"#;

fn lake() -> TestLake {
    TestLake::empty().with_snapshot("older", &[BEFORE]).with_snapshot("newer", &[AFTER])
}

async fn changes(request: &DiffRequest) -> (Vec<Value>, DiffTotals) {
    let (text, totals) = written(request, Format::Ndjson).await;
    (text.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect(), totals)
}

async fn written(request: &DiffRequest, format: Format) -> (String, DiffTotals) {
    let lake = lake();
    let session = lake.session().await;
    let mut out = Vec::new();
    let totals = diff(&session, request, format, &RenderOptions::default(), &mut out).await;
    let totals = totals.expect("the snapshots are compared");
    (String::from_utf8(out).expect("the output is text"), totals)
}

fn request(from: &str, to: &str) -> DiffRequest {
    DiffRequest { from: from.to_owned(), to: to.to_owned(), ignored: Vec::new() }
}

#[tokio::test]
async fn every_endpoint_is_added_removed_changed_or_equal() {
    let (changes, totals) = changes(&request("older", "newer")).await;
    assert_eq!(totals, DiffTotals { added: 1, removed: 2, changed: 1, unchanged: 3 });
    let told: Vec<Value> =
        changes.iter().map(|one| json!([one["change"], one["id"], one["fields"]])).collect();
    assert_eq!(
        json!(told),
        json!([
            ["removed", "gone", []],
            [
                "changed",
                "moved",
                ["effective_date", "city", "attributes.New", "attributes.Old", "attributes.Team"]
            ],
            ["added", "new", []],
            ["removed", "twice", []],
        ])
    );
    let moved = &changes[1];
    assert_eq!((&moved["before"]["city"], &moved["after"]["city"]), (&json!("Toyama"), &Value::Null));
    assert_eq!(moved["after"]["attributes"], json!({"Team": ["Carp", "Angels"], "New": []}));
    assert_eq!(moved["before"]["effective_date"], "2026-01-01T00:00:00Z");
    assert_eq!((&changes[0]["after"], &changes[2]["before"]), (&Value::Null, &Value::Null));
    assert_eq!(changes[2]["after"]["user_id"], "u \"1\"\n");
    // Of two equal ids the first is held against the first.
    assert_eq!(changes[3]["before"]["address"], "second");
}

#[tokio::test]
async fn a_snapshot_does_not_differ_from_itself_and_ignored_columns_do_not_count() {
    let (changes_to_itself, totals) = changes(&request("older", "older")).await;
    assert!(changes_to_itself.is_empty());
    assert_eq!(totals, DiffTotals { unchanged: 6, ..DiffTotals::default() });
    let ignored = ["city", "effective_date", "attributes"].map(str::to_owned).to_vec();
    let (_, totals) = changes(&DiffRequest { ignored, ..request("older", "newer") }).await;
    assert_eq!(totals, DiffTotals { added: 1, removed: 2, changed: 0, unchanged: 4 });
}

#[tokio::test]
async fn both_directions_mirror_each_other() {
    let (there, _) = changes(&request("older", "newer")).await;
    let (back, totals) = changes(&request("newer", "older")).await;
    assert_eq!(totals, DiffTotals { added: 2, removed: 1, changed: 1, unchanged: 3 });
    for (there, back) in there.iter().zip(&back) {
        assert_eq!((&there["id"], &there["fields"]), (&back["id"], &back["fields"]));
        assert_eq!((&there["before"], &there["after"]), (&back["after"], &back["before"]));
    }
}

#[tokio::test]
async fn other_formats_tell_the_same() {
    let (json, _) = written(&request("older", "newer"), Format::Json).await;
    let rows: Vec<Value> = serde_json::from_str(&json).expect("an array");
    assert_eq!(rows, changes(&request("older", "newer")).await.0);
    let (empty, _) = written(&request("older", "older"), Format::Json).await;
    assert_eq!(serde_json::from_str::<Value>(&empty).expect("an array"), json!([]));
    let (csv, _) = written(&request("older", "newer"), Format::Csv).await;
    assert!(
        csv.starts_with("change,id,fields,before,after\r\nremoved,gone,[],\"{\"\"id\"\":\"\"gone\"\""),
        "{csv}"
    );
    // XLSX is never cut, as pages are.
    let lake = lake();
    let session = lake.session().await;
    let options = RenderOptions { page_rows: Some(1), max_rows: Some(1), ..RenderOptions::default() };
    let mut workbook = Vec::new();
    let totals = diff(&session, &request("older", "newer"), Format::Xlsx, &options, &mut workbook).await;
    assert_eq!(totals.expect("the snapshots are compared").changed, 1);
    let mut workbook: Xlsx<_> = open_workbook_from_rs(Cursor::new(workbook)).expect("a workbook");
    let sheets: Vec<_> = workbook.worksheets().into_iter().map(|(_, range)| range).collect();
    let holds = |text: &str| {
        sheets.iter().any(|sheet| sheet.used_cells().any(|(_, _, cell)| cell.to_string().contains(text)))
    };
    assert!(["gone", "moved", "new", "twice", "\"city\":\"Toyama\""].into_iter().all(holds));
    let (table, _) = written(&request("older", "newer"), Format::Table).await;
    assert!(
        table.contains("changed") && table.contains("attributes.Team") && !table.contains("Toyama"),
        "{table}"
    );
}

#[tokio::test]
async fn what_does_not_exist_is_named_with_what_does() {
    let lake = lake();
    let session = lake.session().await;
    let run = async |request: DiffRequest| {
        let mut out = Vec::new();
        let result = diff(&session, &request, Format::Ndjson, &RenderOptions::default(), &mut out).await;
        let error = result.expect_err("it does not exist");
        (error.kind(), error.to_string())
    };
    assert_eq!(
        run(request("older", "newest")).await,
        (ErrorKind::Usage, "there is no snapshot \"newest\"; the lake has older, newer".to_owned())
    );
    let (kind, text) =
        run(DiffRequest { ignored: vec!["line".to_owned()], ..request("older", "newer") }).await;
    assert_eq!(kind, ErrorKind::Usage);
    assert!(
        text.starts_with("no change of \"line\" could be ignored; the columns that count are id,"),
        "{text}"
    );
}
