//! `pinlake local` as a program: what `--load` brings back, what `--data` keeps, what it tells, and how it ends.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::harness::{Dice, Room, Running};

/// A server under way, with the variables that it printed.
struct Served {
    running: Running,
    variables: Vec<(String, String)>,
}

impl Served {
    /// Starts `pinlake local` with arguments of its own, and waits until it is ready.
    fn start(room: &Room, arguments: &[&str]) -> Self {
        let mut running = room.pinlake(&["local", "--job-pace", "0s"]).args(arguments).start();
        let mut variables = Vec::new();
        loop {
            let line = running.line();
            match line.trim_end().strip_prefix("export ").and_then(|line| line.split_once('=')) {
                Some((name, value)) => variables.push((name.to_owned(), value.to_owned())),
                None if line == "# ready\n" => return Self { running, variables },
                None => panic!("not ready: {line}{}", running.kill()),
            }
        }
    }

    fn variable(&self, name: &str) -> &str {
        self.variables.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// Exports the application's endpoints through the API into a lake of this name, and returns what a query finds there.
    fn exported(&self, room: &Room, lake: &str, query: &str) -> Vec<Value> {
        let run = |arguments: &[&str]| {
            let mut command = room.pinlake(arguments);
            for (name, value) in &self.variables {
                command = command.env(name, value);
            }
            command.succeeds()
        };
        let (application_id, prefix) =
            (self.variable("PINLAKE_APPLICATION_ID"), format!("s3://pinlake-local/{lake}/"));
        run(&[
            "run",
            "--application-id",
            application_id,
            "--s3-url-prefix",
            &prefix,
            "--role-arn",
            "arn:aws:iam::123456789012:role/export",
            "--lake",
            lake,
            "--snapshot",
            "s",
        ]);
        run(&["sql", query, "--lake", lake, "--format", "json"]).rows()
    }

    /// Interrupts it, waits for its end, and returns what it told.
    fn stop(self) -> String {
        self.running.interrupt();
        let ran = self.running.end();
        assert_eq!(ran.code, Some(0), "{ran}");
        ran.stderr
    }
}

/// Every column that comes from a member, in one order.
const ALL: &str = "select * exclude (piece, line, snapshot) from endpoints order by id";

/// The same of the last of equal ids alone, whose case does not matter: an application has one of them.
const LAST: &str = "select * exclude (piece, line, snapshot, number) from (select *, row_number() over \
    (partition by lower(id) order by piece desc, line desc) as number from endpoints) \
    where number = 1 and id is not null order by id";

/// Makes pieces and a lake `first` of them, and returns the rows that an application must have, and how many endpoints
/// have no id.
fn audience(room: &Room) -> (Vec<Value>, usize) {
    room.pinlake(&["generate", "600", "pieces", "--pieces", "3", "--odd-share", "0.4"]).succeeds();
    room.pinlake(&["convert", "pieces", "--lake", "first", "--snapshot", "2026"]).succeeds();
    let query =
        |query| room.pinlake(&["sql", query, "--lake", "first", "--format", "json"]).succeeds().rows();
    (query(LAST), query("select line from endpoints where id is null").len())
}

/// Insists on these rows, beside those of endpoints that had no id and got one.
fn check(rows: &[Value], (expected, without_id): (Vec<Value>, usize)) {
    assert!(expected.len() > 500, "{}", expected.len());
    let found: HashSet<String> = rows.iter().map(Value::to_string).collect();
    for row in &expected {
        assert!(found.contains(&row.to_string()), "{row}");
    }
    assert_eq!(rows.len(), expected.len() + without_id);
}

#[test]
fn an_archive_of_pieces_comes_back_as_it_was() {
    let room = Room::new();
    let expected = audience(&room);
    let served = Served::start(&room, &["--load", "pieces"]);
    assert_eq!(served.variable("PINLAKE_APPLICATION_ID"), "9b74c9897bac770ffc029102a200c5de");
    check(&served.exported(&room, "again", ALL), expected);
    let told = served.stop();
    assert!(told.contains("loaded pieces: 600 endpoints,") && told.contains(" 0 lines refused"), "{told}");
}

#[test]
fn a_snapshot_comes_back_with_its_odd_values() {
    let room = Room::new();
    let expected = audience(&room);
    let served = Served::start(&room, &["--load", "first@2026"]);
    check(&served.exported(&room, "again", ALL), expected);
}

#[test]
fn what_was_loaded_into_a_folder_stays_and_can_be_added_to() {
    let room = Room::new();
    room.write("one.json", "{\"Id\":\"a\",\"ChannelType\":\"SMS\",\"Address\":\"+1\"}\n{\"Id\":\n");
    room.write("two.csv", "Id,ChannelType,Address\nb,EMAIL,b@example.com\n");
    let told = Served::start(&room, &["--data", "data", "--load", "one.json"]).stop();
    assert!(told.contains("one.json, line 2: it is no JSON object"), "{told}");
    let served = Served::start(&room, &["--data", "data", "--load", "two.csv"]);
    let query = "select id, channel_type, endpoint_status from endpoints order by id";
    let rows = Value::from(served.exported(&room, "again", query));
    let expected = json!([
        {"id": "a", "channel_type": "SMS", "endpoint_status": null},
        {"id": "b", "channel_type": "EMAIL", "endpoint_status": "ACTIVE"},
    ]);
    assert_eq!(rows, expected);
    served.stop();
}

#[test]
fn a_source_that_is_none_ends_with_its_name_and_a_way_out() {
    let room = Room::new();
    room.write("bad.gz", b"\x1f\x8b\x08\0\0\0\0\0\0\xff");
    room.write("bad.csv", "this,that\n");
    room.write("taken/pinpoint.redb", "something else".repeat(1_000));
    for (arguments, code, told) in [
        (["--load", "nothing"], 2, "nothing"),
        (["--load", "s3://bucket/prefix/"], 2, "pinlake fetch s3://bucket/prefix/ DIR"),
        (["--load", "bad.gz"], 7, "cannot load bad.gz"),
        (["--load", "bad.csv"], 2, "cannot load bad.csv"),
        (["--data", "taken"], 7, "pinpoint.redb"),
    ] {
        room.pinlake(&["local"]).args(&arguments).fails(code, &[told]);
    }
}

#[test]
fn an_interrupt_while_it_loads_ends_with_130_and_says_what_stays() {
    let room = Room::new();
    room.write("one.json", "{\"Id\":\"a\",\"ChannelType\":\"SMS\",\"Address\":\"+1\"}\n");
    room.pinlake(&["generate", "60000", "pieces", "--pieces", "30"]).succeeds();
    let arguments = ["local", "--data", "data", "--load", "one.json", "--load", "pieces"];
    let mut running = room.pinlake(&arguments).start();
    running.wait_until_it_says(&["loaded one.json"]);
    running.interrupt();
    let ran = running.end();
    assert_eq!(ran.code, Some(130), "{ran}");
    assert!(ran.stderr.contains("stays in data") && !ran.stdout.contains("# ready"), "{ran}");
    let served = Served::start(&room, &["--data", "data"]);
    let rows = served.exported(&room, "again", "select id from endpoints where id = 'a'");
    assert_eq!(rows.len(), 1);
    served.stop();
}

#[test]
fn listening_beyond_loopback_is_warned_of() {
    let room = Room::new();
    let served = Served::start(&room, &["--listen", "0.0.0.0"]);
    let told = served.stop();
    assert!(told.contains("listening on 0.0.0.0") && told.contains("nothing is encrypted"), "{told}");
    let served = Served::start(&room, &[]);
    assert!(served.variable("AWS_ENDPOINT_URL_S3").starts_with("http://127.0.0.1:"));
    let told = served.stop();
    assert!(!told.contains("listening on"), "{told}");
}

/// A header of a console's export, with a column that no endpoint has.
const COLUMNS: [&str; 15] = [
    "Id",
    "ChannelType",
    "Address",
    "Location.Country",
    "Location.City",
    "Location.Latitude",
    "Demographic.Make",
    "Attributes.Interests",
    "Attributes.Interests",
    "Attributes.a.b",
    "Metrics.visits",
    "User.UserId",
    "User.UserAttributes.Plan",
    "User.UserAttributes.Plan",
    "User.UserStatus",
];

/// A file of CSV by chance: quotes, commas and line breaks in cells, empty ones, lines that are none. Each record has an id.
fn import_file(dice: &mut Dice, records: u64) -> String {
    const CELLS: [&str; 12] = [
        "",
        "",
        "plain",
        "with space",
        "\"a, b\"",
        "\"say \"\"hi\"\"\"",
        "\"two\nlines\"",
        "富山",
        "it's",
        "\"\"",
        "a;b",
        "5\" screen",
    ];
    let mut pick = |cells: &[&'static str]| {
        let place = usize::try_from(dice.below(cells.len() as u64)).unwrap_or_default();
        cells[place]
    };
    let mut file = COLUMNS.join(",") + "\r\n";
    for record in 0..records {
        let cells = COLUMNS.map(|column| match column {
            "Id" => format!("id-{record}"),
            "ChannelType" => pick(&["SMS", "EMAIL", "CUSTOM"]).to_owned(),
            "Address" => format!("\"{record}, example\""),
            "Location.Country" => pick(&["", "NO", "JPN"]).to_owned(),
            "Location.Latitude" => pick(&["", "59.9", "-7", "1e1"]).to_owned(),
            "Metrics.visits" => pick(&["", "3", "2.50", "-0"]).to_owned(),
            // A user has fifteen endpoints at most.
            "User.UserId" => pick(&["", "u-"]).replace('-', &record.to_string()),
            _ => pick(&CELLS).to_owned(),
        });
        file += &cells.join(",");
        file += pick(&["\r\n", "\n", "\n\n"]);
    }
    file
}

#[test]
fn the_server_and_convert_read_the_same_from_csv() {
    let room = Room::new();
    room.write("people.csv", import_file(&mut Dice::new(7), 400));
    room.pinlake(&[
        "convert",
        "people.csv",
        "--lake",
        "converted",
        "--snapshot",
        "s",
        "--expect-rows",
        "400",
    ])
    .succeeds();
    let query = "select id, channel_type, address, country, city, latitude, make, attributes, metrics, user_id, user_attributes \
        from endpoints order by id";
    let converted =
        room.pinlake(&["sql", query, "--lake", "converted", "--format", "json"]).succeeds().rows();
    let served = Served::start(&room, &["--load", "people.csv"]);
    let imported = served.exported(&room, "imported", query);
    let told = served.stop();
    assert!(told.contains("400 endpoints") && told.contains(" 0 lines refused"), "{told}");
    assert_eq!(imported.len(), 400);
    // What has nothing in it is an empty map in one and absent in the other; an export says nothing of either.
    let plain = |row: &Value| {
        let mut row = row.as_object().cloned().unwrap_or_default();
        row.retain(|_, value| !value.is_null() && value != &json!({}));
        Value::Object(row)
    };
    for (imported, converted) in imported.iter().zip(&converted) {
        assert_eq!(plain(imported), plain(converted));
    }
}
