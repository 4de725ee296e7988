//! What is known of endpoints, and what is not.

use super::{awkward, lake};
use crate::test_lake::TestLake;

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
async fn names_of_attributes_may_hold_anything() {
    assert_eq!(
        awkward().csv("attribute-catalogue", &[]).await,
        "source,name,endpoints,fill_share,distinct_values,max_values,max_length,problems\n\
         attributes,\"Naïve | \"\"Name\"\"\",1,0.1,1,1,1,\"[\"\"case_variant\"\"]\"\n\
         attributes,\"naïve | \"\"name\"\"\",1,0.1,1,1,1,\"[\"\"case_variant\"\"]\"\n"
    );
}

#[tokio::test]
async fn columns_that_are_null_everywhere_are_told_as_such() {
    let csv = awkward().csv("completeness", &[]).await;
    let shares = |column: &str| -> Vec<&str> {
        let lines = csv.lines().filter_map(|line| line.strip_prefix(&format!("{column},")));
        lines.filter_map(|line| line.split(',').nth(1)).collect()
    };
    for column in ["cohort_id", "request_id", "latitude", "user_attributes", "extra"] {
        assert_eq!(shares(column), ["1.0"; 6], "{column}");
    }
    assert_eq!(shares("id"), ["0.0", "0.0", "0.0", "1.0", "0.0", "0.0"]);
    // An empty text is a value.
    assert_eq!(shares("address"), ["1.0", "0.0", "0.0", "1.0", "0.0", "0.0"]);
}
