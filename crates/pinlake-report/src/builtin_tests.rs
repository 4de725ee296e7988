//! Every built-in report against figures computed by hand from eight endpoints, and on a lake without any.

use arrow::datatypes::DataType;

use crate::test_lake::{TestLake, chain};
use crate::{Catalogue, ErrorKind};

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

fn lake() -> TestLake {
    TestLake::empty()
        .with_snapshot("older", &[r#"{"id":"gone","channel_type":"VOICE"}"#])
        .with_snapshot("newer", &[FIRST, SECOND])
}

#[tokio::test]
async fn audience_summary() {
    assert_eq!(
        lake().csv("audience-summary", &[]).await,
        "endpoints,distinct_ids,addresses,users,anonymous_endpoints,targetable,opted_out,inactive,\
         first_created,last_effective\n\
         8,6,5,3,3,3,2,2,2025-12-31T23:59:59Z,2026-10-29T12:00:00Z\n"
    );
}

#[tokio::test]
async fn channel_mix() {
    assert_eq!(
        lake().csv("channel-mix", &[]).await,
        "channel_type,endpoint_status,opt_out,endpoints,share\n\
         APNS,INACTIVE,ALL,1,0.125\n\
         CUSTOM,ACTIVE,NONE,1,0.125\n\
         CUSTOM,ACTIVE,,1,0.125\n\
         EMAIL,ACTIVE,ALL,1,0.125\n\
         EMAIL,ACTIVE,NONE,1,0.125\n\
         EMAIL,INACTIVE,NONE,1,0.125\n\
         SMS,ACTIVE,NONE,1,0.125\n\
         ,,,1,0.125\n"
    );
}

#[tokio::test]
async fn targetable() {
    assert_eq!(
        lake().csv("targetable", &[]).await,
        "channel_type,endpoints,targetable,targetable_share\n\
         EMAIL,3,1,0.3333333333333333\n\
         CUSTOM,2,1,0.5\n\
         APNS,1,0,0.0\n\
         SMS,1,1,1.0\n\
         ,1,0,0.0\n"
    );
}

#[tokio::test]
async fn opt_out() {
    assert_eq!(
        lake().csv("opt-out", &[]).await,
        "channel_type,country,endpoints,opted_out,opt_out_share\n\
         EMAIL,US,2,1,0.5\n\
         APNS,,1,1,1.0\n\
         CUSTOM,Atlantis,1,0,0.0\n\
         CUSTOM,,1,0,0.0\n\
         EMAIL,JP,1,0,0.0\n\
         SMS,JP,1,0,0.0\n\
         ,,1,0,0.0\n"
    );
    assert_eq!(
        lake().csv("opt-out", &[("since", "2026-02-01"), ("min_endpoints", "2")]).await,
        "channel_type,country,endpoints,opted_out,opt_out_share\nEMAIL,US,2,1,0.5\n"
    );
}

#[tokio::test]
async fn growth() {
    assert_eq!(
        lake().csv("growth", &[]).await,
        "period,channel_type,new_endpoints,running_total\n\
         2025-12-01,CUSTOM,1,1\n\
         2026-01-01,EMAIL,1,1\n\
         2026-01-01,SMS,1,1\n\
         2026-02-01,EMAIL,2,3\n\
         ,APNS,1,1\n\
         ,CUSTOM,1,2\n\
         ,,1,1\n"
    );
    let weekly = lake().csv("growth", &[("grain", "week")]).await;
    assert!(weekly.starts_with("period,channel_type,new_endpoints,running_total\n2025-12-29,CUSTOM,1,1\n"));
    let error = lake().report("growth", &[("grain", "year")]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
    assert_eq!(
        chain(&error),
        "report \"growth\" cannot run: parameter \"grain\" takes one of day, week, month, not \"year\""
    );
}

#[tokio::test]
async fn recency() {
    // e3 is two whole days old, e6's second record eight; e4 is a microsecond short of 90 days.
    let expected = "band,channel_type,endpoints,share\n\
         ≤1,EMAIL,1,0.125\n\
         ≤1,SMS,1,0.125\n\
         ≤7,EMAIL,1,0.125\n\
         ≤14,CUSTOM,1,0.125\n\
         ≤90,EMAIL,1,0.125\n\
         >365,CUSTOM,1,0.125\n\
         unknown,APNS,1,0.125\n\
         unknown,,1,0.125\n";
    assert_eq!(lake().csv("recency", &[]).await, expected);
    assert_eq!(lake().csv("recency", &[("as_of", "2026-10-29T12:00:00Z")]).await, expected);
    let earlier = lake().csv("recency", &[("as_of", "2025-10-02")]).await;
    assert!(earlier.contains("≤1,CUSTOM,2,0.25\n") && earlier.contains("≤1,EMAIL,3,0.375\n"), "{earlier}");
}

#[tokio::test]
async fn geography() {
    assert_eq!(
        lake().csv("geography", &[]).await,
        "country,region,city,endpoints,users,share\n\
         ,,,3,0,0.375\n\
         JP,,Toyama,2,1,0.25\n\
         Atlantis,,,1,1,0.125\n\
         US,TX,Austin,1,1,0.125\n\
         US,,,1,1,0.125\n"
    );
}

#[tokio::test]
async fn platforms() {
    assert_eq!(
        lake().csv("platforms", &[("min_endpoints", "1")]).await,
        "platform,platform_version,endpoints,share\n,,6,0.75\nandroid,14,1,0.125\nios,17.1,1,0.125\n"
    );
}

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
async fn attribute_catalogue() {
    assert_eq!(
        lake().csv("attribute-catalogue", &[]).await,
        "source,name,endpoints,fill_share,distinct_values,max_values,max_length,problems\n\
         attributes,Team,2,0.25,2,1,5,\"[\"\"case_variant\"\"]\"\n\
         attributes,Empty,1,0.125,0,0,0,[]\n\
         attributes,Nothing,1,0.125,0,1,0,[]\n\
         attributes,team,1,0.125,2,2,6,\"[\"\"case_variant\"\"]\"\n\
         user_attributes,Plan,2,0.25,1,1,4,[]\n"
    );
    let name = "n".repeat(51);
    let values = (0..51).map(|n| format!("\"{}{n}\"", "é".repeat(100))).collect::<Vec<_>>().join(",");
    let line = format!("{{\"attributes\":{{\"{name}\":[{values}]}}}}");
    let broken = TestLake::empty().with_snapshot("s", &[&line]);
    let csv = broken.csv("attribute-catalogue", &[]).await;
    let expected =
        ",1,1.0,51,51,102,\"[\"\"name_over_50\"\",\"\"value_over_100\"\",\"\"over_50_values\"\"]\"\n";
    assert!(csv.ends_with(expected), "{csv}");
}

#[tokio::test]
async fn completeness() {
    let csv = lake().csv("completeness", &[]).await;
    let of = |column: &str| -> Vec<&str> {
        csv.lines().filter_map(|line| line.strip_prefix(&format!("{column},"))).collect()
    };
    assert_eq!(of("column"), ["channel_type,null_share,endpoints"]);
    assert_eq!(of("id"), ["APNS,0.0,1", "CUSTOM,0.0,2", "EMAIL,0.0,3", "SMS,0.0,1", ",1.0,1"]);
    let city = ["APNS,1.0,1", "CUSTOM,1.0,2", "EMAIL,0.3333333333333333,3", "SMS,0.0,1", ",1.0,1"];
    assert_eq!(of("city"), city);
    assert_eq!(of("attributes")[2], "EMAIL,0.3333333333333333,3");
    assert_eq!(of("cohort_id")[2], "EMAIL,1.0,3");
    assert_eq!(csv.lines().count(), 1 + 32 * 5);
    assert!(csv.lines().nth(1).is_some_and(|line| line.starts_with("id,")));
}

#[tokio::test]
async fn empty_lakes_have_every_report() {
    let nothing = [TestLake::empty(), TestLake::empty().with_snapshot("s", &[""])];
    for lake in nothing {
        for template in Catalogue::builtin().expect("the built-in headers parse").list() {
            let report = lake.report(&template.name, &[]).await;
            let report = report.unwrap_or_else(|error| panic!("{}: {}", template.name, chain(&error)));
            let expected = usize::from(template.name == "audience-summary");
            assert_eq!(report.result.rows(), expected, "{}", template.name);
        }
        let summary = lake.csv("audience-summary", &[]).await;
        assert_eq!(summary.lines().nth(1), Some("0,0,0,0,0,0,0,0,,"));
    }
}

#[tokio::test]
async fn the_columns_are_the_same_with_and_without_rows() {
    let catalogue = Catalogue::builtin().expect("the built-in headers parse");
    for template in catalogue.list() {
        let full = lake().report(&template.name, &[]).await.expect("runs").result.schema;
        let empty = TestLake::empty().report(&template.name, &[]).await.expect("runs").result.schema;
        let columns = lake().session().await.columns(&template.sql).await.expect("plans");
        let names = |schema: &arrow::datatypes::Schema| -> Vec<String> {
            schema.fields().iter().map(|field| field.name().clone()).collect()
        };
        assert_eq!(names(&full), names(&empty), "{}", template.name);
        assert_eq!(names(&full), names(&columns), "{}", template.name);
        // What other tools read: no unsigned and no narrow numbers.
        for field in full.fields().iter().filter(|field| field.data_type().is_numeric()) {
            let plain = matches!(field.data_type(), DataType::Int64 | DataType::Float64);
            assert!(plain, "{}: {} is {}", template.name, field.name(), field.data_type());
        }
    }
}
