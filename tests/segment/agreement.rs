//! The local Pinpoint and the program tell the same members of the same segments, of the same audience, and share no code.

use std::collections::BTreeMap;
use std::sync::Mutex;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::audience::{self, DATES};
use super::definitions::Draw;
use crate::harness::{Room, World, gzip};

/// Generated segments that are held against each other.
const SEGMENTS: usize = 200;
const ROLE: &str = "arn:aws:iam::123456789012:role/export";

/// A server and a lake with the same audience.
struct Scene {
    world: World,
    room: Room,
    lines: Vec<String>,
}

/// What a server says of a segment.
struct Told {
    /// As `GetSegment` answers.
    segment: Value,
    /// When the export was asked for.
    at: String,
    ids: Vec<String>,
}

impl Scene {
    fn new() -> Self {
        let world = World::empty();
        // The server's clock, as its answers tell it.
        let first = world.answer("POST", "segments", &json!({"Dimensions": {}}));
        let now: DateTime<Utc> = first["CreationDate"].as_str().unwrap().parse().unwrap();
        let lines = audience::lines(now);
        let loaded = world.server.load("audience.json", lines.join("\n").as_bytes()).unwrap();
        let expected = BTreeMap::from([(world.server.application_id().to_owned(), lines.len() as u64)]);
        assert_eq!((loaded.refused, loaded.by_application), (0, expected));
        let room = Room::new();
        let (one, other) = lines.split_at(lines.len() / 3);
        room.write("pieces/0.gz", gzip(one.join("\n")));
        room.write("pieces/1.gz", gzip(other.join("\n")));
        room.pinlake(&["convert", "pieces", "--snapshot", "all"]).succeeds();
        Self { world, room, lines }
    }

    /// Makes a segment, by a version for each body, and keeps its definitions with those to stand on. Returns its id.
    fn segment(&self, bodies: &[Value]) -> String {
        let made = self.world.answer("POST", "segments", &bodies[0]);
        let id = made["Id"].as_str().unwrap().to_owned();
        for body in &bodies[1..] {
            self.world.answer("PUT", &format!("segments/{id}"), body);
        }
        self.keep(&id);
        id
    }

    fn keep(&self, id: &str) {
        let versions = self.world.answer("GET", &format!("segments/{id}/versions"), &json!(null));
        self.room.write(&format!("segments/{id}.json"), json!({ "SegmentsResponse": versions }).to_string());
    }

    /// Imports some of the endpoints that are there as a segment, and converts its export to the snapshot `imported`.
    fn imported(&self) -> String {
        let some = self.lines.iter().step_by(3).filter_map(|line| audience::id(line));
        let ids: Vec<String> = some.map(|id| json!({ "Id": id.to_uppercase() }).to_string()).collect();
        self.world.put("in/ids.json", ids.join("\n").into_bytes());
        let url = self.world.url("in/ids.json");
        let request = json!({"Format": "JSON", "S3Url": url, "RoleArn": ROLE, "DefineSegment": true, "RegisterEndpoints": false, "SegmentName": "i"});
        let job = self.world.job("import", &request);
        let id = job["Definition"]["SegmentId"].as_str().unwrap().to_owned();
        self.keep(&id);
        let exported = self.export(&id, "imported/");
        assert_eq!(exported.1.len(), ids.len());
        // Whoever keeps such a list may write ids in another case.
        let shouted = exported.1.iter().map(|line| {
            let mut line: Value = serde_json::from_str(line).unwrap();
            line["Id"] = json!(line["Id"].as_str().unwrap().to_uppercase());
            line.to_string()
        });
        self.room.write("imported/0.gz", gzip(shouted.collect::<Vec<_>>().join("\n")));
        self.room.pinlake(&["convert", "imported", "--snapshot", "imported"]).succeeds();
        id
    }

    /// Exports a segment; when that was asked for, and the lines.
    fn export(&self, id: &str, prefix: &str) -> (String, Vec<String>) {
        let request = json!({"S3UrlPrefix": self.world.url(prefix), "RoleArn": ROLE, "SegmentId": id});
        let job = self.world.job("export", &request);
        (job["CreationDate"].as_str().unwrap().to_owned(), self.world.lines(prefix))
    }

    /// What the server says.
    fn told(&self, id: &str) -> Told {
        let segment = self.world.answer("GET", &format!("segments/{id}"), &json!(null));
        let (at, lines) = self.export(id, &format!("{id}/"));
        Told { segment, at, ids: sorted(lines.iter().filter_map(|line| audience::id(line)).collect()) }
    }

    /// What the program says.
    fn evaluated(&self, told: &Told, imported: &str) -> Vec<String> {
        let id = told.segment["Id"].as_str().unwrap();
        let file = format!("{id}.json");
        // The forms alternate, by the first digit of an id.
        let is_bare = id.as_bytes()[0].is_multiple_of(2);
        let form = if is_bare { told.segment.clone() } else { json!({"SegmentResponse": told.segment}) };
        self.room.write(&file, form.to_string());
        let mut evaluate = self.room.pinlake(&["segment", "evaluate", &file, "--segments", "segments"]);
        evaluate =
            evaluate.args(&["--at", &told.at, "--columns", "id", "--format", "ndjson", "--snapshot", "all"]);
        let members = format!("{imported}=imported");
        if stands_on(&self.room, &told.segment, imported) {
            evaluate = evaluate.args(&["--members", &members]);
        }
        let rows = evaluate.succeeds().json_lines();
        rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
    }
}

/// Whether a segment, or one that it stands on, names another.
fn stands_on(room: &Room, segment: &Value, other: &str) -> bool {
    let groups = segment["SegmentGroups"]["Groups"].as_array().into_iter().flatten();
    let mut sources = groups.filter_map(|group| group["SourceSegments"].as_array()).flatten();
    sources.any(|source| {
        let id = source["Id"].as_str().unwrap();
        let book: Value = serde_json::from_str(&room.read(&format!("segments/{id}.json"))).unwrap();
        let versions = book["SegmentsResponse"]["Item"].as_array().unwrap();
        let wanted = source["Version"].as_u64().unwrap_or(versions.len() as u64);
        let chosen = versions.iter().find(|version| version["Version"].as_u64() == Some(wanted));
        id == other || stands_on(room, chosen.unwrap(), other)
    })
}

/// Segments whose dates are those that endpoints have: chance seldom tells on which side a bound is.
fn at_the_bounds() -> Vec<Value> {
    let dates = DATES.into_iter().filter(|date| DateTime::parse_from_rfc3339(date).is_ok());
    let segment = |kind: &str, values: &[&str]| json!({"Dimensions": {"Attributes": {"joined": {"AttributeType": kind, "Values": values}}}});
    dates
        .flat_map(|date| {
            let (first, last) = ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z");
            [
                segment("BEFORE", &[date]),
                segment("AFTER", &[date]),
                segment("BETWEEN", &[first, date]),
                segment("BETWEEN", &[date, last]),
            ]
        })
        .collect()
}

fn sorted(mut ids: Vec<String>) -> Vec<String> {
    ids.sort();
    ids
}

#[test]
fn the_server_and_the_lake_tell_the_same_members() {
    let scene = Scene::new();
    let imported = scene.imported();
    let mut draw = Draw::new(20_261_030, &scene.lines);
    for _ in 0..5 {
        let bodies = [json!({"Dimensions": draw.dimensions()}), json!({"Dimensions": draw.dimensions()})];
        draw.sources.push((scene.segment(&bodies), 2));
    }
    draw.sources.push((imported.clone(), 1));
    // Some stand on segments that stand on others.
    for _ in 0..4 {
        let bodies = [draw.definition(), draw.definition(), draw.definition()];
        draw.sources.push((scene.segment(&bodies), 3));
    }
    let drawn = (0..SEGMENTS).map(|_| draw.definition()).collect::<Vec<_>>();
    let made: Vec<String> = drawn
        .iter()
        .chain(&at_the_bounds())
        .map(|body| scene.world.answer("POST", "segments", body)["Id"].as_str().unwrap().to_owned())
        .collect();
    let of_all = scene.lines.len();
    let (rest, telling) = (Mutex::new(made), Mutex::new(0));
    let check = || {
        loop {
            let Some(id) = rest.lock().unwrap().pop() else { return };
            let told = scene.told(&id);
            let evaluated = scene.evaluated(&told, &imported);
            assert_eq!(evaluated, told.ids, "{} at {}", told.segment, told.at);
            *telling.lock().unwrap() += usize::from(!told.ids.is_empty() && told.ids.len() < of_all);
        }
    };
    std::thread::scope(|scope| {
        let other = scope.spawn(check);
        check();
        other.join().unwrap();
    });
    let telling = telling.into_inner().unwrap();
    assert!(telling > SEGMENTS / 2, "{telling} of {SEGMENTS} segments have some members and not all");
}

/// What one will not evaluate, the other will not either.
#[test]
fn the_server_and_the_program_refuse_the_same() {
    let (world, room) = (World::empty(), Room::new());
    room.write("one.json", r#"{"Id":"x"}"#);
    room.pinlake(&["convert", "one.json", "--snapshot", "s"]).succeeds();
    let attribute =
        |kind: &str, values: &[&str]| json!({"Attributes": {"a": {"AttributeType": kind, "Values": values}}});
    let gps = |latitude: f64, longitude: f64, range: Value| json!({"Location": {"GPSPoint": {"Coordinates": {"Latitude": latitude, "Longitude": longitude}, "RangeInKilometers": range}}});
    let many = |count: usize| {
        let all = (0..count)
            .map(|at| (format!("m{at}"), json!({"ComparisonOperator": "EQUAL", "Value": 1})))
            .collect();
        json!({"Metrics": Value::Object(all)})
    };
    let day = "2026-10-30T00:00:00Z";
    let mut definitions: Vec<(Value, bool)> = [
        (json!({}), true),
        (attribute("INCLUSIVE", &[]), false),
        (attribute("EXCLUSIVE", &[]), false),
        (attribute("CONTAINS", &[]), false),
        (attribute("CONTAINS", &[""]), true),
        (attribute("LIKE", &["x"]), false),
        (attribute("BEFORE", &[]), false),
        (attribute("BEFORE", &[day, day]), false),
        (attribute("AFTER", &["2026-10-30"]), false),
        (attribute("ON", &[day]), true),
        (attribute("BETWEEN", &[day]), false),
        (attribute("BETWEEN", &[day, "soon"]), false),
        (attribute("BETWEEN", &[day, day, day]), false),
        (json!({"Demographic": {"DeviceType": {"Values": []}}}), false),
        (json!({"Location": {"Country": {"Values": ["JP"], "DimensionType": "ALL"}}}), false),
        (json!({"Metrics": {"m": {"ComparisonOperator": "EQUAL"}}}), false),
        (json!({"Metrics": {"m": {"ComparisonOperator": "NEAR", "Value": 1}}}), false),
        (json!({"Behavior": {"Recency": {"Duration": "DAY_1", "RecencyType": "ACTIVE"}}}), false),
        (json!({"Behavior": {"Recency": {"Duration": "DAY_7"}}}), false),
        (gps(90.0, 180.0, json!(0)), true),
        (gps(90.1, 0.0, json!(1)), false),
        (gps(0.0, -180.1, json!(1)), false),
        (gps(0.0, 0.0, json!(-1)), false),
        (gps(0.0, 0.0, json!(null)), false),
        (json!({"Location": {"GPSPoint": {"RangeInKilometers": 1}}}), false),
        (many(100), true),
        (many(101), false),
    ]
    .map(|(dimensions, is_sound)| (json!({ "Dimensions": dimensions }), is_sound))
    .to_vec();
    definitions.extend([
        (json!({"Dimensions": {}, "SegmentGroups": {"Groups": [{"Dimensions": [many(101)]}]}}), false),
        (json!({"SegmentGroups": {}}), true),
        (json!({"SegmentGroups": {"Include": "SOME"}}), false),
        (json!({"SegmentGroups": {"Groups": [{"Dimensions": [many(100), many(100)]}]}}), true),
        (json!({"SegmentGroups": {"Groups": [{"Dimensions": [many(101)]}]}}), false),
        (json!({"SegmentGroups": {"Groups": [{"SourceSegments": [{"Id": "never"}]}]}}), false),
        (json!({"SegmentGroups": {"Groups": [{"SourceSegments": [{"Version": 1}]}]}}), false),
    ]);
    for (definition, is_sound) in definitions {
        let (status, answer) = world.ask("POST", "segments", &definition);
        assert_eq!(status, if is_sound { 201 } else { 400 }, "{definition}: {answer}");
        room.write("segment.json", definition.to_string());
        let ran = room.pinlake(&["segment", "evaluate", "segment.json", "--format", "csv"]).run();
        assert_eq!(ran.code, Some(if is_sound { 0 } else { 2 }), "{ran}");
    }
}
