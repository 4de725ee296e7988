//! `pinlake segment evaluate`, as a user meets it: forms, sources, imported members, moments, refusals. That its members are those of
//! the local Pinpoint is held in `agreement`.

mod agreement;
mod audience;
mod definitions;

use serde_json::{Value, json};

use crate::harness::{Room, World, gzip, lines_piece, parquet_rows};

/// Five endpoints in two pieces, and an older snapshot with one of them under an id in capitals.
fn room() -> Room {
    let room = Room::new();
    room.write(
        "pieces/part-0.gz",
        lines_piece(&[
            r#"{"Id":"c","ChannelType":"EMAIL","Address":"c@example.com","Location":{"Country":"JP"},"Attributes":{"plan":["gold"]}}"#,
            r#"{"Id":"a","ChannelType":"SMS","Address":"+1","Location":{"Country":"JP"},"EffectiveDate":"2026-10-20T00:00:00Z"}"#,
            r#"{"Id":"b","ChannelType":"SMS","Location":{"Country":"NO"},"EffectiveDate":"2026-10-29T00:00:00Z"}"#,
        ]),
    );
    room.write(
        "pieces/part-1.gz",
        lines_piece(&[r#"{"ChannelType":"SMS"}"#, r#"{"Id":"d","Attributes":{}}"#]),
    );
    room.write("import/part-0.gz", lines_piece(&[r#"{"Id":"A"}"#]));
    room.pinlake(&["convert", "import", "--snapshot", "imported"]).succeeds();
    room.pinlake(&["convert", "pieces", "--snapshot", "s"]).succeeds();
    room.write("jp.json", r#"{"Name":"Japan","Dimensions":{"Location":{"Country":{"Values":["JP"]}}}}"#);
    room
}

/// The ids that a command with `--columns id --format json` tells.
fn ids(room: &Room, args: &[&str]) -> Vec<Value> {
    let ran =
        room.pinlake(&["segment", "evaluate"]).args(args).args(&["--columns", "id", "--format", "json"]);
    ran.succeeds().rows().into_iter().map(|row| row["id"].clone()).collect()
}

#[test]
fn members_come_in_every_format_and_are_counted_on_stderr() {
    let room = room();
    let evaluate = |args: &[&str]| room.pinlake(&["segment", "evaluate", "jp.json"]).args(args).succeeds();
    let csv = evaluate(&["--columns", "id,country", "--format", "csv"]);
    assert_eq!(csv.stdout, "id,country\r\na,JP\r\nc,JP\r\n");
    assert_eq!(csv.stderr, "2 of 5 endpoints of snapshot s are members\n");
    assert_eq!(evaluate(&["--quiet", "--format", "csv"]).stderr, "");
    let lines = evaluate(&["--format", "ndjson"]).json_lines();
    assert_eq!(lines, room.sql("select * from endpoints where country = 'JP' order by id"));
    assert_eq!(lines[1]["attributes"], json!({"plan": ["gold"]}));
    assert_eq!(evaluate(&["--format", "json"]).rows(), lines);
    let table = evaluate(&["--columns", "address"]).stdout;
    assert!(table.contains("c@example.com") && table.contains("+1"), "{table}");
    assert!(evaluate(&["--format", "markdown", "--columns", "id"]).stdout.contains("| a"));
    for name in ["out.parquet", "out.xlsx", "out.html", "out.csv"] {
        let ran = evaluate(&["--out", name]);
        assert!(ran.stdout.is_empty() && ran.stderr.contains(&format!("wrote {name}")), "{ran}");
        assert!(ran.stderr.ends_with("2 of 5 endpoints of snapshot s are members\n"), "{ran}");
    }
    let rows = parquet_rows(&room.path("out.parquet"));
    let found: Vec<&Value> = rows.iter().map(|row| &row["id"]).collect();
    assert_eq!(found, ["a", "c"]);
    assert!(room.names().iter().all(|name| !name.contains("partial")));
    // Nobody is an answer too.
    room.write("nobody.json", r#"{"Dimensions":{"Demographic":{"DeviceType":{"Values":["x"]}}}}"#);
    let ran = room.pinlake(&["segment", "evaluate", "nobody.json", "--format", "json"]).succeeds();
    assert_eq!((ran.rows(), ran.stderr.as_str()), (vec![], "0 of 5 endpoints of snapshot s are members\n"));
    assert_eq!(ids(&room, &["jp.json", "--snapshot", "imported"]), Vec::<Value>::new());
}

#[test]
fn a_definition_may_come_from_stdin_and_in_every_form() {
    let room = room();
    let own = room.read("jp.json");
    let forms = [
        own.clone(),
        format!("{{\"SegmentResponse\":{own}}}"),
        format!("{{\"WriteSegmentRequest\": {own}}}"),
        format!("{{\"SegmentsResponse\": {{\"Item\":[{own}]}}}}"),
    ];
    for form in forms {
        let ran = room.pinlake(&["segment", "evaluate", "-", "--format", "csv", "--columns", "id"]);
        assert_eq!(ran.stdin(&form).succeeds().stdout, "id\r\na\r\nc\r\n", "{form}");
    }
}

#[test]
fn sources_are_looked_up_in_files_and_folders() {
    let room = room();
    room.write(
        "on.json",
        r#"{"SegmentGroups":{"Groups":[{"SourceSegments":[{"Id":"s1"},{"Id":"s2","Version":1}]}]}}"#,
    );
    let command = "aws pinpoint get-segment --application-id ID --segment-id s1 > s1.json";
    room.pinlake(&["segment", "evaluate", "on.json"])
        .fails(2, &["on.json", "segment s1", command, "--segments"]);
    let country = |id: &str, version: u32, values: &[&str]| {
        json!({"Id": id, "Version": version, "Arn": "arn:x", "SegmentType": "DIMENSIONAL", "Name": "n",
            "Dimensions": {"Location": {"Country": {"DimensionType": "INCLUSIVE", "Values": values}}}})
    };
    room.write("book/one.json", json!({"SegmentResponse": country("s1", 3, &["JP", "NO"])}).to_string());
    let twos = json!({"SegmentsResponse": {"Item": [country("s2", 1, &["NO"]), country("s2", 2, &["JP"])]}});
    room.write("two.json", twos.to_string());
    room.write("book/readme.txt", "not a segment");
    room.pinlake(&["segment", "evaluate", "on.json", "--segments", "book"])
        .fails(2, &["s2", "in version 1", "get-segment-version", "--segment-version 1"]);
    assert_eq!(ids(&room, &["on.json", "--segments", "book", "--segments", "two.json"]), ["b"]);
    // Without a version it is the newest that was given.
    room.write("book/old.json", json!({"Item": [country("s1", 2, &["SE"])]}).to_string());
    room.write("book/two.JSON", twos.to_string());
    assert_eq!(ids(&room, &["on.json", "--segments", "book"]), ["b"]);
    room.write("book/other.json", country("s1", 3, &["SE"]).to_string());
    let clash = room.pinlake(&["segment", "evaluate", "on.json", "--segments", "book"]);
    clash.fails(2, &["segment s1 is given twice", "version 3"]);
    room.write("empty/readme.txt", "");
    room.pinlake(&["segment", "evaluate", "on.json", "--segments", "empty"])
        .fails(2, &["no .json file", "empty"]);
    room.pinlake(&["segment", "evaluate", "on.json", "--segments", "nowhere"]).fails(2, &["nowhere"]);
}

#[test]
fn imported_members_are_those_of_a_snapshot() {
    let room = room();
    let imported = json!({"SegmentResponse": {"Id": "i", "Version": 1, "SegmentType": "IMPORT", "Name": "old",
        "ImportDefinition": {"Format": "CSV", "S3Url": "s3://b/k", "Size": 1, "ExternalId": "", "RoleArn": "r"}}});
    room.write("imported.json", imported.to_string());
    room.write(
        "except.json",
        r#"{"SegmentGroups":{"Groups":[{"SourceSegments":[{"Id":"i"}],"SourceType":"NONE"}]}}"#,
    );
    room.pinlake(&["segment", "evaluate", "imported.json"])
        .fails(2, &["segment i was imported", "--members i="]);
    let given = ["--members", "i=imported"];
    assert_eq!(ids(&room, &["imported.json", "--members", "i=imported"]), ["a"]);
    let except = [json!("b"), json!("c"), json!("d"), Value::Null];
    assert_eq!(
        ids(&room, &["except.json", "--segments", "imported.json", "--members", "i=imported"]),
        except
    );
    // Its members are all that is asked of it, so that its definition may be lost.
    assert_eq!(ids(&room, &["except.json", "--members", "i=imported"]), except);
    assert_eq!(ids(&room, &["except.json", "--members", "i=latest"]), [Value::Null]);
    room.pinlake(&["segment", "evaluate", "jp.json"])
        .args(&given)
        .fails(2, &["--members i", "no imported segment"]);
    let unknown = room.pinlake(&["segment", "evaluate", "imported.json", "--members", "i=never"]);
    unknown.fails(2, &["never", "imported, s"]);
    let twice = room.pinlake(&["segment", "evaluate", "imported.json", "--members", "i=s"]).args(&given);
    twice.fails(2, &["--members i is given twice"]);
}

#[test]
fn recency_goes_back_from_a_moment_that_is_told() {
    let room = room();
    room.write(
        "active.json",
        r#"{"Dimensions":{"Behavior":{"Recency":{"Duration":"DAY_7","RecencyType":"ACTIVE"}}}}"#,
    );
    assert_eq!(ids(&room, &["active.json", "--at", "2026-10-30T00:00:00Z"]), ["b"]);
    assert_eq!(ids(&room, &["active.json", "--at", "2026-10-27T01:00:00+01:00"]), ["a", "b"]);
    let ran =
        room.pinlake(&["segment", "evaluate", "active.json", "--at", "2026-10-30T00:00:00Z"]).succeeds();
    assert!(ran.stderr.starts_with("recency is told for 2026-10-30T00:00:00Z, --at\n"), "{ran}");
    let told = room.pinlake(&["segment", "evaluate", "active.json"]).succeeds().stderr;
    let committed = room.sql("select committed_at from snapshots where snapshot = 's'")[0].clone();
    let committed = committed["committed_at"].as_str().unwrap();
    assert!(
        told.starts_with(&format!("recency is told for {committed}, the time of the conversion; --at")),
        "{told}"
    );
    room.pinlake(&["segment", "evaluate", "active.json", "--at", "yesterday"]).ends(2);
    // A job that is known says when the audience was like that.
    let world = World::empty();
    world.server.load("a.json", br#"{"Id":"a","EffectiveDate":"2026-10-20T00:00:00Z"}"#).unwrap();
    let url = world.url("exports/");
    let role = "arn:aws:iam::123456789012:role/export";
    let run = ["run", "--s3-url-prefix", &url, "--role-arn", role, "--snapshot", "job", "--lake", "other"];
    room.pinlake(&run).in_world(&world).succeeds();
    let manifest = crate::harness::LakeFolder::new(room.path("other")).manifest("job");
    let completed = manifest["job"]["CompletionDate"].as_str().unwrap();
    let told = room.pinlake(&["segment", "evaluate", "active.json", "--lake", "other"]).succeeds().stderr;
    assert!(
        told.starts_with(&format!("recency is told for {completed}, the completion of the export job")),
        "{told}"
    );
}

#[test]
fn what_cannot_be_evaluated_is_told_with_its_place() {
    let room = room();
    let evaluate = |text: &str| {
        room.write("x.json", text);
        room.pinlake(&["segment", "evaluate", "x.json"])
    };
    evaluate("{\"Dimensions\":\n {\"Colour\": 1}}").fails(2, &["x.json", "unknown field `Colour`", "line 2"]);
    evaluate("{\"Dimensions\":").fails(2, &["x.json", "line 1 column"]);
    evaluate(r#"{"Dimension":{}}"#).fails(2, &["x.json holds no segment"]);
    evaluate(r#"{"Dimensions":{"Attributes":{"a":{"Values":[]}}}}"#).fails(2, &["x.json", "Attributes.a"]);
    room.write("latin.json", b"{\"Name\":\"\xe9\"}");
    room.pinlake(&["segment", "evaluate", "latin.json"]).fails(2, &["latin.json is not UTF-8"]);
    room.pinlake(&["segment", "evaluate", "nowhere.json"]).fails(2, &["nowhere.json"]);
    let jp = |args: &[&str]| room.pinlake(&["segment", "evaluate", "jp.json"]).args(args);
    jp(&["--columns", "id,colour"]).fails(2, &["colour", "channel_type"]);
    jp(&["--snapshot", "never"]).fails(2, &["never"]);
    jp(&["--lake", "nowhere"]).fails(2, &["nowhere"]);
    jp(&["--out", "nowhere/x.csv"]).fails(2, &["nowhere"]);
    jp(&["--members", "i"]).ends(2);
}

#[test]
fn redacted_values_are_warned_of() {
    let room = room();
    room.pinlake(&["convert", "pieces", "--snapshot", "r", "--redact", "country,attributes.plan=mask"])
        .succeeds();
    let warning = "warning: country is redacted (drop) in this snapshot";
    let ran = room
        .pinlake(&["segment", "evaluate", "jp.json", "--quiet", "--format", "csv", "--columns", "id"])
        .succeeds();
    assert!(ran.stdout == "id\r\n" && ran.stderr.starts_with(warning), "{ran}");
    room.write("plan.json", r#"{"SegmentGroups":{"Groups":[{"Dimensions":[{"Attributes":{"plan":{"Values":["gold"]},"x":{"AttributeType":"EXCLUSIVE","Values":["y"]}}}]}]}}"#);
    let told = room.pinlake(&["segment", "evaluate", "plan.json"]).succeeds().stderr;
    assert!(told.contains("attributes.plan is redacted (mask)") && !told.contains("attributes.x"), "{told}");
    let told = room.pinlake(&["segment", "evaluate", "jp.json", "--snapshot", "s"]).succeeds().stderr;
    assert!(!told.contains("redacted"), "{told}");
}

/// Rows are sorted within the memory that a query has, and put aside on the disk beyond it.
#[test]
fn members_that_do_not_fit_the_memory_come_all_the_same() {
    let room = Room::new();
    let line = |at: u32| {
        format!(
            r#"{{"Id":"{:08x}","Attributes":{{"note":["{}"]}}}}"#,
            at.wrapping_mul(2_654_435_761),
            "x".repeat(4_000)
        )
    };
    let lines: Vec<String> = (0..12_000).map(line).collect();
    room.write("pieces/part-0.gz", gzip(lines.join("\n")));
    room.pinlake(&["convert", "pieces", "--snapshot", "s"]).succeeds();
    room.write(
        "all.json",
        r#"{"Dimensions":{"Attributes":{"note":{"AttributeType":"CONTAINS","Values":["xxx"]}}}}"#,
    );
    let args = ["segment", "evaluate", "all.json", "--memory-limit", "170MB", "--out", "all.ndjson"];
    let ran = room.pinlake(&args).succeeds();
    assert!(ran.stderr.ends_with("12,000 of 12,000 endpoints of snapshot s are members\n"), "{ran}");
    let ids: Vec<Value> = room
        .read("all.ndjson")
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["id"].clone())
        .collect();
    assert!(ids.is_sorted_by(|one, next| one.as_str() < next.as_str()) && ids.len() == 12_000);
}
