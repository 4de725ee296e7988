//! Lines that are long, empty, or hold members without number (R4, R5); that rejects are exact, and what drift says of names that come from
//! the data.

use serde_json::{Value, json};

use crate::harness::Room;

#[test]
fn a_million_members_in_one_object_are_kept() {
    let room = Room::new();
    let join = |member: &dyn Fn(u32) -> String| (0..1_000_000).map(member).collect::<Vec<_>>().join(",");
    let known = join(&|number| format!("\"k{number}\":[]"));
    room.write("in/known.json", format!("{{\"Id\":\"1\",\"Attributes\":{{{known}}}}}"));
    let unknown = join(&|number| format!("\"u{number}\":{number}"));
    room.write("in/unknown.json", format!("{{\"Id\":\"2\",{unknown}}}"));
    let args = ["convert", "in", "--snapshot", "s", "--max-line", "64MiB"];
    room.pinlake(&args).succeeds();
    let query = "SELECT sum(cardinality(attributes)) AS known, max(length(extra)) AS extra FROM endpoints";
    let row = &room.sql(query)[0];
    assert_eq!(row["known"], json!(1_000_000));
    assert_eq!(row["extra"], json!(unknown.len() + 2));
    let drift = &room.lake().manifest("s")["drift"];
    assert_eq!(drift["members"].as_object().unwrap().len(), 1_000);
    assert_eq!(drift["unnamed"], json!(999_000));
    let shown = room.pinlake(&["snapshots", "show"]).succeeds().stdout;
    assert!(shown.contains("999,000 values of other names"), "{}", &shown[shown.len() - 300..]);
}

#[test]
fn a_name_from_the_data_is_bounded_and_steers_nothing() {
    let room = Room::new();
    let long = "n".repeat(1_000_000);
    room.write("in/a.json", format!("{{\"{long}\":1}}\n{{\"\\u001b[2J\\n\\u202e\":1}}\n"));
    room.pinlake(&["convert", "in", "--snapshot", "s"]).succeeds();
    let manifest = room.read("lake/runs/s/run.json");
    assert!(manifest.len() < 10_000, "{} bytes", manifest.len());
    assert!(manifest.contains("… (1000000 bytes)") && manifest.contains("\\u001b[2J\\n"), "{manifest}");
    let shown = room.pinlake(&["snapshots", "show"]).succeeds().stdout;
    assert!(
        !shown.contains(['\u{1b}', '\u{202e}']) && shown.contains("\\u{1b}[2J\\u{a}\\u{202e}"),
        "{shown}"
    );
    let extras = room.sql("SELECT max(length(extra)) AS n FROM endpoints");
    assert_eq!(extras, [json!({ "n": 1_000_006 })], "the table has the whole name");
}

/// Deterministic bytes without a line feed.
fn garbage(seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let length = 1 + next() % 300;
    // Never blank, and never an object.
    let mut bytes = vec![b'x'];
    let is_text = next() % 2 == 0;
    bytes.extend((0..length).map(|_| {
        let byte = u8::try_from(next() % 256).unwrap();
        let byte = if is_text { byte & 0x7f } else { byte };
        if byte == b'\n' { b'\r' } else { byte }
    }));
    bytes
}

/// Bytes from base64.
fn decoded(text: &str) -> Vec<u8> {
    let value = |byte: u8| match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let mut bytes = Vec::new();
    for four in text.as_bytes().chunks(4) {
        let digits = four.iter().take_while(|byte| **byte != b'=').count();
        let bits = four.iter().take(digits).fold(0u32, |bits, byte| bits << 6 | u32::from(value(*byte)));
        let bits = bits << (6 * (4 - digits));
        bytes.extend_from_slice(&bits.to_be_bytes()[1..digits]);
    }
    bytes
}

#[test]
fn rejects_are_the_lines_byte_by_byte() {
    let room = Room::new();
    let mut text = Vec::new();
    let lines: Vec<Vec<u8>> = (0..2_000).map(garbage).collect();
    let mut offsets = Vec::new();
    for line in &lines {
        offsets.push(text.len());
        text.extend_from_slice(line);
        text.push(b'\n');
    }
    text.extend_from_slice(b"{\"Id\":\"1\"}");
    room.write("in/garbage.json", &text);
    room.pinlake(&["convert", "in", "--snapshot", "s", "--max-rejects", "99.96%"]).succeeds();
    let rejects = room.lake().rejects("s");
    assert_eq!(rejects.len(), lines.len());
    for (number, (reject, line)) in rejects.iter().zip(&lines).enumerate() {
        let raw = match (&reject["raw"], &reject["raw_base64"]) {
            (Value::String(raw), Value::Null) => raw.clone().into_bytes(),
            (Value::Null, Value::String(raw)) => decoded(raw),
            other => panic!("{other:?}"),
        };
        assert_eq!(&raw, line, "line {}", number + 1);
        assert_eq!((&reject["line"], &reject["offset"]), (&json!(number + 1), &json!(offsets[number])));
        assert_eq!(reject["raw"].is_string(), std::str::from_utf8(line).is_ok());
    }
}

#[test]
fn rejects_are_put_up_with_up_to_the_number_or_share() {
    let room = Room::new();
    room.write("half/a.json", "{}\nx\n");
    room.write("all/a.json", "x\ny\n");
    room.write("blank/a.json", "\n\n \n");
    for (source, most, code) in [
        ("half", "0", 5),
        ("half", "0%", 5),
        ("half", "49.999%", 5),
        ("half", "50%", 0),
        ("half", "1", 0),
        ("half", "100%", 0),
        ("all", "99.9%", 5),
        ("all", "100%", 0),
        ("blank", "0", 0),
        ("blank", "0%", 0),
        ("half", "1.5", 2),
        ("half", "-1", 2),
        ("half", "101%", 2),
        ("half", "NaN%", 2),
        ("half", "inf%", 2),
        ("half", "%", 2),
        ("half", "", 2),
    ] {
        let most = format!("--max-rejects={most}");
        room.pinlake(&["convert", source, "--snapshot", "s", "--replace", &most]).ends(code);
    }
}

#[test]
fn every_form_of_a_line_is_a_row_or_a_reject() {
    let rows = [
        "{\"Id\":\"\\ud800\"}",
        "{\"Id\":\"\\udc00\\ud800\"}",
        "{\"Id\":\"\\ud83d\\ude00\"}",
        "{\"a\":1e400,\"b\":-1e400,\"c\":1e-400}",
        "{\"Id\":\"x\"}\r",
        "\t {\"Id\":\"y\"} \r",
        "{\"Id\":\"1\",\"Id\":\"2\"}",
        "{\"Id\":\"\u{feff}\"}",
    ];
    let rejects = [
        "{\"a\":nan}",
        "{\"a\":-Infinity}",
        "{\"Id\":\"x\"} {\"Id\":\"y\"}",
        "\u{feff}{\"Id\":\"x\"}",
        "{\"Id\":\"\\ud800",
        "{\"Id\":\"a\tb\"}",
        "{\"a\":0x1}",
        "{\"a\":+1}",
        "{\"a\":1e}",
        "[{\"Id\":\"x\"}]",
        "\"{}\"",
        "{\"a\":[1,]}",
        "{\"a\" 1}",
        "\u{a0}{}",
    ];
    let room = Room::new();
    // The first line of a piece may have a byte order mark, and the last one no line feed.
    let text = format!("\u{feff}{{}}\n{}\n{}", rejects.join("\n"), rows.join("\n"));
    room.write("in/a.json", text);
    let most = rejects.len().to_string();
    room.pinlake(&["convert", "in", "--snapshot", "s", "--max-rejects", &most]).succeeds();
    assert_eq!(room.lake().rejects("s").len(), rejects.len());
    let found = room.lake().rows("s");
    assert_eq!(found.len(), rows.len() + 1);
    let line = rejects.len() + 2;
    for (number, row) in found.iter().skip(1).enumerate() {
        assert_eq!(row["line"], json!(line + number));
    }
    // Half of a surrogate pair is no text: the value is kept as it came.
    assert_eq!((&found[1]["id"], &found[1]["extra"]), (&Value::Null, &json!(rows[0])));
    assert_eq!((&found[3]["id"], &found[7]["id"]), (&json!("\u{1f600}"), &json!("2")));
    assert_eq!(found[4]["extra"], json!(rows[3]));
}
