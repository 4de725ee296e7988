//! What is refused, and how it is told.

use serde_json::{Value, json};

use super::*;
use crate::kind::ErrorKind;
use crate::test_lake::chain;

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
    let wide =
        json!({"Id": "w", "SegmentGroups": {"Groups": [{"Dimensions": vec![json!({}); 101]}]}}).to_string();
    let many = json!({"SegmentGroups": {"Groups": [{"SourceSegments": vec![json!({"Id": "w"}); 100]}]}});
    assert!(refusal(&many.to_string(), &[&wide], &[]).starts_with("x.json has more than 10000 sets"));
}
