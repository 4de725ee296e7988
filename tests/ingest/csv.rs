//! Pieces of CSV: Pinpoint's import files and the console's exports of segments become rows like any others.

use serde_json::{Value, json};

use super::row;
use crate::harness::{Room, gzip};

/// The header of a segment that the console exported (aws-samples/retail-demo-store#423), and a record as it has them.
const CONSOLE_EXPORT: &str = "\u{feff}Id,ChannelType,Address,EndpointStatus,OptOut,RequestId,Demographic.Make,Demographic.Model,\
    Demographic.ModelVersion,Demographic.AppVersion,Demographic.Platform,EffectiveDate,Attributes.LastSignInDate,Attributes.SignUpDate,\
    Metrics.itemsInCart,User.UserId,User.UserStatus,User.UserAttributes.Age,User.UserAttributes.FirstName\r\n\
    goy4ne0a7jvyqfcw/j37bf2ajp4,EMAIL,\"o'neil, jo@example.com\",ACTIVE,NONE,,,,,,web,2026-10-20T08:30:00.000Z,,\
    2026-01-02T00:00:00Z,3.0,u-1,CONFIRMED,34,\"Jo \"\"J\"\"\"\r\n";

/// The sample of AWS's page on imports, with values of our own.
const IMPORT_FILE: &str = "ChannelType,Address,Location.Country,Location.PostalCode,Demographic.Platform,Demographic.Make,User.UserId,\
    User.UserAttributes.f,User.UserAttributes.f,Location.Latitude,Nickname\n\
    SMS,12065550182,CAN,V5K 0A1,Android,LG,example-user-id-1,test10,test20,49.3,\n\
    APNS,1a2b3c4d5e6f7g8h9i0j,USA,02116,iOS,Apple,example-user-id-2,,test,far north,Al\n";

#[test]
fn console_exports_and_import_files_become_rows() {
    let room = Room::new();
    room.write("in/export.csv.gz", gzip(CONSOLE_EXPORT));
    room.write("in/import.csv", IMPORT_FILE);
    room.write("in/last.json", "{\"Id\":\"x\"}\n");
    let ran = room.pinlake(&["convert", "in", "--snapshot", "s", "--expect-rows", "4"]).succeeds();
    assert!(ran.stderr.contains("4 endpoints from 3 pieces"), "{ran}");
    let expected = [
        row(
            &json!({
                "id": "goy4ne0a7jvyqfcw/j37bf2ajp4", "channel_type": "EMAIL", "address": "o'neil, jo@example.com",
                "endpoint_status": "ACTIVE", "opt_out": "NONE", "platform": "web",
                "effective_date": "2026-10-20T08:30:00Z", "attributes": {"SignUpDate": ["2026-01-02T00:00:00Z"]},
                "metrics": {"itemsInCart": 3.0}, "user_id": "u-1",
                "user_attributes": {"Age": ["34"], "FirstName": ["Jo \"J\""]},
                "extra": "{\"User\":{\"UserStatus\":\"CONFIRMED\"}}",
            }),
            "export.csv.gz",
            2,
        ),
        row(
            &json!({
                "channel_type": "SMS", "address": "12065550182", "country": "CAN", "postal_code": "V5K 0A1",
                "platform": "Android", "make": "LG", "user_id": "example-user-id-1", "latitude": 49.3,
                "user_attributes": {"f": ["test10", "test20"]},
            }),
            "import.csv",
            2,
        ),
        row(
            &json!({
                "channel_type": "APNS", "address": "1a2b3c4d5e6f7g8h9i0j", "country": "USA", "postal_code": "02116",
                "platform": "iOS", "make": "Apple", "user_id": "example-user-id-2", "user_attributes": {"f": ["test"]},
                "extra": "{\"Location\":{\"Latitude\":\"far north\"},\"Nickname\":\"Al\"}",
            }),
            "import.csv",
            3,
        ),
        row(&json!({"id": "x"}), "last.json", 1),
    ];
    assert_eq!(room.lake().rows("s"), expected);
    let manifest = room.lake().manifest("s");
    let counts =
        |piece: &Value| ["lines", "rows", "rejects", "blank"].map(|name| piece[name].as_u64().unwrap());
    let pieces = manifest["pieces"].as_array().unwrap();
    // Of CSV the header is a line that is neither row nor reject.
    assert_eq!(pieces.iter().map(counts).collect::<Vec<_>>(), [[2, 1, 0, 1], [3, 2, 0, 1], [1, 1, 0, 0]]);
    let drift = manifest["drift"].to_string();
    for member in ["User.UserStatus", "Location.Latitude", "Nickname"] {
        assert!(drift.contains(member), "{drift}");
    }
    room.lake().assert_sound();
    room.pinlake(&["snapshots", "verify", "--deep"]).succeeds();
    let query = "select user_id, line from read_pieces('in/import.csv') order by line";
    let expected = [
        json!({"user_id": "example-user-id-1", "line": 2}),
        json!({"user_id": "example-user-id-2", "line": 3}),
    ];
    assert_eq!(room.sql(query), expected);
}

#[test]
fn what_is_no_record_is_a_reject_with_its_line_and_byte() {
    let room = Room::new();
    let lines = [
        "Id,Address,ChannelType",
        "1,a@example.com,EMAIL",
        "2,\"open,EMAIL",
        "",
        "3,c@example.com",
        "4,\"d\",\"SMS\"",
    ];
    room.write("in/a.csv", lines.join("\r\n"));
    let ran = room.pinlake(&["convert", "in", "--snapshot", "s"]).fails(5, &["rejects.ndjson"]);
    assert!(!ran.stderr.contains("open"), "{ran}");
    room.pinlake(&["convert", "in", "--snapshot", "s", "--max-rejects", "50%"]).succeeds();
    assert_eq!(room.lake().ids("s"), ["1", "4"]);
    let expected = [
        json!({
            "piece": "a.csv", "line": 3, "offset": 47, "raw": "2,\"open,EMAIL",
            "reason": "not CSV: text behind a closing quote at byte 37 of the record",
        }),
        json!({
            "piece": "a.csv", "line": 5, "offset": 64, "raw": "3,c@example.com",
            "reason": "a record of 2 cells, where the header has 3",
        }),
    ];
    assert_eq!(room.lake().rejects("s"), expected);
    let counts = room.lake().manifest("s")["totals"].clone();
    assert_eq!([&counts["lines"], &counts["rows"], &counts["rejects"], &counts["blank"]], [6, 2, 2, 2]);
}

#[test]
fn a_file_that_only_looks_like_one_of_endpoints_is_refused_by_name() {
    let room = Room::new();
    for (piece, told) in [
        ("id;address\n1;secret\n", "no column is named for a member of an endpoint"),
        ("secret@example.com,1\n", "no column is named for a member of an endpoint"),
        ("Id,\"Address\n1,secret\n", "a quote that nothing closes"),
        ("Id,Id.Of\n", "column 2"),
    ] {
        room.write("in/people.csv", piece);
        let ran =
            room.pinlake(&["convert", "in", "--snapshot", "s"]).fails(7, &["people.csv", "line 1", told]);
        assert!(!ran.stderr.contains("secret"), "{ran}");
        assert_eq!(room.lake().parquet_files().len(), 0);
    }
}

#[test]
fn columns_are_redacted_and_rejects_lose_their_text() {
    let room = Room::new();
    room.write("a.csv", "Id,Address,Attributes.Name,Zip\n1,a@example.com,Alice,0150\n2,\"b@example.com\n");
    let redact = "address=mask,attributes.Name,extra";
    room.pinlake(&["convert", "a.csv", "--snapshot", "s", "--max-rejects", "1", "--redact", redact])
        .succeeds();
    let rows = room.lake().rows("s");
    assert_eq!(rows[0]["address"], json!("***@example.com"));
    let lake = room.lake().rejects("s")[0].to_string() + &Value::from(rows).to_string();
    for secret in ["Alice", "a@ex", "b@ex", "0150"] {
        assert!(!lake.contains(secret), "{lake}");
    }
}
