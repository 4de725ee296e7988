//! The steps one by one, each a command: `local`, `export`, `fetch`, `convert`, `report`, `sql`, `diff`, `snapshots`, `generate`, `bench`,
//! `run`, `completions`, `man`.

mod bench;
mod diff;
mod fetch;
mod generate;
mod snapshots;

use pinlake_local::PopulationOptions;
use serde_json::{Value, json};

use crate::harness::{Pinlake, Room, Running, World, lines_piece, population};

const ROLE: &str = "arn:aws:iam::123456789012:role/pinpoint-export";

/// Reads what `pinlake local` prints for a shell, up to the line that says that it serves.
fn exported(local: &mut Running) -> Vec<(String, String)> {
    let mut variables = Vec::new();
    loop {
        let line = local.line();
        if line == "# ready\n" {
            return variables;
        }
        let (name, value) = line
            .strip_prefix("export ")
            .and_then(|line| line.trim_end().split_once('='))
            .unwrap_or_else(|| panic!("not a line for a shell: {line:?}"));
        variables.push((name.to_owned(), value.to_owned()));
    }
}

fn with(command: Pinlake, variables: &[(String, String)]) -> Pinlake {
    variables.iter().fold(command, |command, (name, value)| command.env(name, value))
}

/// A walk through a whole day of work, against a server that another process is.
#[test]
fn a_shell_can_walk_through_every_step() {
    let room = Room::new();
    let args = ["local", "--generate", "300", "--endpoints-per-piece", "100"];
    let mut local = room.pinlake(&args).without_environment().start();
    let variables = exported(&mut local);
    let names: Vec<&str> = variables.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "AWS_ENDPOINT_URL_PINPOINT",
            "AWS_ENDPOINT_URL_S3",
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_REGION",
            "AWS_DEFAULT_REGION",
            "PINLAKE_APPLICATION_ID",
            "PINLAKE_BUCKET"
        ]
    );
    let value = |name: &str| variables.iter().find(|(known, _)| known == name).unwrap().1.clone();
    assert!(value("AWS_ENDPOINT_URL_PINPOINT").starts_with("http://127.0.0.1:"));
    assert!(value("AWS_ENDPOINT_URL_S3").starts_with("http://127.0.0.1:"));
    assert_eq!(value("AWS_REGION"), "us-east-1");
    assert_eq!(value("PINLAKE_BUCKET"), "pinlake-local");
    let application = value("PINLAKE_APPLICATION_ID");
    assert!(
        application.len() == 32 && application.bytes().all(|byte| byte.is_ascii_hexdigit()),
        "{application}"
    );

    let pinlake = |args: &[&str]| with(room.pinlake(args), &variables);
    let prefix = "s3://pinlake-local/day/";
    let created =
        pinlake(&["export", "create", "--s3-url-prefix", prefix, "--role-arn", ROLE]).succeeds().json();
    let job = created["ExportJobResponse"]["Id"].as_str().unwrap().to_owned();
    let waited = pinlake(&["export", "wait", "--job-id", &job, "--timeout", "1m"]).succeeds().json();
    assert_eq!(waited["ExportJobResponse"]["JobStatus"], json!("COMPLETED"));
    pinlake(&["fetch", prefix, "pieces"]).succeeds();
    let converted = pinlake(&["convert", "pieces", "--snapshot", "monday"]).succeeds();
    assert_eq!(converted.stdout, "monday\n");
    let counted = pinlake(&["report", "audience-summary", "--format", "json"]).succeeds().rows();
    assert_eq!(counted[0]["endpoints"], json!(300));
    let ran = pinlake(&["sql", "SELECT count(*) AS n FROM endpoints", "--format", "csv"]).succeeds();
    assert_eq!(ran.stdout, "n\r\n300\r\n");

    local.interrupt();
    let ended = local.end();
    assert_eq!(ended.code, Some(0), "{ended}");
    assert_eq!(ended.stdout, "");
}

#[test]
fn local_takes_the_keys_it_is_given() {
    let room = Room::new();
    let args = ["local", "--access-key", "AKIAIOSFODNN7EXAMPLE", "--secret-key", "wJalr/K7MDENG+EXAMPLEKEY"];
    let mut local = room.pinlake(&args).start();
    let variables = exported(&mut local);
    assert!(variables.contains(&("AWS_ACCESS_KEY_ID".to_owned(), "AKIAIOSFODNN7EXAMPLE".to_owned())));
    let list = with(room.pinlake(&["export", "list"]), &variables).succeeds().json();
    assert_eq!(list, json!({ "ExportJobsResponse": { "Item": [] } }));
    // Other keys are turned away.
    with(room.pinlake(&["export", "list"]), &variables).env("AWS_SECRET_ACCESS_KEY", "another").fails(6, &[]);
    local.terminate();
    assert_eq!(local.end().code, Some(0));
}

#[test]
fn export_jobs_are_printed_as_aws_prints_them() {
    let world =
        World::with_audience(PopulationOptions { endpoints: 250, ..PopulationOptions::default() }, 100);
    let room = Room::new();
    let pinlake = |args: &[&str]| room.pinlake(args).in_world(&world);
    let application = world.server.application_id();
    let url = world.url("jobs/one/");

    let args =
        ["export", "create", "--s3-url-prefix", &url, "--role-arn", ROLE, "--application-id", application];
    let ran = pinlake(&args).succeeds();
    assert!(
        ran.stdout.starts_with("{\n    \"ExportJobResponse\": {\n        \""),
        "four spaces, as AWS: {ran}"
    );
    let created = ran.json()["ExportJobResponse"].clone();
    assert_eq!(created["JobStatus"], json!("CREATED"));
    assert_eq!(created["Type"], json!("EXPORT"));
    assert_eq!(created["ApplicationId"], json!(application));
    assert_eq!(created["Definition"], json!({ "RoleArn": ROLE, "S3UrlPrefix": url }));
    let job = created["Id"].as_str().unwrap();

    // The id is told before waiting, so that an interrupted wait can be taken up again.
    let waited = pinlake(&["export", "wait", "--job-id", job]).succeeds();
    assert!(waited.stderr.contains(job), "{waited}");
    let done = waited.json()["ExportJobResponse"].clone();
    for (member, expected) in [
        ("JobStatus", json!("COMPLETED")),
        ("TotalPieces", json!(3)),
        ("CompletedPieces", json!(3)),
        ("FailedPieces", json!(0)),
        ("TotalProcessed", json!(250)),
        ("TotalFailures", json!(0)),
    ] {
        assert_eq!(done[member], expected, "{member}");
    }
    let status = pinlake(&["export", "status", "--job-id", job]).succeeds().json();
    assert_eq!(status["ExportJobResponse"], done);

    // A second one, of a segment; lists tell them apart.
    let segment = &world.server.segment_ids()[0];
    let args = [
        "export",
        "create",
        "--s3-url-prefix",
        &world.url("jobs/two/"),
        "--role-arn",
        ROLE,
        "--segment-id",
        segment,
    ];
    let second = pinlake(&args).succeeds().json()["ExportJobResponse"]["Id"].clone();
    let ids = |list: Value| -> Vec<Value> {
        list["ExportJobsResponse"]["Item"].as_array().unwrap().iter().map(|job| job["Id"].clone()).collect()
    };
    let all = ids(pinlake(&["export", "list"]).succeeds().json());
    assert!(all.len() == 2 && all.contains(&json!(job)) && all.contains(&second), "{all:?}");
    let of_segment = ids(pinlake(&["export", "list", "--segment-id", segment]).succeeds().json());
    assert_eq!(of_segment, [second]);
}

#[test]
fn convert_holds_the_counts_against_a_job() {
    let world =
        World::with_audience(PopulationOptions { endpoints: 120, ..PopulationOptions::default() }, 50);
    let room = Room::new();
    let pinlake = |args: &[&str]| room.pinlake(args).in_world(&world);
    let url = world.url("job/");
    let args = ["export", "create", "--s3-url-prefix", &url, "--role-arn", ROLE];
    let created = pinlake(&args).succeeds().json();
    let job = created["ExportJobResponse"]["Id"].as_str().unwrap().to_owned();
    let done = pinlake(&["export", "wait", "--job-id", &job]).succeeds().json();

    // Without a source the job says where it wrote, and its completion names the snapshot.
    let converted = pinlake(&["convert", "--job-id", &job]).succeeds();
    let id = converted.stdout.trim_end();
    let completion = done["ExportJobResponse"]["CompletionDate"].as_str().unwrap();
    assert_eq!(id, format!("{}Z", completion[..19].replace(':', "")));
    let manifest = room.lake().manifest(id);
    assert_eq!(manifest["job"], done["ExportJobResponse"]);
    let held: Vec<&str> = manifest["reconciliation"]
        .as_array()
        .unwrap()
        .iter()
        .map(|check| check["check"].as_str().unwrap())
        .collect();
    assert!(held.iter().any(|check| check.contains("TotalProcessed")), "{held:?}");
    assert!(held.iter().any(|check| check.contains("TotalPieces")), "{held:?}");

    // A piece that is not the job's makes the counts disagree.
    world.put("job/stray.gz", lines_piece(&[r#"{"Id":"stray"}"#]));
    let before = room.lake().visible();
    pinlake(&["convert", "--job-id", &job, "--snapshot", "more"]).fails(4, &["TotalProcessed", "120", "121"]);
    assert_eq!(room.lake().visible(), before);
}

#[test]
fn run_goes_from_export_to_reports() {
    let world =
        World::with_audience(PopulationOptions { endpoints: 300, ..PopulationOptions::default() }, 100);
    let room = Room::new();
    let url = world.url("runs");
    let args = ["run", "--s3-url-prefix", &url, "--role-arn", ROLE];
    let options = ["--snapshot", "first", "--out", "reports", "--expect-rows", "300"];
    let ran = room.pinlake(&args).args(&options).in_world(&world).succeeds();
    assert!(ran.stdout.contains("Audience summary"), "{ran}");
    assert_eq!(room.names_in("reports"), ["report.html"]);
    let mut expected: Vec<String> =
        population(300, 0.0).iter().map(|endpoint| endpoint.id.unwrap_or_default()).collect();
    expected.sort();
    assert_eq!(room.lake().ids("first"), expected);
    room.lake().assert_sound();
    // Each piece was loaded once.
    assert_eq!(world.requests("GetObject"), 3);

    // A second run writes to a folder of its own, so that it does not read the first one's pieces again.
    room.pinlake(&args).args(&["--snapshot", "second", "--out", "one.json"]).in_world(&world).succeeds();
    assert_eq!(room.lake().ids("second"), expected);
    let reports: Value = serde_json::from_str(&room.read("one.json")).unwrap();
    assert_eq!(reports["audience-summary"][0]["endpoints"], json!(300));
}

#[test]
fn a_dry_run_says_what_it_would_do_and_does_nothing() {
    let world = World::with_pieces(&population(20, 0.0), 2);
    world.put("exports/readme.txt", b"not a piece".to_vec());
    let room = Room::new();
    room.write("folder/a.gz", lines_piece(&[r#"{"Id":"1"}"#]));
    let url = world.url("exports/");
    for (args, told) in [
        (
            vec!["convert", &url, "--snapshot", "x"],
            vec!["part-00000.gz", "part-00001.gz", "readme.txt", "snapshot x"],
        ),
        (vec!["convert", "folder", "--snapshot", "y"], vec!["a.gz", "snapshot y", "lake"]),
        (vec!["fetch", &url, "dest"], vec!["part-00000.gz", "part-00001.gz", "dest"]),
        (vec!["run", "--s3-url-prefix", &url, "--role-arn", ROLE], vec![&url, ROLE, "lake"]),
    ] {
        let ran = room.pinlake(&args).args(&["--dry-run"]).in_world(&world).succeeds();
        for word in told {
            assert!(ran.stdout.contains(word), "`{word}`: {ran}");
        }
    }
    assert_eq!(room.names(), ["folder"], "nothing is written");
    assert_eq!(world.requests("GetObject"), 0);
    assert_eq!(world.requests("CreateExportJob"), 0);
}

#[test]
fn snapshots_are_listed_and_shown() {
    let room = Room::new();
    room.write("one.json", "{\"Id\":\"1\"}\n\n{\"Id\":\"1\",\"Zip\":5}\n");
    room.write("two.json", "{\"Id\":\"1\"}\n{\"Id\":\"2\"}\n{\"Id\":\"3\"}\n");
    for (file, id) in [("one.json", "first"), ("two.json", "second")] {
        room.pinlake(&["convert", file, "--snapshot", id]).succeeds();
    }
    let listed = room.pinlake(&["snapshots", "list", "--format", "json"]).succeeds().rows();
    let ids: Vec<_> = listed.iter().map(|row| (row["snapshot"].clone(), row["rows"].clone())).collect();
    assert_eq!(ids, [(json!("first"), json!(2)), (json!("second"), json!(3))]);
    let table = room.pinlake(&["snapshots", "list"]).succeeds().stdout;
    assert!(table.contains("first") && table.contains("second"), "{table}");

    let shown = room.pinlake(&["snapshots", "show", "first"]).succeeds().stdout;
    for fact in ["first", "one.json", "Zip", "3: 2 rows, 0 rejects, 1 blank"] {
        assert!(shown.contains(fact), "`{fact}` in {shown}");
    }
    let latest = room.pinlake(&["snapshots", "show", "--json"]).succeeds().json();
    assert_eq!(latest, room.lake().manifest("second"));
}

#[test]
fn every_shell_has_completions_and_the_manual_tells_the_exit_codes() {
    let room = Room::new();
    // Neither needs a config file, and a broken one must not keep the manual shut.
    room.write("pinlake.toml", "this is no toml");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = room.pinlake(&["completions", shell]).succeeds().stdout;
        for command in ["convert", "snapshots", "generate", "--max-rejects"] {
            let command = if shell == "fish" { command.trim_start_matches('-') } else { command };
            assert!(script.contains(command), "{shell} lacks {command}");
        }
    }
    let manual = room.pinlake(&["man"]).succeeds().stdout;
    assert!(manual.contains(".TH pinlake 1"));
    for code in ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "130"] {
        assert!(manual.lines().any(|line| line.trim_start().starts_with(&format!("{code}  "))), "{code}");
    }
    room.pinlake(&["man", "--out", "pages"]).succeeds();
    let pages = room.names_in("pages");
    for page in ["pinlake.1", "pinlake-convert.1", "pinlake-export-create.1", "pinlake-sql.1"] {
        assert!(pages.iter().any(|name| name == page), "{page} is not among {pages:?}");
    }
}
