//! Pieces of CSV, read through the crate's public face: against the same endpoints as JSON lines, against the csv crate, and in
//! blocks and chunks of every size.

use std::collections::BTreeMap;

use arrow::array::{Array as _, AsArray, RecordBatch};
use arrow::compute::concat_batches;
use arrow::datatypes::Int64Type;
use arrow::util::display::array_value_to_string;
use bytes::Bytes;
use pinlake_decode::reject::Reason;
use pinlake_decode::unpack::BufferPool;
use pinlake_decode::{
    BlockDecoder, DecodeOptions, Reject, UnpackError, UnpackLimits, Unpacker, endpoint_schema,
};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// What a piece became.
#[derive(Debug, PartialEq)]
struct Outcome {
    /// As printed.
    rows: Vec<String>,
    /// The line of each row.
    row_lines: Vec<i64>,
    rejects: Vec<Reject>,
    lines: u64,
    blank: u64,
    drift: BTreeMap<String, u64>,
}

/// How a piece is handed over.
#[derive(Clone, Copy, Debug)]
struct Way {
    chunk_bytes: usize,
    block_bytes: usize,
    max_line_bytes: usize,
    slow_path_only: bool,
}

const WHOLE: Way =
    Way { chunk_bytes: 0, block_bytes: 1 << 20, max_line_bytes: 1 << 20, slow_path_only: false };

fn read(name: &str, piece: &[u8], way: Way) -> Result<Outcome, UnpackError> {
    let Way { chunk_bytes, block_bytes, max_line_bytes, slow_path_only } = way;
    let limits = UnpackLimits { block_bytes, max_line_bytes, ..UnpackLimits::default() };
    let mut blocks = Vec::new();
    let mut sink = |block| blocks.push(block);
    let mut unpacker = Unpacker::for_piece(name, limits, &BufferPool::new(1 << 20));
    if chunk_bytes == 0 {
        unpacker.feed_whole(&Bytes::copy_from_slice(piece), &mut sink)?;
    } else {
        for chunk in piece.chunks(chunk_bytes) {
            unpacker.feed(chunk, &mut sink)?;
        }
    }
    let totals = unpacker.finish(&mut sink)?;
    let options = DecodeOptions { max_line_bytes, slow_path_only, ..DecodeOptions::default() };
    let mut decoder = BlockDecoder::new(options);
    let (mut batches, mut rejects, mut lines, mut blank) = (Vec::new(), Vec::new(), 0, 0);
    let mut drift = BTreeMap::new();
    for (index, found) in (0..).zip(&blocks) {
        assert_eq!(found.index, index);
        let block = decoder.decode("piece", 0, found).expect("columns that make a batch");
        assert_eq!(block.lines, block.rows() + block.rejects.len() as u64 + block.blank);
        (lines, blank) = (lines + block.lines, blank + block.blank);
        batches.extend(block.batch);
        rejects.extend(block.rejects);
        for (member, kind, entry) in block.drift.entries() {
            *drift.entry(format!("{member} {kind:?}")).or_default() += entry.count;
        }
    }
    assert_eq!((totals.lines, totals.blocks), (lines, blocks.len() as u64));
    let batch = concat_batches(&endpoint_schema(), &batches).expect("batches of one schema");
    let row_lines = batch["line"].as_primitive::<Int64Type>().values().to_vec();
    Ok(Outcome { rows: printed(&batch), row_lines, rejects, lines, blank, drift })
}

/// The columns of each row that are not null, without where it was read.
fn printed(batch: &RecordBatch) -> Vec<String> {
    let schema = batch.schema();
    let columns = schema.fields().iter().zip(batch.columns()).filter(|(field, _)| field.is_nullable());
    let columns: Vec<_> = columns.collect();
    let row = |row| {
        let filled = columns.iter().filter(|(_, column)| column.is_valid(row));
        let printed = filled.map(|(field, column)| {
            format!("{}={}", field.name(), array_value_to_string(column, row).expect("a column that prints"))
        });
        printed.collect::<Vec<_>>().join(" ")
    };
    (0..batch.num_rows()).map(row).collect()
}

fn csv(piece: &str) -> Outcome {
    read("a.csv", piece.as_bytes(), WHOLE).expect("a sound header")
}

/// The columns that tables are made of, in the order of their names, which is that of `serde_json`'s objects.
const COLUMNS: [&str; 18] = [
    "Address",
    "Attributes.a",
    "Attributes.a",
    "Attributes.b.c",
    "ChannelType",
    "Custom.X",
    "Demographic.Make",
    "EffectiveDate",
    "Id",
    "Location.Country",
    "Location.Latitude",
    "Metrics.m",
    "User.UserAttributes.f",
    "User.UserAttributes.f",
    "User.UserAttributes.f",
    "User.UserId",
    "User.UserStatus",
    "Zip",
];

/// The line of JSON that an export would have had, made without the crate.
fn json_line(columns: &[&str], cells: &[String]) -> String {
    let mut endpoint = Map::new();
    for (column, cell) in columns.iter().zip(cells).filter(|(_, cell)| !cell.is_empty()) {
        let text = Value::from(cell.as_str());
        let number = || match serde_json::from_str::<serde_json::Number>(cell) {
            Ok(number) if cell.trim() == cell => Value::Number(number),
            _ => text.clone(),
        };
        let mut add = |objects: &[&str], name: &str, value: Value, is_list: bool| {
            let parent = objects.iter().fold(&mut endpoint, |parent, object| {
                parent.entry(*object).or_insert_with(|| json!({})).as_object_mut().expect("an object")
            });
            if is_list {
                let list = parent.entry(name).or_insert_with(|| json!([]));
                list.as_array_mut().expect("a list").push(value);
            } else {
                parent.insert(name.to_owned(), value);
            }
        };
        match *column {
            "Attributes.a" => add(&["Attributes"], "a", text, true),
            "Attributes.b.c" => add(&["Attributes"], "b.c", text, true),
            "User.UserAttributes.f" => add(&["User", "UserAttributes"], "f", text, true),
            "Metrics.m" => add(&["Metrics"], "m", number(), false),
            "Location.Latitude" => add(&["Location"], "Latitude", number(), false),
            column => match column.split_once('.') {
                Some((object, name)) => add(&[object], name, text, false),
                None => add(&[], column, text, false),
            },
        }
    }
    Value::Object(endpoint).to_string()
}

fn cell() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => Just(String::new()),
        4 => "[a-zA-Z0-9@.+ -]{1,12}",
        2 => "-?[1-9][0-9]{0,3}(\\.[0-9]{1,3})?",
        1 => Just("2026-10-29T12:00:00.000Z".to_owned()),
        2 => "[a-z,;\"'\\\\\n\r\t é\u{1f600}\u{1}-]{1,8}",
    ]
}

fn table() -> impl Strategy<Value = (Vec<&'static str>, Vec<Vec<String>>)> {
    proptest::sample::subsequence(COLUMNS.to_vec(), 1..=COLUMNS.len()).prop_flat_map(|mut columns| {
        if !columns.iter().any(|column| !matches!(*column, "Zip" | "Custom.X" | "User.UserStatus")) {
            columns.insert(0, "Address");
        }
        let rows = proptest::collection::vec(proptest::collection::vec(cell(), columns.len()), 0..12);
        (Just(columns), rows)
    })
}

/// A table as the csv crate writes it.
fn written(columns: &[&str], rows: &[Vec<String>], quotes: ::csv::QuoteStyle, is_crlf: bool) -> Vec<u8> {
    let terminator = if is_crlf { ::csv::Terminator::CRLF } else { ::csv::Terminator::Any(b'\n') };
    let mut writer =
        ::csv::WriterBuilder::new().quote_style(quotes).terminator(terminator).from_writer(Vec::new());
    writer.write_record(columns).expect("memory");
    for row in rows {
        writer.write_record(row).expect("memory");
    }
    writer.into_inner().expect("memory")
}

fn way() -> impl Strategy<Value = Way> {
    (0usize..40, 1usize..200, any::<bool>()).prop_map(|(chunk_bytes, block_bytes, slow_path_only)| Way {
        chunk_bytes,
        block_bytes,
        slow_path_only,
        ..WHOLE
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_table_means_what_its_endpoints_mean_as_json(
        (columns, rows) in table(),
        is_all_quoted in any::<bool>(),
        is_crlf in any::<bool>(),
        way in way(),
    ) {
        let quotes = if is_all_quoted { ::csv::QuoteStyle::Always } else { ::csv::QuoteStyle::Necessary };
        let piece = written(&columns, &rows, quotes, is_crlf);
        // A row of one cell that is white space without quotes is a blank line.
        let is_blank = |row: &Vec<String>| {
            !is_all_quoted && row.len() == 1 && !row[0].contains(['\n', '\r', '"']) && !row[0].is_empty() && row[0].trim_matches([' ', '\t']).is_empty()
        };
        let lines: Vec<String> =
            rows.iter().filter(|row| !is_blank(row)).map(|row| json_line(&columns, row)).collect();
        let expected = read("a.json", lines.join("\n").as_bytes(), WHOLE).expect("plain lines");
        let actual = read("a.csv", &piece, way).expect("a sound header");
        prop_assert_eq!(&actual.rejects, &vec![]);
        prop_assert_eq!(&actual.rows, &expected.rows);
        prop_assert_eq!(&actual.drift, &expected.drift);
        let line_feeds = piece.split(|&byte| byte == b'\n').count() as u64 - 1;
        prop_assert_eq!(actual.lines, line_feeds);
        // Every row is where its record begins.
        let text = String::from_utf8(piece.clone()).expect("UTF-8");
        let all: Vec<&str> = text.split('\n').collect();
        for (line, row) in actual.row_lines.into_iter().zip(rows.iter().filter(|row| !is_blank(row))) {
            let line = all[usize::try_from(line - 1).expect("a line")];
            let first = row[0].replace('"', "\"\"");
            let first = first.split('\n').next().unwrap_or_default();
            prop_assert!(line.trim_start_matches('"').starts_with(first.trim_start_matches('"')), "{line:?}");
        }
    }

    #[test]
    fn whatever_follows_a_header_is_accounted_for_in_any_blocks(
        body in "[a,\"\r\né ]{0,60}|([a\",]{0,9}\r?\n){0,12}",
        torn in proptest::option::of(0usize..60),
        way in way(),
        max_line_bytes in prop_oneof![Just(1usize << 20), 4usize..40],
    ) {
        let mut piece = format!("Id,Attributes.x\n{body}").into_bytes();
        if let Some(at) = torn.filter(|at| 16 + at < piece.len()) {
            piece[16 + at] = 0xff;
        }
        let whole = read("a.csv", &piece, Way { max_line_bytes, ..WHOLE });
        let actual = read("a.csv", &piece, Way { max_line_bytes, ..way });
        if max_line_bytes < "Id,Attributes.x".len() {
            // The header is too long already.
            prop_assert!(matches!(whole, Err(UnpackError::CsvHeader { line: 1, .. })), "{whole:?}");
        }
        if let Ok(whole) = &whole {
            let (rows, rejects) = (whole.rows.len() as u64, whole.rejects.len() as u64);
            prop_assert_eq!(rows + rejects + whole.blank, whole.lines);
            // What was rejected is there to the byte.
            for reject in &whole.rejects {
                let at = usize::try_from(reject.offset).expect("a position");
                prop_assert!(piece[at..].starts_with(&reject.raw));
                let line = piece[..at].split(|&byte| byte == b'\n').count() as u64;
                prop_assert_eq!(reject.line, line);
            }
            // Where nothing was, the csv crate reads as many records.
            if rejects == 0 {
                let mut reader = ::csv::ReaderBuilder::new().terminator(::csv::Terminator::Any(b'\n')).from_reader(&*piece);
                let records: Result<Vec<_>, _> = reader.byte_records().collect();
                let is_blank = |record: &::csv::ByteRecord| record.len() == 1;
                let records = records.map(|records| records.iter().filter(|record| !is_blank(record)).count() as u64);
                prop_assert!(records.is_ok_and(|records| records == rows) || whole.blank > 1);
            }
        }
        // How much is kept of a line beyond the limit depends on how it came, and with it what is told of a quote before it.
        let cut = |outcome: Result<Outcome, UnpackError>| {
            outcome.map(|mut outcome| {
                let limited = outcome.rejects.iter_mut().filter(|_| max_line_bytes < 40);
                for reject in limited {
                    reject.raw.truncate(max_line_bytes);
                    if matches!(reject.reason, Reason::NotCsv { .. }) {
                        reject.reason = Reason::NotCsv { problem: "", byte: 0 };
                    }
                }
                outcome
            })
        };
        prop_assert_eq!(cut(actual), cut(whole));
    }
}

#[test]
fn a_record_is_a_row_and_its_first_line_its_place() {
    let outcome = csv(concat!(
        "\u{feff}Id,User.UserAttributes.f,Location.Latitude,User.UserAttributes.f,Zip\r\n",
        "1,x,59.9,y,\r\n",
        "\r\n",
        "2,\"a\n\"\"b\"\"\",,,0150\r\n",
        "3,,north,,\r\n",
        ",,,,",
    ));
    assert_eq!(outcome.row_lines, [2, 4, 6, 7]);
    // The header, the blank line, and the second line of record 2.
    assert_eq!((outcome.lines, outcome.blank, outcome.rejects.len()), (7, 3, 0));
    let expected = [
        "id=1 latitude=59.9 user_attributes={f: [x, y]}",
        "id=2 user_attributes={f: [a\n\"b\"]} extra={\"Zip\":\"0150\"}",
        "id=3 extra={\"Location\":{\"Latitude\":\"north\"}}",
        "",
    ];
    assert_eq!(outcome.rows, expected);
    let drift = [("Location.Latitude Unfit".to_owned(), 1), ("Zip Unknown".to_owned(), 1)];
    assert_eq!(outcome.drift, drift.into());
}

#[test]
fn a_stray_quote_costs_the_line_that_it_is_on() {
    let outcome = csv("Id,Address\n1,\"a\n2,b\n3,\"c\"d\n4,\"e\"\n5\n6,f,g\n7,\"h\ni\n8,\"j\"\n");
    let rejected: Vec<(u64, u64, String, &[u8])> = outcome
        .rejects
        .iter()
        .map(|reject| (reject.line, reject.offset, reject.reason.to_string(), &*reject.raw))
        .collect();
    let behind = |byte| format!("not CSV: text behind a closing quote at byte {byte} of the record");
    assert_eq!(
        rejected,
        [
            (2, 11, behind(12), b"1,\"a".as_slice()),
            (4, 20, behind(5), b"3,\"c\"d"),
            (6, 33, "a record of 1 cells, where the header has 2".to_owned(), b"5"),
            (7, 35, "a record of 3 cells, where the header has 2".to_owned(), b"6,f,g"),
            (8, 41, behind(10), b"7,\"h"),
            (9, 46, "a record of 1 cells, where the header has 2".to_owned(), b"i"),
        ]
    );
    assert_eq!(outcome.row_lines, [3, 5, 10]);
    let open = csv("Id,Address\n1,\"a\n2,b\n");
    assert_eq!(
        open.rejects[0].reason.to_string(),
        "not CSV: a quote that nothing closes within the limit for a line at byte 2 of the record"
    );
    assert_eq!((open.row_lines, open.rejects.len()), (vec![3], 1));
    let swallowed = csv("Id,Address\n1,\"a\n2,b\n3\"\n4,d\n");
    // The quote of line 4 closes that of line 2, but then it is a record of two cells, as the header asks for.
    assert_eq!((swallowed.row_lines, swallowed.rejects.len()), (vec![2, 5], 0));
}

#[test]
fn what_has_no_header_of_endpoints_is_refused_without_quoting_it() {
    for (piece, told) in [
        ("4711;secret\n", "no column is named for a member of an endpoint"),
        ("\n\nsecret@example.com\n", "no column is named for a member of an endpoint"),
        ("\"Id\"x,secret\n", "not CSV: text behind a closing quote at byte 4"),
        ("Id,\"secret\n\n", "not CSV: a quote that nothing closes within the limit for a line at byte 3"),
        ("Id,Id.secret\n", "column 2 is named for a value"),
    ] {
        let error = read("a.csv", piece.as_bytes(), WHOLE).expect_err("no header");
        let source = std::error::Error::source(&error).expect("a source").to_string();
        assert!(source.contains(told), "{source}");
        assert!(!format!("{error} {source}").contains("secret"), "{source}");
        assert!(
            matches!(error, UnpackError::CsvHeader { line, .. } if line == 1 + piece.matches("\n\ns").count() as u64 * 2)
        );
    }
    for nothing in ["", "\n", " \r\n\n"] {
        let outcome = csv(nothing);
        assert_eq!((outcome.rows.len(), outcome.lines), (0, outcome.blank), "{nothing:?}");
    }
}
