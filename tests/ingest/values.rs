//! What becomes of a member: its column, a lossless conversion, or `extra`.

use serde_json::json;

use super::assert_lines;
use crate::harness::{Room, gzip};

/// A line with every member of an `EndpointResponse`.
const FULL: &str = r#"{"ChannelType":"EMAIL","Address":"a@example.com","EndpointStatus":"ACTIVE","OptOut":"NONE","RequestId":"r-1","Location":{"PostalCode":"98101","City":"Seattle","Region":"WA","Country":"USA","Latitude":47.6,"Longitude":-122.3},"Demographic":{"Make":"OnePlus","Model":"Nord 4","ModelVersion":"CPH2663","Timezone":"America/New_York","Locale":"en_US","AppVersion":"3.1.0","Platform":"android","PlatformVersion":"14"},"EffectiveDate":"2025-02-12T11:20:13.627Z","Attributes":{"Team":["Angels","Carp"],"empty":[]},"Metrics":{"sessions":6.0,"spend":-0.25},"User":{"UserId":"u-3","UserAttributes":{"Age":["39"]}},"ApplicationId":"9b74","Id":"goy4","CohortId":"63","CreationDate":"2024-01-02T03:04:05.123456Z"}"#;

/// The same with the members in another order, and white space wherever JSON allows it.
const FULL_IN_ANOTHER_ORDER: &str = "\t{ \"CreationDate\" : \"2024-01-02T03:04:05.123456Z\" , \"CohortId\" : \"63\", \"Id\":\"goy4\",\"ApplicationId\":\"9b74\", \"User\":{\"UserAttributes\":{ \"Age\" : [ \"39\" ] },\"UserId\":\"u-3\"}, \"Metrics\":{\"spend\":-0.25,\"sessions\":6}, \"Attributes\":{\"empty\":[ ],\"Team\":[\"Angels\",\"Carp\"]}, \"EffectiveDate\":\"2025-02-12T11:20:13.627Z\", \"Demographic\":{\"PlatformVersion\":\"14\",\"Platform\":\"android\",\"AppVersion\":\"3.1.0\",\"Locale\":\"en_US\",\"Timezone\":\"America/New_York\",\"ModelVersion\":\"CPH2663\",\"Model\":\"Nord 4\",\"Make\":\"OnePlus\"}, \"Location\":{\"Longitude\":-122.3,\"Latitude\":47.6,\"Country\":\"USA\",\"Region\":\"WA\",\"City\":\"Seattle\",\"PostalCode\":\"98101\"}, \"RequestId\":\"r-1\",\"OptOut\":\"NONE\",\"EndpointStatus\":\"ACTIVE\",\"Address\":\"a@example.com\",\"ChannelType\":\"EMAIL\" } \r";

#[test]
fn every_member_has_its_column_in_any_order() {
    let full = json!({
        "id": "goy4",
        "application_id": "9b74",
        "channel_type": "EMAIL",
        "endpoint_status": "ACTIVE",
        "opt_out": "NONE",
        "cohort_id": "63",
        "address": "a@example.com",
        "request_id": "r-1",
        "creation_date": "2024-01-02T03:04:05.123456Z",
        "effective_date": "2025-02-12T11:20:13.627Z",
        "city": "Seattle",
        "region": "WA",
        // As it came: only reports make alpha-2 of it.
        "country": "USA",
        "postal_code": "98101",
        "latitude": 47.6,
        "longitude": -122.3,
        "app_version": "3.1.0",
        "locale": "en_US",
        "make": "OnePlus",
        "model": "Nord 4",
        "model_version": "CPH2663",
        "platform": "android",
        "platform_version": "14",
        "timezone": "America/New_York",
        "attributes": { "Team": ["Angels", "Carp"], "empty": [] },
        "metrics": { "sessions": 6.0, "spend": -0.25 },
        "user_id": "u-3",
        "user_attributes": { "Age": ["39"] },
    });
    assert_lines(&[(FULL, full.clone()), (FULL_IN_ANOTHER_ORDER, full)]);
}

#[test]
fn absent_null_and_empty_are_told_apart() {
    assert_lines(&[
        ("{}", json!({})),
        (r#"{"Id":"1"}"#, json!({ "id": "1" })),
        (r#"{"Id":"","Address":""}"#, json!({ "id": "", "address": "" })),
        (r#"{"Id":null,"Metrics":null,"User":null,"Location":null,"CreationDate":null}"#, json!({})),
        (
            r#"{"Location":{},"Demographic":{},"Attributes":{},"Metrics":{},"User":{"UserAttributes":{}}}"#,
            json!({ "attributes": {}, "metrics": {}, "user_attributes": {} }),
        ),
        (r#"{"User":{}}"#, json!({})),
    ]);
}

#[test]
fn odd_values_are_converted_where_nothing_is_lost() {
    assert_lines(&[
        (r#"{"Address":81901234567}"#, json!({ "address": "81901234567" })),
        (r#"{"Address":1.50,"OptOut":true}"#, json!({ "address": "1.50", "opt_out": "true" })),
        (
            r#"{"CohortId":63,"Location":{"PostalCode":93101}}"#,
            json!({ "cohort_id": "63", "postal_code": "93101" }),
        ),
        (
            r#"{"Location":{"Latitude":"47.6","Longitude":"-1e2"}}"#,
            json!({ "latitude": 47.6, "longitude": -100.0 }),
        ),
        (
            r#"{"Metrics":{"visits":"6","spend":1.5e2}}"#,
            json!({ "metrics": { "visits": 6.0, "spend": 150.0 } }),
        ),
        (
            r#"{"Attributes":{"plan":"gold","n":7,"vip":false,"note":null}}"#,
            json!({ "attributes": { "plan": ["gold"], "n": ["7"], "vip": ["false"], "note": [] } }),
        ),
        (
            r#"{"Attributes":{"mixed":["a",null,1,true]}}"#,
            json!({ "attributes": { "mixed": ["a", null, "1", "true"] } }),
        ),
        (
            r#"{"User":{"UserAttributes":{"Gender":"Female","Age":39}}}"#,
            json!({ "user_attributes": { "Gender": ["Female"], "Age": ["39"] } }),
        ),
        (r#"{"Address":"caf\u00e9 \ud83d\ude00\/\t"}"#, json!({ "address": "café 😀/\t" })),
        (
            r#"{"\u0049d":"escaped","Location":{"City":"広島市"}}"#,
            json!({ "id": "escaped", "city": "広島市" }),
        ),
    ]);
}

#[test]
fn dates_are_brought_to_utc_and_microseconds() {
    let date = |shown: &str| json!({ "creation_date": shown });
    let unfit = |line: &str| json!({ "extra": line });
    let cases = [
        ("2026-10-29T14:00:00+02:00", Some("2026-10-29T12:00:00Z")),
        ("2026-10-29T12:00:00.5-00:30", Some("2026-10-29T12:30:00.500Z")),
        ("1969-12-31T23:59:59.999999Z", Some("1969-12-31T23:59:59.999999Z")),
        ("2024-02-29T00:00:00.123456000Z", Some("2024-02-29T00:00:00.123456Z")),
        ("2024-02-29T00:00:00.1234567Z", None),
        ("2025-02-29T00:00:00Z", None),
        ("2025-02-28T24:00:00Z", None),
        ("2025-02-28", None),
        ("yesterday", None),
        ("", None),
    ];
    let lines: Vec<String> =
        cases.iter().map(|(text, _)| format!("{{\"CreationDate\":\"{text}\"}}")).collect();
    let mut expected: Vec<_> = lines
        .iter()
        .zip(cases)
        .map(|(line, (_, shown))| (line.as_str(), shown.map_or_else(|| unfit(line), date)))
        .collect();
    let epoch = r#"{"CreationDate":1739359213627}"#;
    expected.push((epoch, unfit(epoch)));
    assert_lines(&expected);
}

#[test]
fn what_has_no_column_or_does_not_fit_goes_to_extra_as_it_came() {
    let whole = |line: &'static str| (line, json!({ "extra": line }));
    assert_lines(&[
        (
            r#"{"Id":"1","Zip":"x","Location":{"City":"Y","Altitude":12.50}}"#,
            json!({ "id": "1", "city": "Y", "extra": r#"{"Zip":"x","Location":{"Altitude":12.50}}"# }),
        ),
        // Keys are exact.
        whole(r#"{"id":"1"}"#),
        whole(r#"{"Unknown":null}"#),
        whole(r#"{"Deep":{"a":[1,{"b":1E400}],"c":"\ud800"}}"#),
        whole(r#"{"Address":{"a": [1, 2]}}"#),
        whole(r#"{"Address":"\ud800"}"#),
        whole(r#"{"Location":{"Latitude":1e400}}"#),
        whole(r#"{"Location":{"Latitude":true,"Longitude":"x"}}"#),
        whole(r#"{"Location":{"Latitude":" 6","Longitude":"6 apples"}}"#),
        whole(r#"{"Location":"Tokyo"}"#),
        whole(r#"{"Attributes":[1],"Metrics":"none"}"#),
        whole(r#"{"User":{"UserStatus":"x","UserAttributes":5}}"#),
        // Map entries that do not fit go alone; their neighbours stay.
        (
            r#"{"Attributes":{"a":["x"],"b":{"c":1},"d":[["y"]],"e":["z"]},"Metrics":{"m":1,"n":"x","o":null}}"#,
            json!({
                "attributes": { "a": ["x"], "e": ["z"] },
                "metrics": { "m": 1.0 },
                "extra": r#"{"Attributes":{"b":{"c":1},"d":[["y"]]},"Metrics":{"n":"x","o":null}}"#,
            }),
        ),
    ]);
}

#[test]
fn of_a_repeated_member_the_last_wins() {
    assert_lines(&[
        (r#"{"Id":"a","Id":"b"}"#, json!({ "id": "b" })),
        (r#"{"Id":"a","Id":null}"#, json!({})),
        // Of a repeated object the last wins whole.
        (r#"{"Location":{"City":"A","x":1},"Location":{"Country":"B"}}"#, json!({ "country": "B" })),
        (r#"{"Attributes":{"a":["1"],"a":["2"]}}"#, json!({ "attributes": { "a": ["2"] } })),
        (r#"{"Zip":1,"Zip":2}"#, json!({ "extra": r#"{"Zip":2}"# })),
    ]);
}

#[test]
fn drift_is_counted_with_its_first_place() {
    let room = Room::new();
    room.write("in/a.gz", gzip("{\"Id\":\"1\"}\n{\"Zip\":1,\"Metrics\":{\"m\":\"6\"}}"));
    room.write("in/b.gz", gzip("{\"Zip\":2,\"Location\":{\"Latitude\":[],\"Altitude\":1}}"));
    room.pinlake(&["convert", "in", "--snapshot", "s"]).succeeds();
    let drift = room.lake().manifest("s")["drift"].clone();
    assert_eq!(drift["members"]["Zip"], json!({ "count": 2, "first": { "piece": "a.gz", "line": 2 } }));
    assert_eq!(drift["members"]["Location.Altitude"]["count"], json!(1));
    let values = drift["values"].as_object().unwrap();
    assert!(values.keys().any(|key| key.contains("Metrics.m")), "{drift}");
    assert!(values.keys().any(|key| key.contains("Location.Latitude")), "{drift}");
}
