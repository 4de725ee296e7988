//! What a lake promises: a snapshot is there entirely or not at all, to pinlake and to every other reader.

use serde_json::{Value, json};

use crate::harness::{Relay, Room, World, lines_piece, population};

/// A conversion that is held at the last of its pieces, when the rows of the others have been decoded.
struct Held {
    world: World,
    room: Room,
    url: String,
    relay: Relay,
}

impl Held {
    fn new() -> Self {
        let world = World::with_pieces(&population(300, 0.0), 3);
        let url = world.url("exports/");
        let relay = Relay::start(&world.server.s3_url(), "part-00002.gz");
        Self { world, room: Room::new(), url, relay }
    }

    fn convert(&self, snapshot: &str) -> crate::harness::Pinlake {
        self.room.pinlake(&["convert", &self.url, "--snapshot", snapshot]).in_world(&self.world)
    }

    /// Starts the conversion, and comes back when it waits for its last piece.
    fn start(&self, snapshot: &str) -> crate::harness::Running {
        let running = self.convert(snapshot).env("AWS_ENDPOINT_URL_S3", self.relay.url()).start();
        self.relay.wait_until_held();
        // Pieces are fetched while the lake is opened, so that the request can be there first.
        let staged = self.room.path("lake/.staging").join(snapshot);
        let is_staged = (0..50_000_000).any(|_| {
            std::thread::yield_now();
            staged.exists()
        });
        assert!(is_staged, "{} never came", staged.display());
        running
    }

    /// Nothing of the snapshot can be seen by anyone.
    fn assert_nothing_to_see(&self) {
        assert_eq!(self.room.lake().parquet_files().len(), 0);
        assert_eq!(self.room.lake().live_files().len(), 0);
    }

    fn assert_whole(&self, snapshot: &str) {
        let mut expected: Vec<String> =
            population(300, 0.0).iter().map(|endpoint| endpoint.id.unwrap_or_default()).collect();
        expected.sort();
        assert_eq!(self.room.lake().ids(snapshot), expected);
    }
}

#[test]
fn a_conversion_under_way_is_seen_by_nobody() {
    let held = Held::new();
    let running = held.start("s");
    held.assert_nothing_to_see();
    assert_eq!(held.room.sql("SELECT count(*) AS n FROM all_endpoints"), [json!({ "n": 0 })]);
    drop(running);
}

#[test]
fn an_interrupted_conversion_ends_with_130_and_the_same_command_succeeds() {
    let held = Held::new();
    let running = held.start("s");
    running.interrupt();
    let ran = running.end();
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(130), ""), "{ran}");
    assert!(ran.stderr.contains("interrupted"), "{ran}");
    held.assert_nothing_to_see();
    held.convert("s").succeeds();
    held.assert_whole("s");
    held.room.lake().assert_sound();
}

#[test]
fn a_killed_conversion_leaves_nothing_visible_and_the_same_command_succeeds() {
    let held = Held::new();
    held.start("s").kill();
    held.assert_nothing_to_see();
    held.convert("s").succeeds();
    held.assert_whole("s");
    held.room.lake().assert_sound();
}

#[test]
fn two_conversions_into_one_lake_do_not_harm_each_other() {
    let held = Held::new();
    let running = held.start("s");
    // The same snapshot is being made by another process: a clear failure, and nothing happens to its work.
    let second = held.convert("s").run();
    assert!(second.code.is_some_and(|code| code != 0 && code != 1), "{second}");
    assert!(second.stderr.contains("`s`") && second.stderr.contains("in use"), "{second}");
    // Another snapshot can be made meanwhile.
    held.convert("t").succeeds();
    held.assert_whole("t");
    running.kill();
    held.convert("s").succeeds();
    held.assert_whole("s");
    held.assert_whole("t");
    held.room.lake().assert_sound();
}

#[test]
fn an_interrupted_fetch_goes_on_where_it_was() {
    let held = Held::new();
    let fetch = || held.room.pinlake(&["fetch", &held.url, "dest"]).in_world(&held.world);
    let running = fetch().env("AWS_ENDPOINT_URL_S3", held.relay.url()).start();
    held.relay.wait_until_held();
    running.interrupt();
    let ran = running.end();
    assert_eq!(ran.code, Some(130), "{ran}");
    assert!(!held.room.path("dest/part-00002.gz").exists());
    fetch().succeeds();
    assert_eq!(held.room.names_in("dest"), ["fetch.json", "part-00000.gz", "part-00001.gz", "part-00002.gz"]);
}

#[test]
fn an_interrupted_wait_has_told_the_job_and_can_be_taken_up_again() {
    let options =
        pinlake_local::PopulationOptions { endpoints: 20, ..pinlake_local::PopulationOptions::default() };
    let world = World::with_audience(options, 10);
    let room = Room::new();
    let url = world.url("p/");
    let relay = Relay::start(&world.server.pinpoint_url(), "GET /v1/apps/");
    let args = ["run", "--s3-url-prefix", &url, "--role-arn", "arn:aws:iam::123456789012:role/r"];
    let running = room.pinlake(&args).in_world(&world).env("AWS_ENDPOINT_URL_PINPOINT", relay.url()).start();
    relay.wait_until_held();
    running.interrupt();
    let ran = running.end();
    assert_eq!(ran.code, Some(130), "{ran}");
    let jobs = room.pinlake(&["export", "list"]).in_world(&world).succeeds().json();
    let job = jobs["ExportJobsResponse"]["Item"][0]["Id"].as_str().unwrap().to_owned();
    assert!(ran.stderr.contains(&job), "{ran}");
    room.pinlake(&["export", "wait", "--job-id", &job]).in_world(&world).succeeds();
    room.pinlake(&["convert", "--job-id", &job, "--snapshot", "s"]).in_world(&world).succeeds();
    assert_eq!(room.lake().rows("s").len(), 20);
}

/// A room with two snapshots; `first` sorts behind `again`, so that the order of names is not that of commits.
fn two_snapshots() -> Room {
    let room = Room::new();
    for (id, ids) in [("first", vec!["1", "2"]), ("again", vec!["2", "3", "4"])] {
        let lines: Vec<String> = ids.iter().map(|id| format!("{{\"Id\":\"{id}\"}}")).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        room.write(&format!("{id}.gz"), lines_piece(&lines));
        room.pinlake(&["convert", &format!("{id}.gz"), "--snapshot", id]).succeeds();
    }
    room
}

#[test]
fn views_are_of_the_latest_snapshot_unless_another_is_asked_for() {
    let room = two_snapshots();
    let ids = |flags: &[&str], view: &str| -> Vec<Value> {
        let query = format!("SELECT id FROM {view} ORDER BY snapshot, id");
        let rows = room.pinlake(&["sql", &query, "--format", "json"]).args(flags).succeeds().rows();
        rows.iter().map(|row| row["id"].clone()).collect()
    };
    let latest = [json!("2"), json!("3"), json!("4")];
    assert_eq!(ids(&[], "endpoints"), latest);
    assert_eq!(ids(&["--snapshot", "latest"], "endpoints"), latest);
    assert_eq!(ids(&["--snapshot", "first"], "endpoints"), [json!("1"), json!("2")]);
    assert_eq!(ids(&[], "all_endpoints").len(), 5);
    assert_eq!(ids(&["--snapshot", "first"], "all_endpoints").len(), 5);
    let report = ["report", "audience-summary", "--format", "json", "--snapshot", "first"];
    assert_eq!(room.pinlake(&report).succeeds().rows()[0]["endpoints"], json!(2));
    assert_eq!(
        room.sql("SELECT snapshot, rows FROM snapshots ORDER BY committed_at"),
        [json!({ "snapshot": "first", "rows": 2 }), json!({ "snapshot": "again", "rows": 3 })]
    );
}

#[test]
fn the_views_of_the_contract_hold_what_they_say() {
    let room = Room::new();
    room.write(
        "in.json",
        concat!(
            r#"{"Id":"a","ChannelType":"SMS","User":{"UserId":"u","UserAttributes":{"Plan":["gold","old"]}},"Attributes":{"x":["1",null]},"Metrics":{"m":6}}"#,
            "\n",
            r#"{"Id":"b","ChannelType":"EMAIL","User":{"UserId":"u"}}"#,
            "\n",
            r#"{"Id":"c"}"#,
        ),
    );
    room.pinlake(&["convert", "in.json", "--snapshot", "s"]).succeeds();
    assert_eq!(
        room.sql("SELECT id, name, value FROM attributes ORDER BY value NULLS LAST"),
        [json!({ "id": "a", "name": "x", "value": "1" }), json!({ "id": "a", "name": "x", "value": null })]
    );
    assert_eq!(
        room.sql("SELECT user_id, id, name, value FROM user_attributes ORDER BY value"),
        [
            json!({ "user_id": "u", "id": "a", "name": "Plan", "value": "gold" }),
            json!({ "user_id": "u", "id": "a", "name": "Plan", "value": "old" }),
        ]
    );
    assert_eq!(
        room.sql("SELECT id, name, value FROM metrics"),
        [json!({ "id": "a", "name": "m", "value": 6.0 })]
    );
    assert_eq!(room.sql("SELECT user_id FROM users"), [json!({ "user_id": "u" })]);
}

#[test]
fn threads_and_memory_change_nothing_in_the_rows() {
    let audience = population(2_000, 0.2);
    let room = Room::new();
    for (number, range) in audience.pieces(5).into_iter().enumerate() {
        room.write(&format!("in/{number}.gz"), audience.piece(range));
    }
    let mut all = Vec::new();
    for (id, flags) in [
        ("one", &["--threads", "1"][..]),
        ("three", &["--threads", "3"]),
        ("little", &["--memory-limit", "64MiB"]),
    ] {
        room.pinlake(&["convert", "in", "--snapshot", id]).args(flags).succeeds();
        let (rows, mut manifest) = (room.lake().rows(id), room.lake().manifest(id));
        let facts = ["pieces", "totals", "drift"].map(|member| manifest[member].take());
        all.push((rows, facts));
    }
    assert_eq!(all[0].0.len(), 2_000);
    assert!(all[0] == all[1] && all[0] == all[2]);
}

/// What another program sees: a Delta table partitioned by snapshot, whose folders are Hive's.
#[test]
fn the_table_is_delta_and_hive() {
    let room = two_snapshots();
    let lake = room.lake();
    lake.assert_sound();
    for file in lake.live_files() {
        let (folder, name) = file.split_once('/').unwrap();
        assert!(["snapshot=first", "snapshot=again"].contains(&folder), "{file}");
        assert!(name.starts_with("part-") && name.ends_with(".parquet"), "{file}");
    }
    let log = room.read("lake/endpoints/_delta_log/00000000000000000000.json");
    let metadata: Value = log
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .find_map(|action| action.get("metaData").cloned())
        .unwrap();
    assert_eq!(metadata["partitionColumns"], json!(["snapshot"]));
    let schema: Value = serde_json::from_str(metadata["schemaString"].as_str().unwrap()).unwrap();
    let type_of = |name: &str| {
        let fields = schema["fields"].as_array().unwrap();
        fields.iter().find(|field| field["name"] == json!(name)).unwrap_or_else(|| panic!("{name}"))["type"]
            .clone()
    };
    assert_eq!(schema["fields"].as_array().unwrap().len(), 32);
    for (name, expected) in [
        ("id", "string"),
        ("channel_type", "string"),
        ("creation_date", "timestamp"),
        ("latitude", "double"),
        ("line", "long"),
        ("extra", "string"),
        ("snapshot", "string"),
    ] {
        assert_eq!(type_of(name), json!(expected), "{name}");
    }
    assert_eq!(type_of("attributes")["valueType"]["type"], json!("array"));
    assert_eq!(type_of("metrics")["valueType"], json!("double"));
}
