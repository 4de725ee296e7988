//! Every built-in report against figures computed by hand, from eight usual endpoints, from ten awkward ones, and from none.

mod addresses;
mod attributes;
mod audience;
mod devices;
mod every_report;
mod history;
mod integrity;
mod places;
mod quality;
mod time;
mod users;
mod values;

use crate::test_lake::TestLake;

const FIRST: &str = r#"
{"id":"e1","channel_type":"EMAIL","endpoint_status":"ACTIVE","opt_out":"NONE","address":"a@example.com","creation_date":"2026-01-05T10:00:00Z","effective_date":"2026-10-29T12:00:00Z","city":"Toyama","country":"JPN","platform":"android","platform_version":"14","user_id":"u1","attributes":{"Team":["Carp"],"team":["Angels","Carp"]},"user_attributes":{"Plan":["gold"]},"metrics":{"orders":3.5}}
{"id":"e2","channel_type":"SMS","endpoint_status":"ACTIVE","opt_out":"NONE","address":"+818012345678","creation_date":"2026-01-20T10:00:00Z","effective_date":"2026-10-28T12:00:00Z","city":"Toyama","country":"JP","user_id":"u1","attributes":{"Team":["Hawks"]},"user_attributes":{"Plan":["gold"]}}
{"id":"e3","channel_type":"EMAIL","endpoint_status":"ACTIVE","opt_out":"ALL","address":"b@example.com","creation_date":"2026-02-01T00:00:00Z","effective_date":"2026-10-27T12:00:00Z","country":"us","platform":"ios","platform_version":"17.1","user_id":"u2","attributes":{}}
{"id":"e4","channel_type":"EMAIL","endpoint_status":"INACTIVE","opt_out":"NONE","address":"a@example.com","creation_date":"2026-02-28T23:59:59.999999Z","effective_date":"2026-07-31T12:00:00.000001Z","city":"Austin","region":"TX","country":"USA","user_id":"u3"}
"#;

const SECOND: &str = r#"
{"id":"e5","channel_type":"APNS","endpoint_status":"INACTIVE","opt_out":"ALL"}
{"id":"e6","channel_type":"CUSTOM","endpoint_status":"ACTIVE","address":"hook","creation_date":"2025-12-31T23:59:59Z","effective_date":"2025-10-01T00:00:00Z","country":"Atlantis","user_id":"u2","attributes":{"Empty":[],"Nothing":[null]}}
{"id":"e6","channel_type":"CUSTOM","endpoint_status":"ACTIVE","opt_out":"NONE","address":"","effective_date":"2026-10-21T12:00:00Z"}
{}
"#;

/// Eight endpoints, one of them with nothing but nulls.
fn lake() -> TestLake {
    TestLake::empty()
        .with_snapshot("older", &[r#"{"id":"gone","channel_type":"VOICE"}"#])
        .with_snapshot("newer", &[FIRST, SECOND])
}

/// A ghost that is there twice, and dates at both ends of the calendar.
const FAR_OFF: &str = r#"
{"id":"g1","channel_type":"APNS","endpoint_status":"INACTIVE","opt_out":"ALL"}
{"id":"g1","channel_type":"APNS","endpoint_status":"INACTIVE","opt_out":"ALL"}
{"id":"old","channel_type":"EMAIL","endpoint_status":"ACTIVE","opt_out":"NONE","address":"Old@Example.COM ","creation_date":"0001-01-01T00:00:00Z","effective_date":"0001-01-31T00:00:00Z","country":" gbr ","locale":"en_US.UTF-8","timezone":"Europe/London","make":"Apple","model":"a \"model\",\nand more","user_id":"=1+1","attributes":{"naïve | \"name\"":["x"]},"metrics":{"":-0.0}}
{"id":"far","channel_type":"EMAIL","endpoint_status":"ACTIVE","opt_out":"ALL","address":"old@example.com","creation_date":"0001-01-15T00:00:00Z","effective_date":"9999-12-31T23:59:59.999999Z","country":"GB","locale":"en_GB","timezone":"europe/london","user_id":"=1+1","attributes":{"Naïve | \"Name\"":["x"]}}
"#;

/// A user whom nothing reaches, ids and users that are empty or missing, and dates around 1970.
const HARD_TO_REACH: &str = r#"
{"id":"s1","channel_type":"SMS","endpoint_status":"ACTIVE","opt_out":"ALL","address":"+441481960194","creation_date":"9999-12-01T00:00:00Z","effective_date":"9999-12-01T00:00:01Z","country":"XX","locale":"zh-Hant-TW","timezone":"","app_version":"","user_id":"O'Brien 王"}
{"id":"s2","channel_type":"SMS","endpoint_status":"INACTIVE","opt_out":"NONE","address":"07700 900123","creation_date":"2024-02-29T00:00:00Z","effective_date":"2024-02-29T00:00:00Z","user_id":"O'Brien 王"}
{"id":"s3","channel_type":"VOICE","address":"","effective_date":"2024-02-29T12:00:00Z","user_id":"O'Brien 王"}
{"id":"dup","channel_type":"GCM","endpoint_status":"ACTIVE","opt_out":"NONE","address":"token","effective_date":"1969-12-31T23:59:59.999999Z","user_id":""}
{"id":"dup","channel_type":"GCM","endpoint_status":"ACTIVE","opt_out":"NONE","address":"token","effective_date":"1970-01-01T00:00:00Z","user_id":""}
{"channel_type":"IN_APP","endpoint_status":"ACTIVE","opt_out":"NONE","user_id":"solo"}
"#;

/// Ten endpoints that are all awkward; `cohort_id`, `request_id` and the position are wholly null.
fn awkward() -> TestLake {
    TestLake::empty().with_snapshot("s", &[FAR_OFF, HARD_TO_REACH])
}

/// A lake of such records.
fn lake_of(records: impl IntoIterator<Item = serde_json::Value>) -> TestLake {
    let lines: Vec<String> = records.into_iter().map(|record| record.to_string()).collect();
    TestLake::empty().with_snapshot("s", &[&lines.join("\n")])
}
