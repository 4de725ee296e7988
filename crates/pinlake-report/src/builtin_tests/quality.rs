//! Ghosts, disagreements, and what a move to another service would meet.

use serde_json::{Value, json};

use super::{awkward, lake, lake_of};

#[tokio::test]
async fn ghosts() {
    assert_eq!(
        lake().csv("ghosts", &[]).await,
        "id,channel_type,endpoint_status,opt_out,reasons,piece,line\n\
         e5,APNS,INACTIVE,ALL,\"[\"\"no_address\"\",\"\"no_dates\"\",\"\"inactive_opted_out\"\"]\",piece-1.gz,1\n\
         e6,CUSTOM,ACTIVE,NONE,\"[\"\"no_address\"\"]\",piece-1.gz,3\n\
         ,,,,\"[\"\"no_address\"\",\"\"no_dates\"\"]\",piece-1.gz,4\n"
    );
    assert_eq!(
        awkward().csv("ghosts", &[]).await,
        "id,channel_type,endpoint_status,opt_out,reasons,piece,line\n\
         g1,APNS,INACTIVE,ALL,\"[\"\"no_address\"\",\"\"no_dates\"\",\"\"inactive_opted_out\"\"]\",piece-0.gz,1\n\
         g1,APNS,INACTIVE,ALL,\"[\"\"no_address\"\",\"\"no_dates\"\",\"\"inactive_opted_out\"\"]\",piece-0.gz,2\n\
         s3,VOICE,,,\"[\"\"no_address\"\"]\",piece-1.gz,3\n\
         ,IN_APP,ACTIVE,NONE,\"[\"\"no_address\"\",\"\"no_dates\"\"]\",piece-1.gz,6\n"
    );
}

#[tokio::test]
async fn endpoints_that_somebody_could_still_reach_are_no_ghosts() {
    let endpoint = |id: &str, status: &str, opt_out: &str, user: Option<&str>| json!({ "id": id, "address": "x", "creation_date": "2026-01-01T00:00:00Z", "endpoint_status": status, "opt_out": opt_out, "user_id": user });
    let lake = lake_of([
        endpoint("ghost", "INACTIVE", "ALL", None),
        endpoint("a user's", "INACTIVE", "ALL", Some("")),
        endpoint("opted in", "INACTIVE", "NONE", None),
        endpoint("active", "ACTIVE", "ALL", None),
        json!({ "id": "one date", "address": " ", "effective_date": "2026-01-01T00:00:00Z" }),
        json!({ "id": "no date", "address": "x", "user_id": "u" }),
    ]);
    assert_eq!(
        lake.csv("ghosts", &[]).await,
        "id,channel_type,endpoint_status,opt_out,reasons,piece,line\n\
         ghost,,INACTIVE,ALL,\"[\"\"inactive_opted_out\"\"]\",piece-0.gz,1\n\
         no date,,,,\"[\"\"no_dates\"\"]\",piece-0.gz,6\n"
    );
}

fn user(id: &str, attributes: &Value) -> Value {
    json!({ "user_id": id, "user_attributes": attributes })
}

#[tokio::test]
async fn user_conflicts() {
    let none = "user_id,name,values,endpoints,variants\n";
    assert_eq!(lake().csv("user-conflicts", &[]).await, none);
    assert_eq!(awkward().csv("user-conflicts", &[]).await, none);
    let lake = lake_of([
        user("u", &json!({ "Plan": ["gold"], "Langs": ["de", "en"], "Age": ["39"] })),
        // Neither order nor repetition nor a null is another set, and absence is no conflict.
        user("u", &json!({ "Plan": ["silver"], "Langs": ["en", "de", null, "en"], "Age": [] })),
        user("u", &json!({ "Plan": ["gold", "silver"], "plan": ["bronze"] })),
        user("v", &json!({ "Plan": ["bronze"] })),
        json!({ "user_attributes": { "Plan": ["gold"] } }),
        json!({ "user_attributes": { "Plan": ["silver"] } }),
        user("O'Brien 王", &json!({ "na\"me": ["1"] })),
        user("O'Brien 王", &json!({ "na\"me": ["01"] })),
    ]);
    assert_eq!(
        lake.csv("user-conflicts", &[]).await,
        "user_id,name,values,endpoints,variants\n\
         O'Brien 王,\"na\"\"me\",\"[\"\"01\"\",\"\"1\"\"]\",2,2\n\
         u,Plan,\"[\"\"gold\"\",\"\"silver\"\"]\",3,3\n"
    );
}

#[tokio::test]
async fn migration_readiness() {
    assert_eq!(
        lake().csv("migration-readiness", &[]).await,
        "problem,users,endpoints,example_id\n\
         no_user_id,0,3,e5\n\
         over_3_emails,0,0,\n\
         over_4_phones,0,0,\n\
         value_over_255,0,0,\n\
         opted_out,1,2,e3\n\
         inactive,1,2,e4\n\
         push_or_custom_channel,1,3,e5\n\
         no_address,0,3,e5\n"
    );
    assert_eq!(
        awkward().csv("migration-readiness", &[]).await,
        "problem,users,endpoints,example_id\n\
         no_user_id,0,2,g1\n\
         over_3_emails,0,0,\n\
         over_4_phones,0,0,\n\
         value_over_255,0,0,\n\
         opted_out,2,4,far\n\
         inactive,1,3,g1\n\
         push_or_custom_channel,2,5,dup\n\
         no_address,2,4,g1\n"
    );
}

#[tokio::test]
async fn profiles_hold_three_emails_four_phones_and_255_characters() {
    let endpoint = |user: &str, number: usize, channel: &str, address: &str| json!({ "id": format!("{user}-{number}"), "user_id": user, "channel_type": channel, "address": address });
    let emails = ["a@x.de", " A@x.de", "b@x.de", "c@x.de", "d@x.de"];
    let phones = ["+1", "+2", "+3", "+4", "+5"];
    let mut records: Vec<Value> = Vec::new();
    // Three e-mail addresses in four endpoints and four numbers are as many as there is room for; then one more of each.
    for (user, emails, phones) in [("fits", &emails[..4], &phones[..4]), ("full", &emails[..], &phones[..])] {
        records.extend(emails.iter().enumerate().map(|(n, address)| endpoint(user, n, "EMAIL", address)));
        let channel = |n: usize| if n.is_multiple_of(2) { "SMS" } else { "VOICE" };
        records.extend(phones.iter().enumerate().map(|(n, it)| endpoint(user, 10 + n, channel(n), it)));
    }
    // An empty address is none.
    records.extend([endpoint("fits", 98, "EMAIL", ""), endpoint("fits", 99, "SMS", "")]);
    let long = "é".repeat(256);
    records.push(json!({ "id": "w1", "user_id": "w", "attributes": { "a": ["x", null, &long] } }));
    records.push(json!({ "id": "w2", "user_id": "w", "user_attributes": { "a": [&long[2..]] } }));
    records.push(json!({ "id": "w0", "user_id": "w", "city": &long }));
    let csv = lake_of(records).csv("migration-readiness", &[]).await;
    for line in ["over_3_emails,1,5,full-0", "over_4_phones,1,5,full-10", "value_over_255,1,2,w0"] {
        assert!(csv.lines().any(|found| found == line), "{line} in {csv}");
    }
}
