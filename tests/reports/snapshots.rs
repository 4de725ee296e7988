//! Every report in every format, to look at: its first rows from a small audience, one file a report.
//!
//! The reports are rendered here rather than by the program, for a pipe has no width. What charts look like is held elsewhere.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use pinlake_report::{Catalogue, Format, RenderOptions, Report, Session, SessionOptions, render, run};

use super::contract::given;
use super::convert;
use crate::harness::{Room, parquet_rows, population};

/// Enough rows to see each kind of value, little enough to be read.
const ROWS: usize = 12;

/// What the terminal has.
const WIDTH: usize = 100;

/// Two snapshots, the later of which is larger and has odd records where the earlier had usual ones.
fn small_lake() -> Room {
    let room = Room::new();
    convert(&room, "first", &population(250, 0.0));
    convert(&room, "second", &population(300, 0.1));
    room
}

/// A report as if it had only its first rows. Its checks are those of all rows.
fn beginning(report: Report) -> Report {
    let all = report.result.rows();
    let mut left = ROWS;
    let mut batches: Vec<RecordBatch> = Vec::new();
    for batch in &report.result.batches {
        let kept = batch.num_rows().min(left);
        left -= kept;
        batches.extend((kept > 0).then(|| batch.slice(0, kept)));
    }
    let further_rows = all - (ROWS - left);
    Report {
        further_rows,
        result: pinlake_report::QueryResult::new(report.result.schema, batches, report.result.elapsed),
        ..report
    }
}

/// The section of the one report in a page. Drawings are left out but for where they stand.
fn section(page: &str) -> String {
    let (_, section) = page.split_once("<main").unwrap();
    let (section, _) = section.split_once("</main>").unwrap();
    let mut text = String::new();
    let mut rest = section.split_once('>').unwrap().1.trim();
    while let Some((before, drawing)) = rest.split_once("<svg") {
        text.push_str(before);
        text.push_str("<svg/>");
        rest = drawing.split_once("</svg>").unwrap().1;
    }
    text + rest
}

/// The types of a Parquet file's columns, and its rows.
fn parquet_as_text(room: &Room, bytes: &[u8]) -> String {
    let path = room.write("report.parquet", bytes);
    let file = std::fs::File::open(&path).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    let fields = reader.schema().fields().iter();
    let mut lines: Vec<String> =
        fields.map(|field| format!("{}: {}", field.name(), field.data_type())).collect();
    lines.extend(parquet_rows(&path).iter().map(ToString::to_string));
    lines.join("\n")
}

fn in_every_format(room: &Room, report: &Report) -> String {
    let options = RenderOptions { width: Some(WIDTH), ..RenderOptions::default() };
    let mut parts = Vec::new();
    for format in [
        Format::Table,
        Format::Csv,
        Format::Json,
        Format::Ndjson,
        Format::Markdown,
        Format::Html,
        Format::Parquet,
    ] {
        let mut bytes = Vec::new();
        render(std::slice::from_ref(report), format, &options, &mut bytes).unwrap();
        let shown = match format {
            Format::Parquet => parquet_as_text(room, &bytes),
            Format::Html => section(&String::from_utf8(bytes).unwrap()),
            _ => String::from_utf8(bytes).unwrap().replace("\r\n", "\n"),
        };
        parts.push(format!("======== {format}\n{}", shown.trim_end()));
    }
    parts.join("\n")
}

#[test]
fn every_report_in_every_format_looks_as_it_did() {
    let room = small_lake();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let options = SessionOptions { threads: 2, ..SessionOptions::default() };
    let session = runtime.block_on(Session::open(room.lake().tables("second"), options)).unwrap();
    let catalogue = Catalogue::builtin().unwrap();
    for template in catalogue.list() {
        let given: BTreeMap<String, String> = given(&template.name)
            .iter()
            .filter_map(|assignment| assignment.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let report = runtime.block_on(run(&session, template, &given)).unwrap();
        insta::assert_snapshot!(&*template.name, in_every_format(&room, &beginning(report)));
    }
}
