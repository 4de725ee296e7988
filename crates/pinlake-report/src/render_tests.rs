//! Renderings of small reports in every format.

use std::collections::BTreeMap;
use std::path::Path;

use arrow::array::RecordBatch;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::test_lake::{TestLake, chain, rendered};
use crate::{
    Bindings, Catalogue, Format, PageFacts, Reconciliation, RenderOptions, Report, Session, SessionOptions,
    Template, list_json, list_table, render, render_stream, run,
};

const ROWS: &str = r#"
{"id":"a","channel_type":"EMAIL","endpoint_status":"ACTIVE","opt_out":"NONE","address":"a@example.com","creation_date":"2026-01-05T10:00:00.5Z","user_id":"u1","attributes":{"Team":["Carp","=1+1"]},"metrics":{"orders":2.5}}
{"id":"b","channel_type":"EMAIL","endpoint_status":"ACTIVE","opt_out":"ALL","address":"b@example.com","user_id":"u|2"}
{"id":"c","channel_type":"EMAIL","endpoint_status":"ACTIVE","opt_out":"ALL","address":"c@example.com","city":"</script><script>alert(1)</script>"}
{"id":"d","channel_type":"SMS","endpoint_status":"ACTIVE","opt_out":"NONE","address":"+81","country":"JPN","attributes":{}}
{"id":"e"}
"#;

const MIXED: &str = "\
-- title: Mixed <types>
-- about: Every kind of value.
-- param: least integer = 1  The least
-- chart: bar x=id y=share
-- check: share < 0.5 error  A share is large
-- check: n >= $least warn
SELECT id, user_id, city, creation_date, attributes, metrics, line * 1234567 AS n,
       CAST(line AS DOUBLE) / 10 AS share, line > 2 AS late, CAST(creation_date AS DATE) AS day
FROM endpoints ORDER BY line
";

fn lake() -> TestLake {
    TestLake::empty().with_snapshot("s", &[ROWS])
}

async fn mixed() -> Report {
    let template = Template::parse("mixed", "mixed.sql", MIXED).expect("parses");
    let lake = lake();
    let report = run(&lake.session().await, &template, &BTreeMap::new()).await;
    report.unwrap_or_else(|error| panic!("{}", chain(&error)))
}

fn facts() -> PageFacts {
    PageFacts {
        title: "Audience of <Example & Sons>".to_owned(),
        lines: vec![("Source".into(), "s3://bucket/prefix/".into()), ("Snapshot".into(), "s".into())],
        reconciliation: vec![Reconciliation {
            check: "rows + rejects = TotalProcessed".into(),
            expected: "5".into(),
            actual: "5".into(),
            ok: true,
        }],
    }
}

#[tokio::test]
async fn one_report_in_every_text_format() {
    let report = [mixed().await];
    let options = RenderOptions { facts: facts(), ..RenderOptions::default() };
    for format in [Format::Table, Format::Csv, Format::Json, Format::Ndjson, Format::Markdown, Format::Html] {
        let text = rendered(&report, format, &options);
        assert_eq!(text, rendered(&report, format, &options), "the same rows give the same bytes");
        insta::assert_snapshot!(format!("mixed_{}", format.extension()), without_style(&text));
    }
}

/// A page without its stylesheet, which is a file by itself, and without the hash of that.
fn without_style(text: &str) -> String {
    let text = text.replace(include_str!("render/html/page.css"), "");
    match text.split_once("'sha256-").and_then(|(before, rest)| Some((before, rest.split_once('\'')?.1))) {
        Some((before, behind)) => format!("{before}'sha256-…'{behind}"),
        None => text,
    }
}

#[tokio::test]
async fn several_reports_in_one_output() {
    let lake = lake();
    let reports = [
        lake.report("audience-summary", &[]).await.expect("runs"),
        lake.report("targetable", &[]).await.expect("runs"),
    ];
    let options = RenderOptions { width: Some(72), ..RenderOptions::default() };
    for format in [Format::Table, Format::Json, Format::Ndjson, Format::Markdown] {
        insta::assert_snapshot!(
            format!("several_{}", format.extension()),
            rendered(&reports, format, &options)
        );
    }
    let html = rendered(&reports, Format::Html, &options);
    assert!(html.contains("<dt>Endpoints</dt><dd><span class=\"value\">5</span>"), "{html}");
    assert!(html.contains("<a href=\"#report-targetable\">Targetable endpoints by channel</a>"));
    for format in [Format::Csv, Format::Parquet] {
        let error = render(&reports, format, &options, &mut Vec::new()).unwrap_err().to_string();
        assert_eq!(error, format!("{format} holds one report; \"targetable\" needs a file of its own"));
    }
}

#[tokio::test]
async fn a_page_runs_nothing_that_is_in_the_data() {
    let html = rendered(&[mixed().await], Format::Html, &RenderOptions::default());
    assert!(!html.contains("<script") && !html.contains("</script"));
    assert!(html.contains("&lt;script&gt;alert(1)"));
    assert!(!html.contains(" style=") && !html.contains("http://") && !html.contains("https://"));
    let policy = "content=\"default-src 'none'; style-src 'sha256-";
    assert!(html.contains(policy));
}

#[tokio::test]
async fn the_front_tells_the_audience_at_a_glance() {
    let lake = lake();
    let mut reports = Vec::new();
    for name in ["audience-summary", "channel-mix", "targetable", "growth", "recency", "geography"] {
        reports.push(lake.report(name, &[]).await.expect("runs"));
    }
    let html =
        rendered(&reports, Format::Html, &RenderOptions { facts: facts(), ..RenderOptions::default() });
    let (front, _) = html.split_once("<div id=\"reports\"").expect("the reports follow");
    for told in [
        "<dd><span class=\"value\">2</span> <span class=\"share\">40.0%</span></dd>",
        "<h3><a href=\"#report-targetable\">Who can be reached</a></h3>",
        "EMAIL 3; SMS 1; (none) 1. By series: Can be reached 2; Cannot 3.",
        "<a href=\"#report-geography\">Where the audience is</a>",
        "<a href=\"#report-targetable\">Targetable endpoints by channel</a> <span class=\"word\">Warning:</span>",
        "✓ what was read and what is held agree",
        "<h3>The audience</h3>",
        "<li value=\"5\"><a href=\"#report-targetable\">",
    ] {
        assert!(front.contains(told), "{told}: {front}");
    }

    // Reports of a user may have the same names and other columns.
    let template = Template::parse("growth", "growth.sql", "SELECT id, line FROM endpoints").expect("parses");
    let own = run(&lake.session().await, &template, &BTreeMap::new()).await.expect("runs");
    let html = rendered(&[own], Format::Html, &RenderOptions::default());
    assert!(!html.contains("At a glance") && html.contains("<section class=\"report\" id=\"report-growth\""));
}

#[tokio::test]
async fn long_tables_are_opened_on_a_click() {
    let session = lake().session().await;
    let sql = "SELECT value FROM generate_series(1, 150)";
    let report = Report::untitled("query", session.query(sql, &Bindings::none()).await.expect("runs"));
    let html = rendered(&[report], Format::Html, &RenderOptions::default());
    let (shown, further) = html.split_once("<summary>135 further rows</summary>").expect("a line to open");
    assert_eq!((shown.matches("<tr><td").count(), further.matches("<tr><td").count()), (15, 135));

    let sql = "SELECT repeat('long ', 1000) AS value";
    let report = Report::untitled("query", session.query(sql, &Bindings::none()).await.expect("runs"));
    let html = rendered(&[report], Format::Html, &RenderOptions::default());
    assert!(html.contains(&format!("<td>{}…</td>", "long ".repeat(80))), "{html}");
    assert!(html.contains("Long values are cut; other formats have them whole."));
}

#[tokio::test]
async fn parquet_holds_the_types() {
    let report = mixed().await;
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    let mut out = file.reopen().expect("the file opens");
    render(std::slice::from_ref(&report), Format::Parquet, &RenderOptions::default(), &mut out)
        .expect("renders");
    let reader = ParquetRecordBatchReaderBuilder::try_new(file.reopen().expect("opens")).expect("is Parquet");
    let types: Vec<String> = reader
        .schema()
        .fields()
        .iter()
        .map(|field| format!("{}: {}", field.name(), field.data_type()))
        .collect();
    insta::assert_snapshot!(types.join("\n"));
    let batches: Vec<RecordBatch> =
        reader.build().expect("reads").map(|batch| batch.expect("reads")).collect();
    assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), 5);
}

#[tokio::test]
async fn streams_render_as_collected_results_do() {
    let lake = lake();
    let session = lake.session().await;
    let sql = "SELECT id, attributes, line FROM endpoints ORDER BY id";
    let collected = [Report::untitled("query", session.query(sql, &Bindings::none()).await.expect("runs"))];
    let options = RenderOptions { csv_safe: true, ..RenderOptions::default() };
    for format in [Format::Table, Format::Csv, Format::Json, Format::Ndjson, Format::Markdown] {
        let mut out = Vec::new();
        let stream = session.stream(sql, &Bindings::none()).await.expect("starts");
        let rows = render_stream(stream, format, &options, &mut out).await.expect("renders");
        assert_eq!(rows, 5);
        assert_eq!(String::from_utf8_lossy(&out), rendered(&collected, format, &options), "{format}");
    }
}

#[tokio::test]
async fn long_results_are_cut_on_pages_only() {
    let lake = lake();
    let session = lake.session().await;
    let sql = "SELECT value FROM generate_series(1, 1500)";
    let report = [Report::untitled("query", session.query(sql, &Bindings::none()).await.expect("runs"))];
    let options = RenderOptions { max_rows: Some(2), page_rows: Some(3), ..RenderOptions::default() };
    assert_eq!(rendered(&report, Format::Table, &options), "value\n─────\n    1\n    2\n… 1,498 more rows\n");
    assert!(rendered(&report, Format::Markdown, &options).ends_with("\nThe first 3 of 1,500 rows.\n"));
    assert!(
        rendered(&report, Format::Html, &options)
            .contains("<p class=\"note\">The first 3 of 1,500 rows.</p>")
    );
    assert_eq!(rendered(&report, Format::Csv, &options).lines().count(), 1501);
    let mut out = Vec::new();
    let stream = session.stream(sql, &Bindings::none()).await.expect("starts");
    assert_eq!(render_stream(stream, Format::Table, &options, &mut out).await.expect("renders"), 1500);
    assert!(String::from_utf8_lossy(&out).ends_with("… 1,498 more rows\n"));
}

#[tokio::test]
async fn large_results_wait_on_the_disk_and_read_the_same_in_every_format() {
    let lines: Vec<String> = (0..12_000)
        .map(|id| format!("{{\"id\":\"endpoint-{id}\",\"attributes\":{{\"n\":[\"{id}\"]}}}}"))
        .collect();
    let mut lake = TestLake::empty().with_snapshot("s", &[&lines.join("\n")]);
    let sql = "SELECT id, attributes, line FROM endpoints ORDER BY line";
    let large = Template::parse("large", "large.sql", sql).expect("parses");
    let small = Template::parse("small", "small.sql", "SELECT 1 AS n").expect("parses");
    let spill = tempfile::tempdir().expect("a temporary folder");
    let options = SessionOptions {
        memory_limit_bytes: Some(24_000_000),
        spill_dir: Some(spill.path().to_owned()),
        ..SessionOptions::default()
    };
    let bounded = Session::open(lake.tables_mut().clone(), options).await.expect("the session opens");
    let unbounded = lake.session().await;
    let nothing = BTreeMap::new();
    let (mut aside, mut held) = (Vec::new(), Vec::new());
    for template in [&large, &small] {
        aside.push(run(&bounded, template, &nothing).await.expect("runs"));
        held.push(run(&unbounded, template, &nothing).await.expect("runs"));
    }
    assert!(aside[0].result.batches.is_empty() && !held[0].result.batches.is_empty());
    assert_eq!((aside[0].result.rows(), aside[1].result.batches.len()), (12_000, 1));
    let options = RenderOptions::default();
    let of = |reports: &[Report], format| {
        let mut out = Vec::new();
        render(reports, format, &options, &mut out).unwrap_or_else(|error| panic!("{}", chain(&error)));
        out
    };
    for format in Format::names().map(|name| name.parse().expect("a format")) {
        assert!(of(&aside[..1], format) == of(&held[..1], format), "{format}");
        if format.holds_several() {
            assert!(of(&aside, format) == of(&held, format), "several as {format}");
        }
    }
    let files = || {
        std::fs::read_dir(spill.path())
            .expect("the folder")
            .flatten()
            .flat_map(|entry| std::fs::read_dir(entry.path()))
            .flatten()
            .count()
    };
    assert_eq!(files(), 1);
    drop(aside);
    assert_eq!(files(), 0);
}

#[tokio::test]
async fn results_without_rows_are_whole() {
    let session = TestLake::empty().session().await;
    let result = session.query("SELECT id, line FROM endpoints", &Bindings::none()).await.expect("runs");
    let report = [Report::untitled("query", result)];
    let text = |format| rendered(&report, format, &RenderOptions::default());
    assert_eq!(text(Format::Csv), "id,line\r\n");
    assert_eq!(text(Format::Json), "[\n]\n");
    assert_eq!(text(Format::Ndjson), "");
    assert_eq!(text(Format::Table), "no rows\n");
    assert_eq!(text(Format::Markdown), "| id | line |\n| --- | ---: |\n");
    assert!(text(Format::Html).contains("<p class=\"empty\">No rows.</p>"));
}

#[test]
fn the_catalogue_is_listed() {
    let catalogue = Catalogue::builtin().expect("the built-in headers parse");
    let mut json = Vec::new();
    list_json(&catalogue, &mut json).expect("writes");
    insta::assert_snapshot!("list_json", String::from_utf8_lossy(&json));
    let mut table = Vec::new();
    list_table(&catalogue, &RenderOptions::default(), &mut table).expect("writes");
    insta::assert_snapshot!("list_table", String::from_utf8_lossy(&table));
}

#[tokio::test]
async fn a_report_is_described() {
    let catalogue = Catalogue::builtin().expect("the built-in headers parse");
    let template = catalogue.get("growth").expect("is there");
    let mut out = Vec::new();
    let lake = lake();
    let session = lake.session().await;
    crate::describe(&session, template, &RenderOptions::default(), &mut out).await.expect("describes");
    insta::assert_snapshot!(String::from_utf8_lossy(&out));
}

#[tokio::test]
async fn charts_and_checks_must_fit_the_columns() {
    let lake = lake();
    let session = lake.session().await;
    let mut told = Vec::new();
    for header in [
        "-- chart: bar x=id y=size",
        "-- chart: bar x=line y=id",
        "-- check: size > 1 warn",
        "-- check: line warn",
        "-- check: CAST(address AS BIGINT) > 1 warn",
    ] {
        let sql = format!(
            "-- title: t\n{header}\nSELECT id, line, address FROM endpoints WHERE address LIKE '%@%'"
        );
        let template = Template::parse("t", "t.sql", &sql).expect("parses");
        let error = run(&session, &template, &BTreeMap::new()).await.map(|report| report.name);
        told.push(match error {
            Ok(name) => name,
            Err(error) => chain(&error),
        });
    }
    assert!(!told[4].contains("example.com"));
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn formats_have_names_and_endings() {
    assert_eq!("markdown".parse::<Format>().expect("is one"), Format::Markdown);
    assert!("xls".parse::<Format>().is_err());
    let of = |path: &str| Format::of_path(Path::new(path));
    assert_eq!(of("a/report.HTML"), Some(Format::Html));
    assert_eq!(of("rows.md"), Some(Format::Markdown));
    assert_eq!(of("rows"), None);
}
