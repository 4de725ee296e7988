//! Segments over small lakes: each dimension, groups, sources, imported members.

mod refusals;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use arrow::array::{AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use serde_json::{Value, json};

use super::*;
use crate::test_lake::{TestLake, chain};

/// One that has everything, one that has nothing, and one whose values are null or empty.
const AUDIENCE: &str = r#"
{"id":"full","channel_type":"SMS","effective_date":"2026-10-20T00:00:00Z","country":"NO","latitude":59.9,"longitude":10.8,"platform":"ios","make":"Apple","attributes":{"team":["Angels","Carp"],"since":["yesterday","2026-03-01T10:00:00Z"],"none":[]},"metrics":{"visits":3.0},"user_id":"u","user_attributes":{"plan":["gold"]}}
{"id":"bare"}
{"id":"odd","platform":"","latitude":1.0,"attributes":{"team":[null],"since":null},"metrics":{"visits":null,"other":1.0},"user_attributes":{}}
{"channel_type":"EMAIL"}
"#;

/// Of [`AUDIENCE`]: the ids of the members, and `-` for the one without.
async fn members_by(dimensions: Value) -> String {
    let lake = TestLake::empty().with_snapshot("s", &[AUDIENCE]);
    let definition = json!({ "Dimensions": dimensions }).to_string();
    let definition = SegmentDefinition::parse("x.json", &definition).expect("it is read");
    let segment = Segment::resolve(&definition, &SegmentBook::default(), &BTreeMap::new());
    ids(&lake, &segment.expect("it is resolved")).await
}

async fn ids(lake: &TestLake, segment: &Segment) -> String {
    let found = found(lake, segment, &["id"]).await.expect("it is evaluated");
    let mut text = String::new();
    for batch in found {
        let ids = cast(batch.column(0), &DataType::Utf8).expect("ids are text");
        for id in ids.as_string::<i32>() {
            write!(text, " {}", id.unwrap_or("-")).expect("text grows");
        }
    }
    text.trim_start().to_owned()
}

async fn found(
    lake: &TestLake,
    segment: &Segment,
    columns: &[&str],
) -> Result<Vec<RecordBatch>, SegmentError> {
    let session = lake.session().await;
    let columns = columns.iter().map(|column| (*column).to_owned()).collect();
    let at = "2026-10-30T00:00:00Z".parse().expect("a date");
    let mut stream = members(&session, segment, &MembersRequest { at, columns }).await?;
    let mut batches = Vec::new();
    while let Some(batch) = stream.next().await? {
        batches.push(batch);
    }
    Ok(batches)
}

#[tokio::test]
async fn each_dimension_is_what_the_rules_say() {
    let attribute = |kind: &str, name: &str, values: &[&str]| json!({"Attributes": {name: {"AttributeType": kind, "Values": values}}});
    let metric = |operator: &str, value: f64| json!({"Metrics": {"visits": {"ComparisonOperator": operator, "Value": value}}});
    let set = |member: &str, kind: &str, values: &[&str]| json!({"Demographic": {member: {"DimensionType": kind, "Values": values}}});
    let recency = |kind: &str, duration: &str| json!({"Behavior": {"Recency": {"RecencyType": kind, "Duration": duration}}});
    let gps = |latitude: f64, longitude: f64, range: f64| {
        let point = json!({"Latitude": latitude, "Longitude": longitude});
        json!({"Location": {"GPSPoint": {"Coordinates": point, "RangeInKilometers": range}}})
    };
    let (everybody, others) = ("bare full odd -", "bare odd -");
    for (dimensions, expected) in [
        (json!({}), everybody),
        (json!({"Attributes": {"team": {"Values": ["Carp"]}}}), "full"),
        (json!({"Attributes": {"team": {"AttributeType": null, "Values": ["Carp"]}}}), "full"),
        (attribute("INCLUSIVE", "team", &["carp"]), ""),
        (attribute("INCLUSIVE", "absent", &["x"]), ""),
        (attribute("EXCLUSIVE", "team", &["Carp", "x"]), others),
        (attribute("EXCLUSIVE", "team", &["x"]), everybody),
        (attribute("EXCLUSIVE", "absent", &["x"]), everybody),
        (attribute("CONTAINS", "team", &["ngel"]), "full"),
        (attribute("CONTAINS", "team", &["angel"]), ""),
        (attribute("CONTAINS", "team", &[""]), "full"),
        (attribute("CONTAINS", "none", &[""]), ""),
        (attribute("BEFORE", "since", &["2026-03-01T10:00:01Z"]), "full"),
        (attribute("BEFORE", "since", &["2026-03-01T10:00:00Z"]), ""),
        (attribute("AFTER", "since", &["2026-03-01T09:59:59Z"]), "full"),
        (attribute("AFTER", "team", &["2026-03-01T09:59:59Z"]), ""),
        (attribute("ON", "since", &["2026-03-01T23:00:00Z"]), "full"),
        (attribute("ON", "since", &["2026-03-02T00:00:00Z"]), ""),
        (attribute("ON", "since", &["2026-03-02T00:30:00+01:00"]), "full"),
        (attribute("BETWEEN", "since", &["2026-02-01T00:00:00Z", "2026-03-01T10:00:00Z"]), "full"),
        (attribute("BETWEEN", "since", &["2026-03-01T10:00:00Z", "2026-02-01T00:00:00Z"]), ""),
        (json!({"UserAttributes": {"plan": {"Values": ["gold"]}}}), "full"),
        (json!({"UserAttributes": {"team": {"Values": ["Carp"]}}}), ""),
        (metric("GREATER_THAN", 3.0), ""),
        (metric("GREATER_THAN_OR_EQUAL", 3.0), "full"),
        (metric("LESS_THAN", 3.5), "full"),
        (metric("LESS_THAN_OR_EQUAL", 2.5), ""),
        (metric("EQUAL", 3.0), "full"),
        (set("Platform", "INCLUSIVE", &["ios", "x"]), "full"),
        (set("Platform", "INCLUSIVE", &[""]), "odd"),
        (set("Platform", "EXCLUSIVE", &["ios", ""]), "bare -"),
        (set("Channel", "EXCLUSIVE", &["SMS"]), others),
        (set("Make", "EXCLUSIVE", &["Apple"]), others),
        (set("Model", "EXCLUSIVE", &["x"]), everybody),
        (set("AppVersion", "INCLUSIVE", &["1"]), ""),
        (set("DeviceType", "INCLUSIVE", &["phone"]), ""),
        (set("DeviceType", "EXCLUSIVE", &["phone"]), everybody),
        (json!({"Location": {"Country": {"Values": ["NO"]}}}), "full"),
        // Oslo to Gothenburg is some 254 km.
        (gps(57.7, 12.0, 260.0), "full"),
        (gps(57.7, 12.0, 250.0), ""),
        (gps(59.9, 10.8, 0.0), "full"),
        (gps(0.0, 0.0, 30_000.0), "full"),
        (recency("ACTIVE", "DAY_14"), "full"),
        (recency("ACTIVE", "DAY_7"), ""),
        (recency("INACTIVE", "DAY_7"), everybody),
        (recency("INACTIVE", "DAY_30"), others),
        (recency("INACTIVE", "HR_24"), everybody),
        (
            json!({"Demographic": {"Channel": {"Values": ["SMS"]}}, "Metrics": {"visits": {"ComparisonOperator": "EQUAL", "Value": 4}}}),
            "",
        ),
        (
            json!({"Attributes": {"team": {"Values": ["Carp"]}, "absent": {"AttributeType": "EXCLUSIVE", "Values": ["x"]}}, "Metrics": {}}),
            "full",
        ),
    ] {
        assert_eq!(members_by(dimensions.clone()).await, expected, "{dimensions}");
    }
}

#[tokio::test]
async fn groups_join_sources_and_criteria() {
    let lake = TestLake::empty().with_snapshot("older", &[r#"{"id":"E"}"#, r#"{"id":"ü"}"#]).with_snapshot(
        "s",
        &[
            r#"{"id":"e","attributes":{"a":["1"]}}
               {"attributes":{"a":["3"]}}"#,
            r#"{"id":"f","attributes":{"a":["1","2"]}}
               {"id":"g","attributes":{"a":["3"]}}
               {"id":"Ü"}"#,
        ],
    );
    let with_a = |value: &str| json!({"Attributes": {"a": {"Values": [value]}}});
    let mut book = SegmentBook::default();
    for (id, version, dimensions) in
        [("one", 1, with_a("1")), ("two", 1, with_a("3")), ("two", 2, with_a("2")), ("three", 7, with_a("3"))]
    {
        let segment =
            json!({"Id": id, "Version": version, "SegmentType": "DIMENSIONAL", "Dimensions": dimensions});
        book.add("book.json", &segment.to_string()).expect("it is read");
    }
    book.add("book.json", r#"{"Id":"imported","SegmentType":"IMPORT"}"#).expect("it is read");
    let sources = |kind: &str| json!({"SourceSegments": [{"Id": "one"}, {"Id": "two"}], "SourceType": kind});
    let criteria = |kind: &str| json!({"Dimensions": [with_a("1"), with_a("2")], "Type": kind});
    let imported = |more: &[Value]| json!({"SourceSegments": [{"Id": "imported"}], "Dimensions": more});
    for (groups, include, expected) in [
        (json!([]), "ANY", "e f g Ü -"),
        (json!(null), "NONE", "e f g Ü -"),
        (json!([{}]), "ALL", "e f g Ü -"),
        (json!([{}]), "NONE", ""),
        (json!([sources("ALL")]), "ALL", "f"),
        (json!([sources("ANY")]), "ALL", "e f"),
        (json!([sources("NONE")]), "ALL", "g Ü -"),
        (json!([criteria("ALL")]), "ALL", "f"),
        (json!([criteria("ANY")]), "ALL", "e f"),
        (json!([criteria("NONE")]), "ALL", "g Ü -"),
        (json!([sources("ANY"), criteria("ALL")]), "ALL", "f"),
        (json!([sources("NONE"), criteria("ALL")]), "ANY", "f g Ü -"),
        (json!([sources("ANY"), criteria("ALL")]), "NONE", "g Ü -"),
        (json!([{"SourceSegments": [{"Id": "two", "Version": 1}]}]), "ALL", "g -"),
        (json!([{"SourceSegments": [{"Id": "two", "Version": null}]}]), "ALL", "f"),
        (json!([imported(&[])]), "ALL", "e Ü"),
        (json!([imported(&[])]), "NONE", "f g -"),
        (json!([imported(&[with_a("1")])]), "ALL", "e"),
        (
            json!([{"SourceSegments": [{"Id": "imported"}, {"Id": "one"}], "SourceType": "NONE"}]),
            "ALL",
            "g -",
        ),
    ] {
        let definition = json!({"SegmentGroups": {"Groups": groups, "Include": include}});
        let parsed = SegmentDefinition::parse("x.json", &definition.to_string()).expect("it is read");
        let snapshots = [("imported".to_owned(), "older".to_owned())];
        let is_imported = definition.to_string().contains("imported");
        let snapshots = snapshots.into_iter().filter(|_| is_imported).collect();
        let segment = Segment::resolve(&parsed, &book, &snapshots).expect("it is resolved");
        assert_eq!(ids(&lake, &segment).await, expected, "{definition}");
    }
}

#[tokio::test]
async fn columns_are_those_asked_for_in_that_order() {
    let lake = TestLake::empty().with_snapshot("s", &[AUDIENCE]);
    let definition = SegmentDefinition::parse("x.json", r#"{"Dimensions":{}}"#).expect("it is read");
    let segment = Segment::resolve(&definition, &SegmentBook::default(), &BTreeMap::new());
    let segment = segment.expect("it is resolved");
    let batches = found(&lake, &segment, &["line", "country", "line"]).await.expect("it is evaluated");
    let names = batches[0].schema().fields().iter().map(|field| field.name().clone()).collect::<Vec<_>>();
    assert_eq!(names, ["line", "country"]);
    let all = found(&lake, &segment, &[]).await.expect("it is evaluated");
    assert_eq!(all[0].num_columns(), crate::test_lake::schema().fields().len());
    let error = found(&lake, &segment, &["colour"]).await.expect_err("there is none");
    assert!(error.to_string().starts_with("there is no column \"colour\"; there are id, "), "{error}");
}

/// The planner walks expressions by recursion, so neither depth nor width may reach its stack; tests have the smallest.
#[tokio::test]
async fn wide_and_deep_segments_are_evaluated() {
    let lake = TestLake::empty().with_snapshot("s", &[AUDIENCE]);
    let many = |from: usize, count: usize| -> Value {
        let dimension =
            |at: usize| (format!("a{at}"), json!({"AttributeType": "EXCLUSIVE", "Values": ["x"]}));
        json!({"Attributes": Value::Object((from..from + count).map(dimension).collect())})
    };
    let mixed = json!({
        "Attributes": many(0, 96)["Attributes"],
        "Demographic": {"Platform": {"DimensionType": "EXCLUSIVE", "Values": ["web"]}},
        "Location": {"Country": {"DimensionType": "EXCLUSIVE", "Values": ["SE"]}},
        "Behavior": {"Recency": {"RecencyType": "INACTIVE", "Duration": "HR_24"}},
    });
    let mut book = SegmentBook::default();
    let mut add = |id: String, groups: Value| {
        book.add("book.json", &json!({"Id": id, "SegmentGroups": {"Groups": groups}}).to_string())
            .expect("it is read");
    };
    for depth in 1..8 {
        let source = json!({"Id": format!("d{}", depth + 1)});
        add(format!("d{depth}"), json!([{"SourceSegments": [source], "Dimensions": [many(depth, 1)]}]));
    }
    add("d8".to_owned(), json!([{"Dimensions": vec![mixed.clone(); 100], "Type": "ALL"}]));
    let wide: Vec<Value> = (0..100).map(|_| json!({"Dimensions": [mixed], "Type": "NONE"})).collect();
    let groups = json!([
        {"SourceSegments": [{"Id": "d1"}]},
        {"SourceSegments": vec![json!({"Id": "d7"}); 20], "SourceType": "ANY"},
    ]);
    for (groups, include, expected) in [(groups, "ALL", "bare full odd -"), (json!(wide), "ANY", "")] {
        let definition = json!({"SegmentGroups": {"Groups": groups, "Include": include}}).to_string();
        let definition = SegmentDefinition::parse("x.json", &definition).expect("it is read");
        let segment = Segment::resolve(&definition, &book, &BTreeMap::new()).expect("it is resolved");
        assert_eq!(ids(&lake, &segment).await, expected);
    }
}

#[test]
fn every_form_of_a_definition_is_read() {
    let own = r#"{"Name":"x","tags":{"a":"b"},"Dimensions":{"Attributes":null,"Location":{}}}"#;
    for form in [
        own.to_owned(),
        format!("\u{feff}{own}"),
        format!(r#"{{"WriteSegmentRequest":{own}}}"#),
        format!(r#"{{"SegmentResponse":{own}}}"#),
        format!(r#"{{"ResponseMetadata":{{}},"SegmentResponse":{own}}}"#),
        format!(r#"{{"Item":[{own}]}}"#),
        format!(r#"{{"SegmentsResponse":{{"Item":[{own}],"NextToken":"t"}}}}"#),
        r#"{"Dimensions":{},"SegmentGroups":{"Groups":[]}}"#.to_owned(),
        r#"{"Dimensions":{},"SegmentGroups":{"Groups":[{"Dimensions":null}]}}"#.to_owned(),
    ] {
        let definition = SegmentDefinition::parse("x.json", &form).map_err(|error| chain(&error));
        let segment = Segment::resolve(&definition.expect(&form), &SegmentBook::default(), &BTreeMap::new());
        assert!(segment.is_ok_and(|segment| !segment.has_recency()), "{form}");
    }
}

#[tokio::test]
async fn members_need_a_snapshot_that_is_there() {
    let lake = TestLake::empty().with_snapshot("s", &[AUDIENCE]);
    let definition =
        SegmentDefinition::parse("x.json", r#"{"Id":"i","SegmentType":"IMPORT"}"#).expect("it is read");
    let snapshots = BTreeMap::from([("i".to_owned(), "t".to_owned())]);
    let segment = Segment::resolve(&definition, &SegmentBook::default(), &snapshots).expect("it is resolved");
    let error = found(&lake, &segment, &[]).await.expect_err("there is no such snapshot");
    assert_eq!(error.to_string(), "there is no snapshot \"t\"; the lake has s");
}
