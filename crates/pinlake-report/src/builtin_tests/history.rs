//! Snapshots against each other, and what all of them hold on one person.

use super::awkward;
use crate::test_lake::TestLake;

const BEFORE: &str = r#"
{"id":"kept","channel_type":"SMS","opt_out":"NONE","attributes":{"a":["1"],"b":["2"]},"metrics":{"m":1}}
{"id":"moved","channel_type":"SMS","city":"Toyama","country":"JPN"}
{"id":"gone","channel_type":"EMAIL"}
{"id":"twice","city":"one"}
{"id":"twice","city":"two"}
{}
"#;

const AFTER: &str = r#"
{}
{"id":"twice","city":"one"}
{"id":"twice","city":"three"}
{"id":"twice","city":"four"}
{"id":"moved","channel_type":"VOICE","city":"Austin","country":"JPN","cohort_id":"5"}
{"id":"kept","channel_type":"SMS","opt_out":"ALL","metrics":{"m":1},"attributes":{"b":["2"],"a":["1"]}}
"#;

fn lake() -> TestLake {
    TestLake::empty().with_snapshot("old", &[BEFORE]).with_snapshot("new", &[AFTER])
}

#[tokio::test]
async fn snapshot_diff() {
    // Entries of maps have no order, and the n-th of an id is held against the n-th.
    assert_eq!(
        lake().csv("snapshot-diff", &[("from", "old"), ("to", "new")]).await,
        "change,field,endpoints\n\
         added,,1\n\
         removed,,1\n\
         changed,channel_type,1\n\
         changed,opt_out,1\n\
         changed,cohort_id,1\n\
         changed,city,2\n"
    );
    let none = "change,field,endpoints\n";
    assert_eq!(lake().csv("snapshot-diff", &[("from", "old"), ("to", "old")]).await, none);
    assert_eq!(
        lake().csv("snapshot-diff", &[("from", "older"), ("to", "new")]).await,
        format!("{none}no_such_snapshot,older,0\n")
    );
}

#[tokio::test]
async fn order_within_a_list_is_a_change_and_so_is_nothing_where_there_was_an_empty_map() {
    let before = r#"
        {"id":"a","attributes":{"x":["1","2"]},"extra":"{\"New\":1}"}
        {"id":"b","attributes":{}}
        {"id":"c","metrics":{"m":1.0,"n":2.0},"user_attributes":{"x":[]}}
        {"id":"d","user_id":""}
    "#;
    let after = r#"
        {"id":"d"}
        {"id":"c","metrics":{"m":1.0},"user_attributes":{"x":[null]}}
        {"id":"b"}
        {"id":"a","attributes":{"x":["2","1"]}}
    "#;
    let lake = TestLake::empty().with_snapshot("old", &[before]).with_snapshot("new", &[after]);
    assert_eq!(
        lake.csv("snapshot-diff", &[("from", "old"), ("to", "new")]).await,
        "change,field,endpoints\n\
         changed,attributes,2\n\
         changed,metrics,1\n\
         changed,user_id,1\n\
         changed,user_attributes,1\n\
         changed,extra,1\n"
    );
}

#[tokio::test]
async fn a_snapshot_without_endpoints_is_one_all_the_same() {
    let lake = lake().with_snapshot("none", &[""]);
    let header = "change,field,endpoints\n";
    for (from, to, expected) in [
        ("none", "new", "added,,6\n"),
        ("old", "none", "removed,,6\n"),
        ("none", "none", ""),
        // Those that are unknown, each once.
        ("later", "earlier", "no_such_snapshot,earlier,0\nno_such_snapshot,later,0\n"),
        ("later", "later", "no_such_snapshot,later,0\n"),
        ("", "new", "no_such_snapshot,\"\",0\n"),
    ] {
        let csv = lake.csv("snapshot-diff", &[("from", from), ("to", to)]).await;
        assert_eq!(csv, format!("{header}{expected}"), "{from:?} to {to:?}");
    }
}

#[tokio::test]
async fn subject_lookup() {
    let whom = |whom: &'static [(&'static str, &'static str)]| async move {
        let csv = awkward().csv("subject-lookup", whom).await;
        let mut lines = csv.lines();
        let header = lines.next().unwrap_or_default();
        assert!(header.starts_with("snapshot,id,channel_type,address,user_id,piece,line,"), "{header}");
        let ids = lines.filter(|line| line.starts_with("s,"));
        ids.map(|line| line.split(',').nth(1).unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(whom(&[("user_id", "O'Brien 王")]).await, ["s1", "s2", "s3"]);
    assert_eq!(whom(&[("user_id", "=1+1")]).await, ["old", "far"]);
    // E-mail addresses as people write them, and nothing else in another case.
    assert_eq!(whom(&[("address", " OLD@example.com\n")]).await, ["old", "far"]);
    assert_eq!(whom(&[("address", "token")]).await, ["dup", "dup"]);
    assert!(whom(&[("address", "TOKEN")]).await.is_empty());
    assert_eq!(whom(&[("address", "token"), ("user_id", "solo")]).await, ["dup", "dup", ""]);
    // Nobody is everybody.
    assert!(whom(&[]).await.is_empty() && whom(&[("address", "")]).await.is_empty());
    assert_eq!(whom(&[("user_id", "")]).await, ["dup", "dup"], "an empty id is one");
}

#[tokio::test]
async fn all_snapshots_are_looked_through_whichever_is_chosen() {
    let csv = lake().csv("subject-lookup", &[("address", "+1")]).await;
    assert_eq!(csv.lines().count(), 1);
    let first = r#"{"id":"a","channel_type":"SMS","address":"+1","user_id":"u","country":"jpn"}"#;
    let second = "{}\n{\"id\":\"a\",\"channel_type\":\"SMS\",\"address\":\"+1 \"}";
    let lake = lake().with_snapshot("b", &[second]).with_snapshot("a", &["{}", first]);
    let csv = lake.csv("subject-lookup", &[("address", "+1"), ("user_id", "u")]).await;
    let rows: Vec<&str> = csv.lines().skip(1).collect();
    assert_eq!(rows.len(), 2, "{csv}");
    assert!(rows[0].starts_with("a,a,SMS,+1,u,piece-1.gz,1,"), "{csv}");
    assert!(rows[0].contains(",JP,"), "{csv}");
    assert!(rows[1].starts_with("b,a,SMS,\"+1 \",,piece-0.gz,2,"), "{csv}");
}
