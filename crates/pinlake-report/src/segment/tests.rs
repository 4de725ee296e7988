//! Segments over small lakes: each dimension, groups, sources, imported members, and what is refused.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use arrow::array::{AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use serde_json::{Value, json};

use super::*;
use crate::kind::ErrorKind;
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

/// What a definition is refused with, its causes included.
fn refusal(definition: &str, book: &[&str], imported: &[(&str, &str)]) -> String {
    let refused = || -> Result<Segment, SegmentError> {
        let mut segments = SegmentBook::default();
        for text in book {
            segments.add("book.json", text)?;
        }
        let owned = |(id, snapshot): &(&str, &str)| ((*id).to_owned(), (*snapshot).to_owned());
        let imported = imported.iter().map(owned).collect();
        Segment::resolve(&SegmentDefinition::parse("x.json", definition)?, &segments, &imported)
    };
    let error = refused().expect_err(definition);
    assert_eq!(error.kind(), ErrorKind::Usage);
    chain(&error)
}

#[test]
fn a_rule_that_is_not_understood_is_refused() {
    for (definition, told) in [
        ("", "x.json is no segment definition: EOF"),
        ("[]", "expected an object"),
        ("{}", "x.json holds no segment"),
        (r#"{"Name":"x","Dimension":{}}"#, "x.json holds no segment"),
        (r#"{"Dimensions":null}"#, "x.json holds no segment"),
        (r#"{"Dimensions":[]}"#, "expected an object"),
        (r#"{"Dimensions":{"Colour":{}}}"#, "unknown field `Colour`"),
        (r#"{"Dimensions":{"Demographic":{"Colour":{"Values":["x"]}}}}"#, "unknown field `Colour`"),
        (r#"{"Dimensions":{"Behavior":[]}}"#, "expected an object"),
        (r#"{"Dimensions":{"Attributes":{"a":{"Values":["x"],"Fold":true}}}}"#, "unknown field `Fold`"),
        (
            r#"{"Dimensions":{"Attributes":{"a":{"AttributeType":"LIKE","Values":["x"]}}}}"#,
            "unknown variant `LIKE`",
        ),
        (
            r#"{"Dimensions":{"Attributes":{"a":{"Values":["x"]},"a":{"Values":["y"]}}}}"#,
            "`a` is given twice",
        ),
        (r#"{"Dimensions":{"Location":{},"Location":{}}}"#, "duplicate field `Location`"),
        (
            r#"{"Dimensions":{"Metrics":{"m":{"ComparisonOperator":"NEAR","Value":1}}}}"#,
            "unknown variant `NEAR`",
        ),
        (r#"{"Dimensions":{"Metrics":{"m":["EQUAL",1]}}}"#, "expected an object"),
        (r#"{"SegmentGroups":{"Groups":[{"Kind":"ALL"}]}}"#, "unknown field `Kind`"),
        (r#"{"SegmentGroups":{"Groups":[[]]}}"#, "expected an object"),
        (
            r#"{"SegmentGroups":{"Groups":[{"SourceSegments":[{"Id":"s","Name":"n"}]}]}}"#,
            "unknown field `Name`",
        ),
        (r#"{"SegmentGroups":{"Include":"SOME"}}"#, "unknown variant `SOME`"),
        (r#"{"SegmentType":"SIMPLE","Dimensions":{}}"#, "unknown variant `SIMPLE`"),
        (
            r#"{"Dimensions":{"Attributes":{"a":{"Values":["x"]}}},"SegmentGroups":{"Groups":[{}]}}"#,
            "Dimensions and SegmentGroups",
        ),
        (r#"{"SegmentType":"IMPORT","SegmentGroups":{"Groups":[{}]}}"#, "ImportDefinition and rules"),
        (
            r#"{"Dimensions":{},"SegmentResponse":{}}"#,
            "side by side: SegmentResponse, a segment without a wrapper",
        ),
        (r#"{"SegmentsResponse":{"Item":[]}}"#, "x.json holds 0 segments"),
        (r#"{"Item":[{"Id":"a","Dimensions":{}},{"Id":"b","Dimensions":{}}]}"#, "x.json holds 2 segments"),
    ] {
        let refused = refusal(definition, &[], &[]);
        assert!(refused.contains(told), "{definition}: {refused}");
    }
}

#[test]
fn dimensions_that_mean_nothing_are_refused() {
    for (dimensions, told) in [
        (json!({"Attributes": {"a": {"Values": []}}}), "Attributes.a must have at least one value"),
        (
            json!({"UserAttributes": {"a": {"AttributeType": "EXCLUSIVE", "Values": []}}}),
            "UserAttributes.a must have at least one value",
        ),
        (
            json!({"Attributes": {"a": {"AttributeType": "BETWEEN", "Values": ["2026-01-01T00:00:00Z"]}}}),
            "Attributes.a must have two values",
        ),
        (
            json!({"Attributes": {"a": {"AttributeType": "ON", "Values": ["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"]}}}),
            "Attributes.a must have one value",
        ),
        (
            json!({"Attributes": {"a": {"AttributeType": "AFTER", "Values": ["2026-01-01"]}}}),
            "Attributes.a must have dates",
        ),
        (json!({"Demographic": {"Make": {"Values": []}}}), "Demographic.Make must have at least"),
        (json!({"Location": {"Country": {"Values": []}}}), "Location.Country must have at least"),
        (
            json!({"Location": {"GPSPoint": {"Coordinates": {"Latitude": 91, "Longitude": 0}, "RangeInKilometers": 1}}}),
            "Location.GPSPoint must have",
        ),
        (
            json!({"Location": {"GPSPoint": {"Coordinates": {"Latitude": 9, "Longitude": 0}}}}),
            "Location.GPSPoint must have",
        ),
        (
            json!({"Location": {"GPSPoint": {"Coordinates": {"Latitude": 9, "Longitude": 0}, "RangeInKilometers": -1}}}),
            "Location.GPSPoint must have",
        ),
        (json!({"Location": {"GPSPoint": {"RangeInKilometers": 1}}}), "Location.GPSPoint must have"),
    ] {
        let refused = refusal(&json!({ "Dimensions": dimensions }).to_string(), &[], &[]);
        assert!(refused.contains(told) && refused.starts_with("x.json: "), "{refused}");
    }
    let many = |count: usize| -> Value {
        let all = (0..count).map(|at| (format!("a{at}"), json!({"Values": ["x"]}))).collect();
        json!({"Id": "s", "Dimensions": {"Attributes": Value::Object(all)}})
    };
    assert!(refusal(&many(101).to_string(), &[], &[]).starts_with("segment s has 101 dimensions"));
    let most = SegmentDefinition::parse("x.json", &many(100).to_string()).expect("it is read");
    assert!(Segment::resolve(&most, &SegmentBook::default(), &BTreeMap::new()).is_ok());
}

#[test]
fn what_a_segment_stands_on_must_be_there_and_end() {
    let on = |reference: Value| json!({"SegmentGroups": {"Groups": [{"SourceSegments": [reference]}]}});
    let refused = refusal(&on(json!({"Id": "s1"})).to_string(), &[], &[]);
    assert!(refused.contains("x.json stands on segment s1, which was not given; get it with `aws pinpoint get-segment --application-id ID --segment-id s1 > s1.json` and give --segments s1.json"), "{refused}");
    let book =
        json!({"SegmentsResponse": {"Item": [{"Id": "s1", "Version": 2, "Dimensions": {}}]}}).to_string();
    let refused = refusal(&on(json!({"Id": "s1", "Version": 1})).to_string(), &[&book], &[]);
    assert!(refused.contains("in version 1, which was not given (given are versions 2)"), "{refused}");
    assert!(refused.contains("get-segment-version") && refused.contains("--segment-version 1"), "{refused}");

    let other = json!({"Id": "s1", "Version": 2, "SegmentGroups": {}}).to_string();
    let refused = refusal(&on(json!({"Id": "s1"})).to_string(), &[&book, &other], &[]);
    assert_eq!(refused, "segment s1 is given twice, with different rules for version 2");

    let imported =
        r#"{"SegmentResponse":{"Id":"i","Version":1,"ImportDefinition":{"Size":3},"SegmentType":"IMPORT"}}"#;
    let on_imported = on(json!({"Id": "i"})).to_string();
    let refused = refusal(&on_imported, &[imported], &[]);
    assert!(
        refused.contains("segment i was imported") && refused.contains("--members i=SNAPSHOT"),
        "{refused}"
    );
    assert!(refusal(imported, &[], &[]).contains("segment i was imported"));
    let refused = refusal(&on_imported, &[imported], &[("i", "s"), ("j", "s")]);
    assert!(refused.contains("--members j") && refused.contains("it has i"), "{refused}");

    let mut itself = on(json!({"Id": "loop"}));
    itself["Id"] = json!("loop");
    let refused = refusal(&itself.to_string(), &[], &[]);
    assert!(refused.contains("more than 8 deep, or one on itself: segment loop > loop > loop"), "{refused}");
    let many = json!({"SegmentGroups": {"Groups": [{"SourceSegments": vec![json!({"Id": "s1"}); 1001]}]}});
    assert!(refusal(&many.to_string(), &[&book], &[]).contains("stands on more than 1000 segments"));
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
