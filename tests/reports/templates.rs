//! Templates and their parameters: what is listed, what is refused, and what a user brings.

use serde_json::{Value, json};

use super::audience;
use super::contract::BUILTIN;
use crate::harness::Room;

/// A room with a lake of three endpoints.
fn small_lake() -> Room {
    let room = Room::new();
    room.write(
        "in.json",
        "{\"Id\":\"1\",\"ChannelType\":\"SMS\"}\n{\"Id\":\"2\",\"ChannelType\":\"SMS\"}\n{\"Id\":\"3\",\"ChannelType\":\"EMAIL\"}",
    );
    room.pinlake(&["convert", "in.json", "--snapshot", "s"]).succeeds();
    room
}

#[test]
fn the_list_needs_no_lake_and_has_the_shape_of_the_contract() {
    let room = Room::new();
    let listed = room.pinlake(&["report", "--list", "--format", "json"]).succeeds().rows();
    assert_eq!(listed.len(), BUILTIN.len());
    for report in &listed {
        assert!(report["title"].is_string() && report["about"].is_string(), "{report}");
        for param in report["params"].as_array().unwrap() {
            let members: Vec<&String> = param.as_object().unwrap().keys().collect();
            assert_eq!(members.len(), 5, "{members:?}");
            assert!(param["name"].is_string() && param["type"].is_string() && param["about"].is_string());
            assert!(param["required"].is_boolean() && param.get("default").is_some());
        }
    }
    let of = |name: &str| listed.iter().find(|report| report["name"] == json!(name)).unwrap();
    let grain = &of("growth")["params"][0];
    assert_eq!(
        (&grain["name"], &grain["type"], &grain["default"]),
        (&json!("grain"), &json!("text"), &json!("month"))
    );
    let table = room.pinlake(&["report", "--list"]).succeeds().stdout;
    assert!(table.contains("audience-summary") && table.contains("grain=month"), "{table}");
}

#[test]
fn a_report_is_described() {
    let audience = audience();
    let told = audience.room.pinlake(&["report", "--describe", "opt-out"]).succeeds().stdout;
    for part in ["Opt-out by channel and country", "since", "min_endpoints", "opt_out_share", "SELECT"] {
        assert!(told.contains(part), "`{part}` in {told}");
    }
    let json =
        audience.room.pinlake(&["report", "--describe", "opt-out", "--format", "json"]).succeeds().json();
    let members: Vec<&String> = json.as_object().unwrap().keys().collect();
    for member in ["name", "title", "about", "params", "columns", "chart", "checks", "sql"] {
        assert!(members.iter().any(|found| *found == member), "{member} in {members:?}");
    }
    assert_eq!(json["params"][0]["name"], json!("since"));
    assert_eq!(json["columns"][4], json!({ "name": "opt_out_share", "type": "double" }));
    assert_eq!(json["chart"]["kind"], json!("heatmap"));
    assert_eq!(json["checks"][0]["level"], json!("warn"));
    audience.room.pinlake(&["report", "--describe", "opt-out", "--format", "csv"]).fails(2, &["csv", "json"]);
}

#[test]
fn a_flag_beats_a_value_of_the_config_file() {
    let room = small_lake();
    room.write(
        "asking.sql",
        "-- param: who text = nobody\n-- param: n integer = 1\nSELECT $who AS who, $n AS n",
    );
    room.write("pinlake.toml", "[params]\nwho = \"config\"\nn = 2\nunknown = \"is no matter\"\n");
    let asked = |args: &[&str]| {
        room.pinlake(&["report", "asking.sql", "--format", "json"]).args(args).succeeds().rows()
    };
    assert_eq!(asked(&[]), [json!({ "who": "config", "n": 2 })]);
    assert_eq!(asked(&["--param", "who=flag"]), [json!({ "who": "flag", "n": 2 })]);
    room.write("pinlake.toml", "[params]\nn = \"many\"\n");
    room.pinlake(&["report", "asking.sql"]).fails(2, &["n", "many"]);
}

#[test]
fn a_wrong_parameter_is_refused_with_the_right_ones() {
    let audience = audience();
    for (report, param, named) in [
        ("growth", "grain=year", vec!["grain", "day, week, month"]),
        ("growth", "grian=day", vec!["grian", "grain"]),
        ("opt-out", "min_endpoints=many", vec!["min_endpoints", "many"]),
        ("opt-out", "since=yesterday", vec!["since"]),
        ("opt-out", "days=5", vec!["days", "since", "min_endpoints"]),
        ("audience-summary", "x=1", vec!["x", "no parameters"]),
    ] {
        audience.room.pinlake(&["report", report, "--param", param]).fails(2, &named);
    }
    audience.room.pinlake(&["report", "growth", "--param", "grain"]).ends(2);
    audience.room.pinlake(&["report", "--all", "--param", "nobody=1"]).fails(2, &["nobody"]);
}

#[test]
fn values_are_bound_and_never_pasted() {
    let room = small_lake();
    let evil = "channel=x' OR '1'='1";
    room.write(
        "mine.sql",
        "-- param: channel text\nSELECT id FROM endpoints WHERE channel_type = $channel ORDER BY id",
    );
    let rows = |param: &str| {
        room.pinlake(&["report", "mine.sql", "--param", param, "--format", "json"]).succeeds().rows()
    };
    assert_eq!(rows("channel=SMS"), [json!({ "id": "1" }), json!({ "id": "2" })]);
    assert_eq!(rows(evil), Vec::<Value>::new());
    let query = [
        "sql",
        "SELECT id FROM endpoints WHERE channel_type = $channel",
        "--format",
        "json",
        "--param",
        evil,
    ];
    assert_eq!(room.pinlake(&query).succeeds().rows(), Vec::<Value>::new());
}

#[test]
fn a_users_folder_adds_reports_and_replaces_them_by_name() {
    let room = small_lake();
    room.write("mine/growth.sql", "-- title: My growth\nSELECT 1 AS mine");
    room.write("mine/weekly.sql", "SELECT count(*) AS n FROM endpoints");
    room.write("mine/asking.sql", "-- param: who text\nSELECT $who AS who");
    let run = |args: &[&str]| room.pinlake(args).args(&["--queries", "mine", "--format", "json"]).succeeds();
    assert_eq!(run(&["report", "growth"]).rows(), [json!({ "mine": 1 })]);
    assert_eq!(run(&["report", "weekly"]).rows(), [json!({ "n": 3 })]);
    assert_eq!(run(&["report", "--list"]).rows().len(), BUILTIN.len() + 2);

    // What asks for a parameter is left out of all, which says so and is content.
    let all = run(&["report", "--all"]);
    assert!(all.stderr.contains("asking"), "{all}");
    let all = all.json();
    assert!(all.get("asking").is_none() && all["weekly"] == json!([{ "n": 3 }]));
    room.pinlake(&["report", "asking", "--queries", "mine"]).fails(2, &["who"]);

    // The config file names the folder as well.
    room.write("pinlake.toml", "queries = \"mine\"\n[params]\nwho = \"me\"\n");
    let asked = room.pinlake(&["report", "asking", "--format", "json"]).succeeds().rows();
    assert_eq!(asked, [json!({ "who": "me" })]);
}

#[test]
fn an_error_of_sql_points_at_its_line_and_column() {
    let room = small_lake();
    room.write("slip.sql", "-- title: A slip\nSELECT\n  chanel_type\nFROM endpoints");
    room.pinlake(&["report", "slip.sql"]).fails(2, &["slip.sql", "line 3", "column 3", "channel_type"]);
    room.pinlake(&["sql", "SELECT id\nFORM endpoints"]).fails(2, &["line 2", "column"]);
    room.pinlake(&["sql", "SELECT * FROM endpoint"]).fails(2, &["endpoint", "all_endpoints"]);
    room.write("header.sql", "-- param: x integr\nSELECT 1");
    room.pinlake(&["report", "header.sql"]).fails(2, &["header.sql", "line 1", "integr"]);
    // Errors on the data do not quote it.
    room.write("in.json", "{\"Id\":\"canary@example.com\"}");
    room.pinlake(&["convert", "in.json", "--snapshot", "t"]).succeeds();
    let failed = room.pinlake(&["sql", "SELECT CAST(id AS BIGINT) FROM endpoints"]).fails(2, &[]);
    assert!(!failed.stderr.contains("canary"), "{failed}");
}

#[test]
fn a_failed_check_is_shown_and_ends_with_9_on_request() {
    let room = small_lake();
    room.write(
        "grave.sql",
        "-- check: n < 2 error  Too many of a channel\nSELECT channel_type, count(*) AS n FROM endpoints GROUP BY 1 ORDER BY 1",
    );
    room.write("light.sql", "-- check: n < 2 warn  A trifle\nSELECT count(*) AS n FROM endpoints");
    let ran = room.pinlake(&["report", "grave.sql"]).succeeds();
    assert!(ran.stdout.contains("Too many of a channel"), "{ran}");
    let failed = room.pinlake(&["report", "grave.sql", "--fail-on-check", "--format", "json"]).ends(9);
    assert_eq!(failed.rows().len(), 2, "the result comes all the same");
    assert!(failed.stderr.contains("grave") && failed.stderr.contains("Too many of a channel"), "{failed}");
    let light = room.pinlake(&["report", "light.sql", "--fail-on-check"]).succeeds();
    assert!(light.stdout.contains("A trifle"), "{light}");
}
