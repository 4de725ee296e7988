//! R10: canaries as addresses, names and values of attributes, ids, secrets, tokens and keys; every command as loud as can be, on
//! every way to fail that can be brought about; and none of them in a log, an error or a manifest.

use pinlake_local::{Fault, FaultRule};

use super::found;
use crate::harness::{Ran, Room, World, gzip};

const TOKEN: &str = "canary-session-token";
const SECRET: &str = "canary/secret/access/key/of/somebody0000";
const REDACT_KEY: &str = "canary-redact-key-0123456789";

/// Usual lines, odd ones and such as are no endpoints, all with canaries.
fn lines() -> String {
    [
        r#"{"Id":"canary-id","Address":"canary@example.com","ChannelType":"EMAIL","User":{"UserId":"canary-user","UserAttributes":{"canary-name":["canary-value"]}},"Attributes":{"canary-attribute":["canary(["]},"Metrics":{"m":1e300},"EffectiveDate":"2026-01-01T00:00:00Z"}"#,
        r#"{"Id":["canary-id"],"Address":{"canary-inner":"canary"},"Location":{"Latitude":"canary","City":["canary"]},"CreationDate":"canary"}"#,
        r#"{"Id":"canary-two","Address":"canary-9223372036854775807","User":{"UserId":"canary-user"},"Metrics":{"m":-1}}"#,
        r#"{"Id":"canary-id","Address":"canary""#,
        r#"{"Id":"canary\u12"}"#,
        r#"{"Id":canary}"#,
        r#""canary""#,
        r#"["canary"]"#,
    ]
    .join("\n")
}

/// A server with a piece of such lines, and a room whose commands know it and have secrets of their own.
struct Scene {
    world: World,
    room: Room,
    url: String,
}

impl Scene {
    fn new() -> Self {
        let world = World::empty();
        world.put("p/a.gz", gzip(lines()));
        let url = world.url("p/");
        Self { world, room: Room::new(), url }
    }

    /// Runs a command as loud as can be, in both forms of logs; nothing on stderr may hold a canary.
    fn loud(&self, args: &[&str]) -> Ran {
        self.loud_with(args, &[])
    }

    fn loud_with(&self, args: &[&str], variables: &[(&str, &str)]) -> Ran {
        let mut last = None;
        for flags in [&["-vv"][..], &["-vvv", "--log-format", "json"], &["--progress", "json", "-vvv"]] {
            let command = self.room.pinlake(args).args(flags).in_world(&self.world);
            let command = command.env("AWS_SESSION_TOKEN", TOKEN).env("PINLAKE_REDACT_KEY", REDACT_KEY);
            let ran = variables.iter().fold(command, |command, (name, value)| command.env(name, value)).run();
            let secret = &self.world.server.credentials().secret_access_key;
            assert!(!ran.stderr.contains("canary") && !ran.stderr.contains(secret), "{ran}");
            last = Some(ran);
        }
        last.unwrap()
    }

    /// The same, of a command that prints no data either.
    fn silent(&self, args: &[&str]) -> Ran {
        let ran = self.loud(args);
        assert!(!ran.stdout.contains("canary"), "{ran}");
        ran
    }

    /// A lake of the lines, with its rejects.
    fn convert(&self) {
        let convert = ["convert", &self.url, "--snapshot", "s", "--max-rejects", "9", "--replace"];
        let ran = self.silent(&convert);
        assert_eq!(ran.code, Some(0), "{ran}");
    }
}

#[test]
fn conversions_and_downloads_tell_no_values() {
    let scene = Scene::new();
    scene.convert();
    for args in [
        vec!["convert", &scene.url],
        vec!["convert", &scene.url, "--max-line", "20", "--max-rejects", "1"],
        vec!["convert", &scene.url, "--max-rejects", "9", "--expect-rows", "1"],
        vec!["convert", &scene.url, "--max-rejects", "9", "--redact", "id=hash,address=mask,attributes"],
        vec!["convert", &scene.url, "--dry-run", "--redact", "id=hash"],
        vec!["fetch", &scene.url, "dest"],
        vec!["fetch", &scene.url, "dest"],
        vec!["bench", &scene.url, "--rounds", "1"],
        vec!["snapshots", "list"],
        vec!["snapshots", "show", "s"],
        vec!["snapshots", "show", "s", "--json"],
        vec!["export", "list"],
        vec!["report", "--list"],
    ] {
        scene.silent(&args);
    }
    // Manifests and logs hold names, counts and hashes; the table holds the data, and rejects the lines.
    let held: Vec<String> = found(&scene.room.path("lake"), &["canary", TOKEN, REDACT_KEY])
        .into_iter()
        .map(|(path, _)| path)
        .filter(|path| !path.ends_with(".parquet") && !path.ends_with("rejects.ndjson"))
        .collect();
    // The names of members that do not fit their column are told, and so those of their entries; none is a value.
    assert_eq!(held, Vec::<String>::new());
    assert_eq!(found(&scene.room.path("dest/fetch.json"), &["canary"]), []);
    assert!(!scene.room.read("dest/fetch.json").contains("canary"));
}

#[test]
fn damaged_pieces_and_failing_services_tell_no_values() {
    let scene = Scene::new();
    let mut cut = gzip(lines());
    cut.truncate(cut.len() - 12);
    scene.world.put("cut/a.gz", cut);
    scene.world.put("text/a.gz", lines().into_bytes());
    for prefix in ["cut/", "text/"] {
        assert_eq!(scene.silent(&["convert", &scene.world.url(prefix)]).code, Some(7));
    }
    let convert = ["convert", &scene.url, "--max-rejects", "9", "--retry-for", "1s"];
    // A disk that takes half a kilobyte of each file.
    let full = "trap '' XFSZ; ulimit -f 1; exec \"$0\" \"$@\"";
    let ran = scene.room.pinlake_in_shell(full, &convert).args(&["-vvv"]).in_world(&scene.world).ends(8);
    assert!(!ran.stderr.contains("canary"), "{ran}");
    for (operation, status, code) in [
        ("GetObject", 503, "SlowDown"),
        ("GetObject", 400, "ExpiredToken"),
        ("ListObjectsV2", 403, "AccessDenied"),
        ("GetObject", 500, "InternalError"),
        ("GetObject", 412, "PreconditionFailed"),
    ] {
        scene.world.fault(FaultRule::s3(operation, Fault::status(status, code)));
        scene.silent(&convert);
    }
    // A signature that is wrong, of a secret that nobody may see.
    let ran = scene.loud_with(&convert, &[("AWS_SECRET_ACCESS_KEY", SECRET)]);
    assert_eq!(ran.code, Some(6), "{ran}");
    // Credentials from a file, and a provider that fails with them in its words.
    let profile = format!("[default]\naws_access_key_id = AKIDCANARY\naws_secret_access_key = {SECRET}\n");
    scene.room.write("home/.aws/credentials", profile);
    scene.loud(&["fetch", &scene.url, "dest", "--profile", "default", "--retry-for", "1s"]);
    let nobody = scene.loud_with(&convert, &[("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")]);
    assert_eq!(nobody.code, Some(6), "{nobody}");
}

#[test]
fn failing_queries_tell_no_values() {
    let scene = Scene::new();
    scene.convert();
    for expression in [
        "cast(address AS int)",
        "cast(address AS date)",
        "cast(address AS timestamp)",
        "cast(address AS boolean)",
        "cast(address AS double)",
        "cast(address AS decimal(10,2))",
        "cast(user_id AS interval)",
        "arrow_cast(address, 'Int32')",
        "arrow_cast(address, 'Time64(Nanosecond)')",
        "to_timestamp(address)",
        "to_timestamp(user_id, '%Y')",
        "to_date(address, '%Y-%m-%d')",
        "to_unixtime(address)",
        "decode(address, 'hex')",
        "decode(address, 'base64')",
        "encode(address, address)",
        "digest(address, address)",
        "regexp_replace('x', attributes['canary-attribute'][1], 'y')",
        "regexp_like('x', attributes['canary-attribute'][1])",
        "regexp_count('x', attributes['canary-attribute'][1])",
        "'x' ~ attributes['canary-attribute'][1]",
        "date_trunc(address, now())",
        "date_part(address, now())",
        "date_bin(cast(address AS interval), now())",
        "to_char(now(), address)",
        "chr(cast(length(address) * -1 AS bigint))",
        "repeat(address, 9223372036854775807)",
        "lpad(address, 9223372036854775807, user_id)",
        "cast(metrics['m'] AS int)",
        "cast(metrics['m'] AS decimal(5,2))",
        "1 / (length(address) - length(address))",
        "9223372036854775807 + length(address)",
        "make_date(length(address) * 100000, 13, 40)",
        "arrow_typeof(cast(concat('[', address) AS int[]))",
        "factorial(length(address) * 1000)",
        "union_extract(address, 'x')",
        "named_struct(address, 1)",
        "get_field(attributes, address)",
        "map([address, address], [1, 2])",
        "string_to_array(address, address)[cast(address AS int)]",
        "(SELECT address FROM endpoints)",
        "interval_of(address)",
        "parse_url(address, 'HOST')",
    ] {
        let query = format!("SELECT {expression} AS x FROM endpoints WHERE address IS NOT NULL");
        for query in [query.clone(), query.replace("endpoints WHERE", "read_pieces('dest') WHERE")] {
            scene.room.write("dest/a.json", lines().lines().next().unwrap());
            // The query is the user's own words, and may be quoted.
            let query = query.replace("canary-attribute", "a");
            scene.loud(&["sql", &query]);
        }
    }
    scene.loud(&["sql", "SELECT * FROM read_pieces('dest') ORDER BY address", "--memory-limit", "1KB"]);
    scene.loud(&["sql", "SELECT * FROM endpoints", "--out", "absent/dir/x.csv"]);
    for name in ["lake", "dest"] {
        let full = scene.room.pinlake(&["sql", &format!("SELECT *, '{name}' FROM endpoints"), "-vvv"]);
        let ran = full.run_into(std::path::Path::new("/dev/full"));
        assert!(ran.code == Some(8) && !ran.stderr.contains("canary"), "{ran}");
    }
}

#[test]
fn failing_reports_tell_no_values() {
    let scene = Scene::new();
    scene.convert();
    let reports = [
        ("cast", "-- title: Cast\n-- about: x\n\nSELECT cast(address AS int) AS x FROM endpoints\n"),
        (
            "check",
            "-- title: Check\n-- about: x\n-- check: address = 'x' error  No address is another\n-- check: cast(address AS int) > 0 error  Fails itself\n\nSELECT address FROM endpoints\n",
        ),
        (
            "check2",
            "-- title: Check\n-- about: x\n-- check: address = 'x' error  No address is another\n\nSELECT address FROM endpoints\n",
        ),
        (
            "chart",
            "-- title: Chart\n-- about: x\n-- chart: bar x=address y=user_id\n\nSELECT address, user_id FROM endpoints\n",
        ),
        ("broken", "-- title: Broken\n-- about: x\n\nSELECT addres FROM endpoints\n"),
    ];
    for (name, text) in reports {
        scene.room.write(&format!("queries/{name}.sql"), text);
    }
    for (name, _) in reports {
        scene.loud(&["report", name, "--queries", "queries", "--fail-on-check", "--out", "out.csv"]);
    }
    let all = scene.loud(&["report", "--all", "--queries", "queries", "--out", "out"]);
    assert_eq!(all.code, Some(2), "{all}");
    scene.loud(&["report", "--all", "--out", "page.html"]);
    scene.loud(&["report", "subject-lookup", "--out", "out.json"]);
    // Of a lake that is damaged.
    for file in scene.room.lake().live_files() {
        let path = scene.room.path("lake/endpoints").join(file);
        let mut bytes = std::fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[4..middle].fill(b'c');
        std::fs::write(&path, bytes).unwrap();
    }
    scene.loud(&["report", "audience-summary"]);
    scene.loud(&["sql", "SELECT address FROM endpoints"]);
    scene.convert();
    scene.room.write("lake/runs/s/run.json", "{\"tool\":\"canary");
    scene.silent(&["snapshots", "show", "s"]);
    scene.room.write("lake/endpoints/_delta_log/00000000000000000001.json", "{\"add\":{\"path\":\"canary");
    scene.silent(&["snapshots", "list"]);
}
