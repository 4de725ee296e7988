//! Redacted batches against the same batches as they came.

use arrow::datatypes::{Field, Schema};
use arrow::json::LineDelimitedWriter;
use pinlake_decode::unpack::{BufferPool, UnpackLimits, Unpacker};
use pinlake_decode::{BlockDecoder, DecodeOptions, PieceFormat};
use proptest::prelude::*;

use super::*;

const KEY: &[u8] = b"0123456789abcdef";

fn rules(specs: &[&str]) -> Rules {
    let key = specs.iter().any(|spec| spec.ends_with("=hash")).then(|| RedactKey::new(KEY).unwrap());
    Rules::new(&Redaction::new(specs.iter().copied(), key).unwrap())
}

fn decode(decoder: &mut BlockDecoder, lines: &str) -> Vec<DecodedBlock> {
    let limits = UnpackLimits::default();
    let mut unpacker = Unpacker::new(PieceFormat::of_name("a.json"), limits, &BufferPool::new(1 << 20));
    let mut blocks = Vec::new();
    let mut sink = |block| blocks.push(block);
    unpacker.feed(lines.as_bytes(), &mut sink).unwrap();
    unpacker.finish(&mut sink).unwrap();
    blocks.iter().map(|block| decoder.decode("a.json", 0, block).unwrap()).collect()
}

/// The rows of some lines, and the same redacted.
fn both(specs: &[&str], lines: &str) -> (DecodedBlock, DecodedBlock) {
    let decoded = |rules: Rules| {
        let mut decoder = BlockDecoder::new(DecodeOptions::default());
        let mut block = decode(&mut decoder, lines).remove(0);
        Redactor::new(&Arc::new(rules)).redact(&mut block).unwrap();
        block
    };
    (decoded(rules(&[])), decoded(rules(specs)))
}

/// The batch with plain text in place of dictionaries, as the JSON writer wants it.
fn plain(batch: &RecordBatch) -> RecordBatch {
    fn inner(field: &Field) -> Field {
        let of = match field.data_type() {
            DataType::Dictionary(..) => DataType::Utf8,
            DataType::List(item) => DataType::List(Arc::new(inner(item))),
            DataType::Map(entries, sorted) => DataType::Map(Arc::new(inner(entries)), *sorted),
            DataType::Struct(fields) => DataType::Struct(fields.iter().map(|field| inner(field)).collect()),
            other => other.clone(),
        };
        field.clone().with_data_type(of)
    }
    let schema = batch.schema();
    let fields: Vec<Field> = schema.fields().iter().map(|field| inner(field)).collect();
    let columns = batch.columns().iter().zip(&fields);
    let columns = columns.map(|(column, field)| arrow::compute::cast(column, field.data_type()).unwrap());
    RecordBatch::try_new(Arc::new(Schema::new(fields.clone())), columns.collect()).unwrap()
}

fn rows(block: &DecodedBlock) -> Vec<serde_json::Value> {
    let mut writer = LineDelimitedWriter::new(Vec::new());
    block.batch.iter().for_each(|batch| writer.write(&plain(batch)).unwrap());
    writer.finish().unwrap();
    let text = String::from_utf8(writer.into_inner()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn each_mode_does_what_it_says() {
    let lines = r#"{"Id":"1","Address":"jane@example.com","ChannelType":"EMAIL","CreationDate":"2020-01-02T03:04:05Z","Location":{"City":"Bonn","PostalCode":"53111","Latitude":50.7},"User":{"UserId":"u","UserAttributes":{"Plan":["gold",null]}},"Attributes":{"Mail":["jane@example.com"],"Colour":["red"]},"Metrics":{"a":1,"b":2}}
{"Id":"2","Attributes":{}}"#;
    let specs = [
        "address=mask",
        "city",
        "postal_code=mask",
        "latitude",
        "creation_date",
        "user_id=hash",
        "user_attributes=mask",
        "attributes.Mail=hash",
        "metrics.a",
        "channel_type=mask",
    ];
    let (plain, redacted) = both(&specs, lines);
    let (plain, redacted) = (rows(&plain), rows(&redacted));
    let row = &redacted[0];
    assert_eq!(row["address"], "***@example.com");
    assert_eq!(row["postal_code"], "53***");
    assert_eq!(row["channel_type"], "***");
    assert_eq!(row["user_attributes"], serde_json::json!({ "Plan": ["***", null] }));
    assert_eq!(row["metrics"], serde_json::json!({ "b": 2.0 }));
    assert_eq!(row["attributes"]["Colour"], plain[0]["attributes"]["Colour"]);
    // Made with Python's hmac module.
    assert_eq!(row["user_id"], "373d81c1c8b83ed95172284ddfe56ec28608f950ee287e0fb2463031eb9776a3");
    assert_eq!(
        row["attributes"]["Mail"][0],
        "a7a54661c75bce906717ca553fdff1b9e2c578d8c764c8e7d23ff39b7b5096b1"
    );
    for column in ["city", "latitude", "creation_date"] {
        assert!(!plain[0][column].is_null() && row[column].is_null(), "{column}: {row}");
    }
    assert_eq!(plain[1], redacted[1]);
}

#[test]
fn entries_keep_their_order_and_their_neighbours() {
    let lines = r#"{"Attributes":{"a":["1","2"],"x":["3"],"b":[],"y":["1",null]}}
{}
{"Attributes":{"x":["1"]}}
{"Attributes":{"c":["1"],"a":["2"]}}"#;
    let (_, redacted) = both(&["attributes.x", "attributes.a=hash", "attributes=mask"], lines);
    let attributes: Vec<String> = rows(&redacted).iter().map(|row| row["attributes"].to_string()).collect();
    let key = RedactKey::new(KEY).unwrap();
    let (one, two) = (key.hash("1"), key.hash("2"));
    let expected = [
        format!(r#"{{"a":["{one}","{two}"],"b":[],"y":["***",null]}}"#),
        "null".to_owned(),
        "{}".to_owned(),
        format!(r#"{{"c":["***"],"a":["{two}"]}}"#),
    ];
    // serde_json sorts members; the order is that of the map's keys.
    let parsed = |text: &String| serde_json::from_str::<serde_json::Value>(text).unwrap();
    assert_eq!(
        attributes.iter().map(parsed).collect::<Vec<_>>(),
        expected.iter().map(parsed).collect::<Vec<_>>()
    );
    let batch = redacted.batch.unwrap();
    let column = batch.column_by_name("attributes").unwrap();
    let names = arrow::compute::cast(column.as_map().keys(), &DataType::Utf8).unwrap();
    assert_eq!(names.as_string::<i32>().iter().flatten().collect::<Vec<_>>(), ["a", "b", "y", "c", "a"]);
}

#[test]
fn dictionaries_are_the_same_arrays_from_batch_to_batch() {
    let mut decoder = BlockDecoder::new(DecodeOptions::default());
    let mut redactor = Redactor::new(&Arc::new(rules(&["city=hash", "region", "attributes=mask"])));
    let line = r#"{"Location":{"City":"Bonn","Region":"NW"},"Attributes":{"a":["b"]}}"#;
    let mut values = || {
        let mut block = decode(&mut decoder, line).remove(0);
        redactor.redact(&mut block).unwrap();
        let batch = block.batch.unwrap();
        let labels = |array: &ArrayRef| array.as_dictionary::<Int32Type>().values().clone();
        let lists =
            batch.column_by_name("attributes").unwrap().as_map().values().as_list::<i32>().values().clone();
        [
            labels(batch.column_by_name("city").unwrap()),
            labels(batch.column_by_name("region").unwrap()),
            labels(&lists),
        ]
    };
    let (first, second) = (values(), values());
    assert!(first.iter().zip(&second).all(|(first, second)| Arc::ptr_eq(first, second)));
}

/// Equal ids are counted whatever becomes of them, and no hash of them is one that anybody could make.
#[test]
fn ids_are_counted_by_hashes_that_nobody_can_guess() {
    let lines = "{\"Id\":\"a\"}\n{\"Id\":\"b\"}\n{\"Id\":\"a\"}\n{}";
    let (plain, hashed) = both(&["id=hash"], lines);
    let by_key: Vec<String> =
        rows(&hashed).iter().filter_map(|row| row["id"].as_str().map(|id| id[..16].to_owned())).collect();
    assert_eq!(hashed.id_hashes.iter().map(|hash| format!("{hash:016x}")).collect::<Vec<_>>(), by_key);
    let mut seen = vec![plain.id_hashes.clone(), hashed.id_hashes];
    for specs in [&["id"][..], &["id=mask"], &["id"], &["id", "address=hash"]] {
        let (_, redacted) = both(specs, lines);
        seen.push(redacted.id_hashes);
    }
    for (at, hashes) in seen.iter().enumerate() {
        assert!(hashes.len() == 3 && hashes[0] == hashes[2] && hashes[0] != hashes[1]);
        assert!(!seen[..at].contains(hashes));
    }
    // With a key at hand another process finds the same.
    let again = || both(&["id", "address=hash"], lines).1.id_hashes;
    assert_eq!(again(), again());
}

#[test]
fn names_of_entries_of_a_dropped_map_are_not_told() {
    let lines = r#"{"Attributes":{"canary":{}},"User":{"UserAttributes":{"k":"v"}},"Zip":1}"#;
    let (plain, redacted) = both(&["attributes"], lines);
    let names = |block: &DecodedBlock| -> Vec<String> {
        block.drift.entries().map(|(name, ..)| name.to_owned()).collect()
    };
    assert_eq!(names(&plain), ["Attributes.canary", "User.UserAttributes.k", "Zip"]);
    assert_eq!(names(&redacted), ["Attributes.*", "User.UserAttributes.k", "Zip"]);
}

/// A value that holds the canary of its member: usual, odd, or in a place where it does not belong.
fn value(canary: String) -> impl Strategy<Value = String> {
    (0..7usize).prop_map(move |form| match form {
        0 | 1 => format!("\"{canary}\""),
        2 => format!("[\"{canary}\"]"),
        3 => format!("{{\"k\":\"{canary}\",\"l\":[\"{canary}\",null,\"x\"]}}"),
        4 => format!("{{\"k\":{{\"m\":\"{canary}\"}},\"k2\":[\"{canary}\"]}}"),
        5 => "7.5".to_owned(),
        _ => "null".to_owned(),
    })
}

/// A line in which each member has a canary of its own, its name in one of some spellings.
fn line() -> impl Strategy<Value = String> {
    let schema = endpoint_schema();
    let members: Vec<(String, &str, &str)> = schema
        .fields()
        .iter()
        .filter_map(|field| {
            member_of(field.name()).map(|(parent, member)| (field.name().clone(), parent, member))
        })
        .collect();
    let member = move |(column, parent, member): (String, &'static str, &'static str)| {
        let canary = format!("canary-{column}-end");
        (value(canary), 0..6usize).prop_map(move |(value, spelling)| match spelling {
            0 => (parent, format!("\"{}\":{value}", member.to_lowercase())),
            1 => (parent, format!("\"{column}\":{value}")),
            2 => ("", format!("\"Other {column}\":{{\"{member}\":{value}}}")),
            _ => (parent, format!("\"{member}\":{value}")),
        })
    };
    members.into_iter().map(member).collect::<Vec<_>>().prop_map(|members| {
        let of = |parent: &str| -> String {
            let own: Vec<&str> =
                members.iter().filter(|(of, _)| *of == parent).map(|(_, text)| text.as_str()).collect();
            own.join(",")
        };
        let inner =
            ["Location", "Demographic", "User"].map(|parent| format!("\"{parent}\":{{{}}}", of(parent)));
        format!("{{{},{}}}", of(""), inner.join(","))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn nothing_of_a_redacted_column_is_left_and_others_are_untouched(
        lines in prop::collection::vec(line(), 1..5),
        chosen in prop::collection::btree_set(0..28usize, 1..6),
        mode in 0..3usize,
    ) {
        let names: Vec<String> = Redaction::column_names().filter(|name| name != "extra").collect();
        let chosen: Vec<&String> = chosen.iter().map(|at| &names[*at]).collect();
        let key = || Some(RedactKey::new(KEY).unwrap());
        let spec = |name: &&String| {
            let spec = format!("{name}{}", ["", "=mask", "=hash"][mode]);
            if Redaction::new([spec.as_str()], key()).is_ok() { spec } else { (*name).clone() }
        };
        let specs: Vec<String> = chosen.iter().map(spec).collect();
        let specs: Vec<&str> = specs.iter().map(String::as_str).collect();
        let (plain, redacted) = both(&specs, &lines.join("\n"));
        let text = rows(&redacted).iter().map(ToString::to_string).collect::<String>();
        for name in &chosen {
            prop_assert!(!text.contains(&format!("canary-{name}-end")), "{name}: {text}");
        }
        let (plain, redacted) = (plain.batch.unwrap(), redacted.batch.unwrap());
        for (position, name) in names.iter().enumerate().filter(|(_, name)| !chosen.contains(name)) {
            prop_assert_eq!(plain.column(position), redacted.column(position), "{}", name);
        }
        for name in ["piece", "line"] {
            prop_assert_eq!(plain.column_by_name(name), redacted.column_by_name(name));
        }
    }
}
