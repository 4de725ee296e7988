//! What lines mean, and that the fast path means the same.

use arrow::array::{Array, AsArray};
use arrow::datatypes::{Float64Type, Int32Type, Int64Type, TimestampMicrosecondType};
use arrow::util::display::array_value_to_string;
use bytes::Bytes;

use super::*;
use crate::drift::DriftKind;

mod differential;

fn block(text: &[u8]) -> Block {
    let lines = text.split_inclusive(|&byte| byte == b'\n').count() as u64;
    let bytes = Bytes::copy_from_slice(text);
    Block { index: 0, first_line: 1, lines, offset: 0, bytes, kind: BlockKind::Lines }
}

fn decode_with(options: DecodeOptions, text: &[u8]) -> DecodedBlock {
    BlockDecoder::new(options).decode("p.gz", 0, &block(text)).unwrap()
}

/// Decodes both ways and insists on one outcome.
fn decode(text: impl AsRef<[u8]>) -> DecodedBlock {
    let fast = decode_with(DecodeOptions::default(), text.as_ref());
    let slow = decode_with(DecodeOptions { slow_path_only: true, ..Default::default() }, text.as_ref());
    assert_eq!(rendered(&fast), rendered(&slow));
    assert_eq!(fast.rejects, slow.rejects);
    assert_eq!((fast.lines, fast.blank), (slow.lines, slow.blank));
    fast
}

/// Every value as text, null apart from empty.
fn rendered(decoded: &DecodedBlock) -> Vec<Vec<Option<String>>> {
    let Some(batch) = &decoded.batch else { return Vec::new() };
    (0..batch.num_rows())
        .map(|row| {
            batch
                .columns()
                .iter()
                .map(|column| column.is_valid(row).then(|| array_value_to_string(column, row).unwrap()))
                .collect()
        })
        .collect()
}

/// The value of a column in the one row that `line` makes; `None` for null.
fn value(line: &str, column: &str) -> Option<String> {
    let decoded = decode(line);
    assert!(decoded.rejects.is_empty(), "{:?}", decoded.rejects);
    let position = endpoint_position(column);
    rendered(&decoded)[0][position].clone()
}

fn endpoint_position(column: &str) -> usize {
    crate::endpoint_schema().index_of(column).unwrap()
}

fn reason(line: &[u8]) -> String {
    let decoded = decode(line);
    assert_eq!(decoded.rejects.len(), 1, "{}", String::from_utf8_lossy(line));
    assert_eq!(decoded.rows(), 0);
    decoded.rejects[0].reason.to_string()
}

const REAL: &str = r#"{"ChannelType":"EMAIL","Address":"a.b@example.com","EndpointStatus":"ACTIVE","OptOut":"NONE","Location":{"Country":"CHN","Latitude":47.6},"Demographic":{"Make":"OnePlus","Platform":"android"},"EffectiveDate":"2025-02-12T11:20:13.627Z","Attributes":{"FavoriteTeam":["Angels","Carp"]},"Metrics":{"sessions":6.0},"User":{"UserId":"u-3","UserAttributes":{"Age":["39"]}},"ApplicationId":"9b74","Id":"goy4ne0a7jvyqfcwpj37bf2ajp4","CreationDate":"2025-02-12T11:20:13.627Z"}"#;

#[test]
fn a_real_line_fills_its_columns() {
    let decoded = decode(REAL);
    let batch = decoded.batch.as_ref().unwrap();
    let text = |name: &str| value(REAL, name).unwrap();
    assert_eq!(text("id"), "goy4ne0a7jvyqfcwpj37bf2ajp4");
    assert_eq!(text("channel_type"), "EMAIL");
    assert_eq!(text("country"), "CHN");
    assert_eq!(text("make"), "OnePlus");
    assert_eq!(text("user_id"), "u-3");
    assert_eq!(text("piece"), "p.gz");
    assert_eq!(text("attributes"), "{FavoriteTeam: [Angels, Carp]}");
    assert_eq!(text("user_attributes"), "{Age: [39]}");
    assert_eq!(value(REAL, "cohort_id"), None);
    assert_eq!(value(REAL, "extra"), None);
    let date = batch.column(endpoint_position("creation_date")).as_primitive::<TimestampMicrosecondType>();
    assert_eq!(date.value(0), 1_739_359_213_627_000);
    let latitude = batch.column(endpoint_position("latitude")).as_primitive::<Float64Type>();
    assert!((latitude.value(0) - 47.6).abs() < f64::EPSILON);
    let line = batch.column(endpoint_position("line")).as_primitive::<Int64Type>();
    assert_eq!(line.value(0), 1);
    assert_eq!(text("metrics"), "{sessions: 6.0}");
    assert!(batch.column(endpoint_position("channel_type")).as_dictionary_opt::<Int32Type>().is_some());
    assert!(decoded.drift.is_empty());
}

#[test]
fn absent_null_and_empty() {
    assert_eq!(value(r#"{"Id":null}"#, "id"), None);
    assert_eq!(value(r#"{"Id":""}"#, "id").as_deref(), Some(""));
    assert_eq!(value(r#"{"Attributes":{}}"#, "attributes").as_deref(), Some("{}"));
    assert_eq!(value(r#"{"Metrics":null}"#, "metrics"), None);
    assert_eq!(value(r#"{"User":{}}"#, "user_id"), None);
    assert_eq!(value(r#"{"User":null,"Location":null}"#, "extra"), None);
    assert_eq!(rendered(&decode("{}")).len(), 1);
    assert_eq!(decode("{}").rows(), 1);
}

#[test]
fn odd_values_are_converted_where_nothing_is_lost() {
    for (line, column, expected) in [
        (r#"{"Address":81901234567}"#, "address", "81901234567"),
        (r#"{"Address":1.50}"#, "address", "1.50"),
        (r#"{"OptOut":true}"#, "opt_out", "true"),
        (r#"{"Location":{"Latitude":"47.6"}}"#, "latitude", "47.6"),
        (r#"{"Metrics":{"visits":"6"}}"#, "metrics", "{visits: 6.0}"),
        (r#"{"Attributes":{"plan":"gold"}}"#, "attributes", "{plan: [gold]}"),
        (r#"{"Attributes":{"n":7,"b":false}}"#, "attributes", "{n: [7], b: [false]}"),
        (r#"{"Attributes":{"n":null}}"#, "attributes", "{n: []}"),
        (r#"{"Attributes":{"n":[null,1,"x"]}}"#, "attributes", "{n: [, 1, x]}"),
        (r#"{"User":{"UserAttributes":{"Age":"39"}}}"#, "user_attributes", "{Age: [39]}"),
        (r#"{"Address":"caf\u00e9 \ud83d\ude00"}"#, "address", "café 😀"),
        (r#"{"\u0049d":"x"}"#, "id", "x"),
    ] {
        assert_eq!(value(line, column).as_deref(), Some(expected), "{line}");
        assert_eq!(value(line, "extra"), None, "{line}");
    }
}

#[test]
fn what_does_not_fit_goes_to_extra_as_it_came() {
    for (line, column, extra) in [
        (
            r#"{"Id":"1","Zip":"x","Location":{"Altitude":12}}"#,
            None,
            r#"{"Zip":"x","Location":{"Altitude":12}}"#,
        ),
        (r#"{"id":"1"}"#, Some("id"), r#"{"id":"1"}"#),
        (r#"{"Unknown":null}"#, None, r#"{"Unknown":null}"#),
        (r#"{"Address":{"a": [1, 2]}}"#, Some("address"), r#"{"Address":{"a": [1, 2]}}"#),
        (r#"{"Address":"\ud800"}"#, Some("address"), r#"{"Address":"\ud800"}"#),
        (r#"{"\udc00":1}"#, None, r#"{"\udc00":1}"#),
        (
            r#"{"CreationDate":"2025-02-30T00:00:00Z"}"#,
            Some("creation_date"),
            r#"{"CreationDate":"2025-02-30T00:00:00Z"}"#,
        ),
        (r#"{"CreationDate":1739359213}"#, Some("creation_date"), r#"{"CreationDate":1739359213}"#),
        (r#"{"Location":{"Latitude":1e400}}"#, Some("latitude"), r#"{"Location":{"Latitude":1e400}}"#),
        (r#"{"Location":{"Latitude":true}}"#, Some("latitude"), r#"{"Location":{"Latitude":true}}"#),
        (r#"{"Location":"Tokyo"}"#, Some("city"), r#"{"Location":"Tokyo"}"#),
        (r#"{"Attributes":[1]}"#, Some("attributes"), r#"{"Attributes":[1]}"#),
        (
            r#"{"User":{"UserStatus":"x","UserAttributes":5}}"#,
            Some("user_attributes"),
            r#"{"User":{"UserStatus":"x","UserAttributes":5}}"#,
        ),
    ] {
        assert_eq!(value(line, "extra").as_deref(), Some(extra), "{line}");
        if let Some(column) = column {
            assert_eq!(value(line, column), None, "{line}");
        }
    }
}

#[test]
fn one_entry_that_does_not_fit_leaves_its_neighbours() {
    let line =
        r#"{"Attributes":{"a":["x"],"b":{"c":1},"d":[["y"]],"e":["z"]},"Metrics":{"m":1,"n":"x","o":null}}"#;
    assert_eq!(value(line, "attributes").as_deref(), Some("{a: [x], e: [z]}"));
    assert_eq!(value(line, "metrics").as_deref(), Some("{m: 1.0}"));
    assert_eq!(
        value(line, "extra").as_deref(),
        Some(r#"{"Attributes":{"b":{"c":1},"d":[["y"]]},"Metrics":{"n":"x","o":null}}"#)
    );
}

#[test]
fn of_a_repeated_member_the_last_wins() {
    assert_eq!(value(r#"{"Id":"a","Id":"b"}"#, "id").as_deref(), Some("b"));
    assert_eq!(value(r#"{"Id":"a","Id":null}"#, "id"), None);
    let objects = r#"{"Location":{"City":"A","x":1},"Location":{"Country":"B"}}"#;
    assert_eq!(value(objects, "city"), None);
    assert_eq!(value(objects, "country").as_deref(), Some("B"));
    assert_eq!(value(objects, "extra"), None);
    assert_eq!(value(r#"{"Attributes":{"a":["1"],"a":["2"]}}"#, "attributes").as_deref(), Some("{a: [2]}"));
    assert_eq!(value(r#"{"Zip":1,"Zip":2}"#, "extra").as_deref(), Some(r#"{"Zip":2}"#));
}

#[test]
fn the_order_of_members_and_white_space_do_not_matter() {
    let spaced = "\t{ \"CreationDate\" : \"2025-02-12T11:20:13.627Z\" , \"Attributes\" : { \"a\" : [ \"1\" , \"2\" ] } , \"Id\" : \"x\" } \r";
    assert_eq!(value(spaced, "id").as_deref(), Some("x"));
    assert_eq!(value(spaced, "attributes").as_deref(), Some("{a: [1, 2]}"));
}

#[test]
fn a_line_that_is_no_object_is_a_reject() {
    for (line, expected) in [
        (b"[1]".as_slice(), "not a JSON object but a JSON array"),
        (b"null", "not a JSON object but a JSON null"),
        (b"\"x\"", "not a JSON object but a JSON string"),
        (b"{\"a\":NaN}", "not JSON: no value begins like this at byte 5 of the line"),
        (b"{} x", "not JSON: text after the value at byte 3 of the line"),
        (b"{\"a\":\"\x01\"}", "not JSON: a control character in a string at byte 6 of the line"),
        (b"{\"Id\":\"\xff\"}", "not UTF-8 at byte 7 of the line"),
        (b"\0", "not JSON: no value begins like this at byte 0 of the line"),
    ] {
        assert_eq!(reason(line), expected, "{}", String::from_utf8_lossy(line));
    }
}

#[test]
fn lines_blanks_and_places() {
    let text = b"\xef\xbb\xbf{\"Id\":\"1\"}\r\n\n  \t\r\n{bad\n{\"Id\":\"2\"}\n\xef\xbb\xbf{}";
    let decoded = decode(text);
    assert_eq!((decoded.lines, decoded.blank, decoded.rows()), (6, 2, 2));
    let places: Vec<_> = decoded.rejects.iter().map(|reject| (reject.line, reject.offset)).collect();
    assert_eq!(places, [(4, 21), (6, 37)]);
    assert_eq!(decoded.rejects[0].raw, b"{bad");
    let batch = decoded.batch.unwrap();
    let lines = batch.column(endpoint_position("line")).as_primitive::<Int64Type>();
    assert_eq!(lines.values(), &[1, 5]);
    assert_eq!(decoded.id_hashes.len(), 2);
}

#[test]
fn a_line_beyond_the_limit_is_a_reject_wherever_it_stands() {
    let options = DecodeOptions { max_line_bytes: 12, ..DecodeOptions::default() };
    let decoded = decode_with(options, b"{\"Id\":\"1\"}\n{\"Id\":\"12345\"}\n{}");
    assert_eq!(decoded.rows(), 2);
    assert_eq!(decoded.rejects[0].reason, Reason::TooLong { bytes: 14, limit: 12 });
    assert_eq!(decoded.rejects[0].line, 2);
}

#[test]
fn drift_names_member_kind_and_first_place() {
    let decoded = decode(
        "{\"Id\":\"1\"}\n{\"Zip\":1,\"Metrics\":{\"m\":\"6\"}}\n{\"Zip\":2,\"Location\":{\"Latitude\":[]}}",
    );
    let seen: Vec<_> = decoded
        .drift
        .entries()
        .map(|(member, kind, entry)| (member.to_owned(), kind, entry.count, entry.first_line))
        .collect();
    assert_eq!(
        seen,
        [
            ("Location.Latitude".to_owned(), DriftKind::Unfit, 1, 3),
            ("Metrics.m".to_owned(), DriftKind::Converted, 1, 2),
            ("Zip".to_owned(), DriftKind::Unknown, 2, 2),
        ]
    );
}

#[test]
fn unwanted_values_are_held_against_the_grammar_of_json() {
    let columns = ColumnSelection::of([endpoint_position("id")]);
    let decoded =
        |line: &str| decode_with(DecodeOptions { columns, ..DecodeOptions::default() }, line.as_bytes());
    let deep = format!("{}1{}", "[".repeat(120), "]".repeat(120));
    for value in
        ["1e400", "\"\\ud800\"", "null", "true", "[{\"a\":[]}, -0.5e-7]", "{\"\\n\":{}}", deep.as_str()]
    {
        for name in ["Address", "Location", "Metrics", "Zip"] {
            let one = decoded(&format!("{{\"{name}\" : {value} ,\"Id\":\"x\"}}"));
            assert_eq!((one.rows(), one.rejects.len()), (1, 0), "{name} {value}");
            assert_eq!(rendered(&one), [[Some("x".to_owned())]]);
        }
    }
    let too_deep = format!("{}1{}", "[".repeat(128), "]".repeat(128));
    for value in [
        "01",
        "1.",
        "nul",
        "\"\\q\"",
        "\"\\u12\"",
        "\"\u{1}\"",
        "[1,]",
        "{\"a\":}",
        "{\"a\"}",
        "\"x",
        too_deep.as_str(),
    ] {
        for name in ["Address", "Location", "Metrics", "Zip"] {
            let line = format!("{{\"{name}\":{value},\"Id\":\"x\"}}");
            let (part, all) = (decoded(&line), decode(&line));
            assert_eq!((part.rows(), part.rejects), (0, all.rejects), "{line}");
        }
    }
    // An unwanted member may be repeated, also under a name with escapes; a wanted one is the last.
    let repeated = r#"{"Address":1,"Address":{"a":[]},"Id":"a","\u0049d":"b","Zip":1,"Zip":2}"#;
    assert_eq!(rendered(&decoded(repeated)), [[Some("b".to_owned())]]);
}

#[test]
fn a_count_needs_no_column() {
    let options = DecodeOptions { columns: ColumnSelection::of([]), ..DecodeOptions::default() };
    let decoded = decode_with(options, format!("{REAL}\n\n{REAL}\nx").as_bytes());
    let batch = decoded.batch.as_ref().unwrap();
    assert_eq!((batch.num_columns(), batch.num_rows()), (0, 2));
    assert_eq!((decoded.blank, decoded.rejects.len(), decoded.id_hashes.len()), (1, 1, 0));
}

#[test]
fn a_decoder_starts_each_block_afresh() {
    let mut decoder = BlockDecoder::new(DecodeOptions::default());
    let first = decoder.decode("a", 0, &block(REAL.as_bytes())).unwrap();
    let second = decoder.decode("b", 1, &block(b"{}\n{\"OptOut\":\"ALL\"}")).unwrap();
    assert_eq!((first.rows(), second.rows()), (1, 2));
    let values = rendered(&second);
    assert_eq!(values[0][endpoint_position("opt_out")], None);
    assert_eq!(values[1][endpoint_position("opt_out")].as_deref(), Some("ALL"));
    assert_eq!(values[1][endpoint_position("piece")].as_deref(), Some("b"));
}
