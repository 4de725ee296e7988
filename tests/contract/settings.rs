//! Who has the last word: a flag before the environment before the config file before the default.

use serde_json::json;

use crate::harness::{Room, World, population};

const COUNT: [&str; 4] = ["sql", "SELECT min(id) AS id FROM endpoints", "--format", "json"];

#[test]
fn the_lake_is_named_by_flag_environment_config_or_default() {
    let room = Room::new();
    for lake in ["flag", "environment", "config", "lake"] {
        room.write("in.json", format!("{{\"Id\":\"{lake}\"}}"));
        room.pinlake(&["convert", "in.json", "--lake", lake]).succeeds();
    }
    let read = |command: crate::harness::Pinlake| command.succeeds().rows()[0]["id"].clone();
    assert_eq!(read(room.pinlake(&COUNT)), json!("lake"));
    room.write("pinlake.toml", "lake = \"config\"");
    assert_eq!(read(room.pinlake(&COUNT)), json!("config"));
    assert_eq!(read(room.pinlake(&COUNT).env("PINLAKE_LAKE", "environment")), json!("environment"));
    let flag = room.pinlake(&COUNT).args(&["--lake", "flag"]).env("PINLAKE_LAKE", "environment");
    assert_eq!(read(flag), json!("flag"));

    // Another config file, by flag or environment; paths in it are relative to it.
    std::fs::rename(room.path("config"), room.write("elsewhere/x", "").parent().unwrap().join("lake"))
        .unwrap();
    room.write("elsewhere/other.toml", "lake = \"lake\"");
    assert_eq!(read(room.pinlake(&COUNT).args(&["--config", "elsewhere/other.toml"])), json!("config"));
    assert_eq!(read(room.pinlake(&COUNT).env("PINLAKE_CONFIG", "elsewhere/other.toml")), json!("config"));
}

#[test]
fn endpoints_and_regions_follow_the_same_order() {
    let world = World::with_pieces(&population(10, 0.0), 1);
    let room = Room::new();
    let url = world.url("exports/");
    let wrong = "http://127.0.0.1:9";
    let mut keys = world.environment();
    keys.retain(|(name, _)| matches!(*name, "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY"));
    let fetch = |dest: &str| {
        let command = room.pinlake(&["fetch", &url, dest, "--dry-run", "--retry-for", "1s"]);
        keys.iter().fold(command, |command, (name, value)| command.env(name, value))
    };
    let right = world.server.s3_url();
    // The config file alone.
    room.write("pinlake.toml", format!("s3-endpoint-url = \"{right}\"\nregion = \"us-east-1\""));
    fetch("dest").succeeds();
    // The environment before it.
    fetch("dest").env("AWS_ENDPOINT_URL_S3", wrong).fails(6, &[]);
    room.write("pinlake.toml", format!("s3-endpoint-url = \"{wrong}\"\nregion = \"us-east-1\""));
    fetch("dest").env("AWS_ENDPOINT_URL_S3", &right).succeeds();
    // The flag before both.
    fetch("dest").args(&["--s3-endpoint-url", &right]).env("AWS_ENDPOINT_URL_S3", wrong).succeeds();
    fetch("dest").args(&["--s3-endpoint-url", wrong]).env("AWS_ENDPOINT_URL_S3", &right).fails(6, &[]);
}

#[test]
fn profiles_work_as_aws_has_them() {
    let world = World::with_pieces(&population(10, 0.0), 1);
    let keys = world.server.credentials();
    let room = Room::new();
    room.write(
        "home/.aws/credentials",
        format!(
            "[mine]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
            keys.access_key_id, keys.secret_access_key
        ),
    );
    room.write(
        "home/.aws/config",
        format!("[profile mine]\nregion = us-east-1\nservices = here\n[services here]\ns3 =\n  endpoint_url = {}\n", world.server.s3_url()),
    );
    let url = world.url("exports/");
    let dry_run = ["fetch", &url, "dest", "--dry-run"];
    room.pinlake(&dry_run).args(&["--profile", "mine"]).succeeds();
    room.pinlake(&dry_run).env("AWS_PROFILE", "mine").succeeds();
    room.write("pinlake.toml", "profile = \"mine\"");
    room.pinlake(&dry_run).succeeds();
    let nobody = ["--profile", "nobody", "--region", "us-east-1", "--retry-for", "1s"];
    room.pinlake(&dry_run).args(&nobody).fails(6, &["no credentials", "--profile"]);
}

#[test]
fn progress_follows_the_same_order() {
    let room = Room::new();
    room.write("in.json", "{}");
    room.pinlake(&["convert", "in.json"]).succeeds();
    let report = || room.pinlake(&["report", "growth", "--out", "growth.csv"]);
    room.write("pinlake.toml", "progress = \"json\"");
    assert!(report().succeeds().stderr.contains("{\"event\":\"progress\""));
    assert!(!report().env("PINLAKE_PROGRESS", "off").succeeds().stderr.contains("progress"));
    let flag = report().env("PINLAKE_PROGRESS", "off").args(&["--progress", "json"]);
    assert!(flag.succeeds().stderr.contains("{\"event\":\"progress\""));
}

#[test]
fn a_config_file_that_cannot_be_understood_is_told_with_its_place() {
    let room = Room::new();
    for (text, named) in [
        ("lakes = \"x\"", vec!["pinlake.toml", "lakes"]),
        ("lake = ", vec!["pinlake.toml", "line 1"]),
        ("progress = \"loud\"", vec!["progress", "loud"]),
        ("memory-limit = \"lots\"", vec!["memory-limit", "lots"]),
    ] {
        room.write("pinlake.toml", text);
        room.pinlake(&["snapshots", "list"]).fails(2, &named);
    }
    room.pinlake(&["snapshots", "list", "--config", "absent.toml"]).fails(2, &["absent.toml"]);
}
