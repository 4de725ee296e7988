//! The people behind endpoints.

use serde_json::{Value, json};

use super::{awkward, lake, lake_of};
use crate::test_lake::TestLake;

#[tokio::test]
async fn endpoints_per_user() {
    assert_eq!(
        lake().csv("endpoints-per-user", &[]).await,
        "endpoints_per_user,users,at_limit\n1,1,false\n2,2,false\n"
    );
    let fifteen = r#"{"user_id":"u"}"#.to_owned() + "\n";
    let fifteen = fifteen.repeat(15);
    let crowded = TestLake::empty().with_snapshot("s", &[&fifteen]);
    assert_eq!(
        crowded.csv("endpoints-per-user", &[]).await,
        "endpoints_per_user,users,at_limit\n15,1,true\n"
    );
}

#[tokio::test]
async fn channel_overlap() {
    assert_eq!(
        lake().csv("channel-overlap", &[]).await,
        "channels,users,endpoints\nCUSTOM+EMAIL,1,2\nEMAIL,1,1\nEMAIL+SMS,1,2\n"
    );
}

#[tokio::test]
async fn people_behind_awkward_endpoints() {
    // Four users, of whom one has an empty id: it is an id all the same.
    assert_eq!(
        awkward().csv("endpoints-per-user", &[]).await,
        "endpoints_per_user,users,at_limit\n1,1,false\n2,2,false\n3,1,false\n"
    );
    assert_eq!(
        awkward().csv("channel-overlap", &[]).await,
        "channels,users,endpoints\nEMAIL,1,2\nGCM,1,2\nIN_APP,1,1\nSMS+VOICE,1,3\n"
    );
}

#[tokio::test]
async fn unreachable_users() {
    assert_eq!(
        lake().csv("unreachable-users", &[]).await,
        "user_id,endpoints,reasons\nu3,1,\"[\"\"inactive\"\"]\"\n"
    );
    assert_eq!(
        awkward().csv("unreachable-users", &[]).await,
        "user_id,endpoints,reasons\n\
         O'Brien 王,3,\"[\"\"inactive\"\",\"\"no_address\"\",\"\"opted_out\"\"]\"\n\
         solo,1,\"[\"\"no_address\"\"]\"\n"
    );
}

#[tokio::test]
async fn one_endpoint_that_can_be_reached_is_enough() {
    let endpoint = |user: &str, status: Option<&str>, opt_out: Option<&str>, address: Option<&str>| json!({ "user_id": user, "endpoint_status": status, "opt_out": opt_out, "address": address });
    let cases = [
        (endpoint("u1", Some("ACTIVE"), Some("ALL"), Some("x")), "opted_out"),
        (endpoint("u2", Some("INACTIVE"), Some("NONE"), Some("x")), "inactive"),
        (endpoint("u3", None, None, Some("x")), "inactive"),
        // As it is spelt: Pinpoint knows no other.
        (endpoint("u4", Some("active"), None, Some("x")), "inactive"),
        (endpoint("u5", Some("ACTIVE"), None, Some("")), "no_address"),
        (endpoint("u6", Some("ACTIVE"), None, None), "no_address"),
    ];
    let mut records: Vec<Value> = cases.iter().flat_map(|(one, _)| [one.clone(), one.clone()]).collect();
    // No opt-out is none.
    records.push(endpoint("u7", Some("ACTIVE"), None, Some("x")));
    let row = |(one, reason): &(Value, &str)| {
        format!("{},2,\"[\"\"{reason}\"\"]\"\n", one["user_id"].as_str().unwrap_or_default())
    };
    let rows: Vec<String> = cases.iter().map(row).collect();
    assert_eq!(
        lake_of(records.clone()).csv("unreachable-users", &[]).await,
        format!("user_id,endpoints,reasons\n{}", rows.concat())
    );
    for (one, _) in &cases {
        let user = one["user_id"].as_str().unwrap_or_default();
        records.push(endpoint(user, Some("ACTIVE"), Some("NONE"), Some("x")));
    }
    assert_eq!(lake_of(records).csv("unreachable-users", &[]).await, "user_id,endpoints,reasons\n");
}
