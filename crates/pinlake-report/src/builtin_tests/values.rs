//! What attributes and metrics hold, and how people and cohorts differ by them.

use serde_json::{Value, json};

use super::{awkward, lake, lake_of};

#[tokio::test]
async fn attribute_values() {
    assert_eq!(
        lake().csv("attribute-values", &[("name", "Team")]).await,
        "value,endpoints,share,by_value,by_share\nCarp,1,0.125,,0.125\nHawks,1,0.125,,0.125\n"
    );
    // By country, alpha-2: of the two in JP both hold a plan.
    assert_eq!(
        lake().csv("attribute-values", &[("name", "Plan"), ("by", "country")]).await,
        "value,endpoints,share,by_value,by_share\ngold,2,0.25,JP,1.0\n"
    );
    let plan = [("name", "Plan"), ("source", "attributes")];
    let none = "value,endpoints,share,by_value,by_share\n";
    assert_eq!(lake().csv("attribute-values", &plan).await, none);
    let named = awkward().csv("attribute-values", &[("name", "naïve | \"name\"")]).await;
    assert_eq!(named, format!("{none}x,1,0.1,,0.1\n"));
}

#[tokio::test]
async fn an_endpoint_counts_once_under_each_of_its_values() {
    let lake = lake_of([
        json!({ "attributes": { "a": ["x", "x", null, ""] }, "user_attributes": { "a": ["x", "y"] }, "channel_type": "SMS" }),
        json!({ "attributes": { "a": [] }, "channel_type": "SMS" }),
        json!({ "attributes": { "A": ["x"] } }),
        json!({}),
    ]);
    assert_eq!(
        lake.csv("attribute-values", &[("name", "a"), ("by", "channel_type")]).await,
        "value,endpoints,share,by_value,by_share\n\
         \"\",1,0.25,SMS,0.5\n\
         x,1,0.25,SMS,0.5\n\
         y,1,0.25,SMS,0.5\n\
         ,1,0.25,SMS,0.5\n"
    );
    assert_eq!(
        lake.csv("attribute-values", &[("name", "a"), ("source", "user_attributes")]).await,
        "value,endpoints,share,by_value,by_share\nx,1,0.25,,0.25\ny,1,0.25,,0.25\n"
    );
}

#[tokio::test]
async fn countries_are_one_however_they_are_spelt() {
    let holder = |country: Option<&str>| json!({ "country": country, "attributes": { "a": ["x"] } });
    let mut records = [Some("JP"), Some("JPN"), Some(" jpn "), Some("Atlantis"), None].map(holder).to_vec();
    records.push(json!({ "country": "jp" }));
    assert_eq!(
        lake_of(records).csv("attribute-values", &[("name", "a"), ("by", "country")]).await,
        "value,endpoints,share,by_value,by_share\n\
         x,3,0.5,JP,0.75\n\
         x,1,0.16666666666666666,Atlantis,1.0\n\
         x,1,0.16666666666666666,,1.0\n"
    );
}

#[tokio::test]
async fn metric_distribution() {
    let header = "name,endpoints,min,p25,p50,p75,p95,max,mean,stddev,zeros,negatives\n";
    assert_eq!(
        lake().csv("metric-distribution", &[]).await,
        format!("{header}orders,1,3.5,3.5,3.5,3.5,3.5,3.5,3.5,,0,0\n")
    );
    let metrics = |metrics: Value| json!({ "metrics": metrics });
    let lake = lake_of([
        metrics(json!({ "b": 14, "a": 1 })),
        metrics(json!({ "b": -2, "a": 1 })),
        metrics(json!({ "b": 0, "a": null })),
        metrics(json!({ "b": 2 })),
        metrics(json!({ "b": 4 })),
        metrics(json!({ "b": 6 })),
        metrics(json!({})),
        json!({}),
    ]);
    // Of -2, 0, 2, 4, 6, 14: the squares of the distances from the mean are 160 together, of a sample of six.
    assert_eq!(
        lake.csv("metric-distribution", &[]).await,
        format!(
            "{header}a,2,1.0,1.0,1.0,1.0,1.0,1.0,1.0,0.0,0,0\n\
             b,6,-2.0,0.5,3.0,5.5,12.0,14.0,4.0,5.656854249492381,1,1\n"
        )
    );
}

#[tokio::test]
async fn sums_beyond_a_double_are_unknown_and_quantiles_are_not() {
    let metric = |value: f64| json!({ "metrics": { "m": value } });
    let lake = lake_of([metric(-1.5e308), metric(1.5e308), metric(1.5e308), metric(1.5e308)]);
    let report = lake.csv("metric-distribution", &[]).await;
    // A quarter of the way from one end of the doubles to the other, though their distance is none.
    assert!(report.ends_with("\nm,4,-1.5e308,7.5e307,1.5e308,1.5e308,1.5e308,1.5e308,,,0,1\n"), "{report}");
    let none = lake_of([json!({ "metrics": {} }), json!({ "metrics": { "m": null } })]);
    assert_eq!(none.csv("metric-distribution", &[]).await.lines().count(), 1);
}

#[tokio::test]
async fn cohort_balance() {
    let header = "cohort_id,endpoints,share,opt_out_share,expected,z_score\n";
    // As in every export seen so far: there are no cohorts.
    assert_eq!(lake().csv("cohort-balance", &[]).await, format!("{header},8,1.0,0.25,,\n"));
    assert_eq!(awkward().csv("cohort-balance", &[]).await, format!("{header},10,1.0,0.4,,\n"));
    let few = lake_of(["7", "07", "100", "7"].map(|cohort| json!({ "cohort_id": cohort, "opt_out": "ALL" })));
    assert_eq!(
        few.csv("cohort-balance", &[]).await,
        format!("{header}7,2,0.5,1.0,0.02,\n07,1,0.25,1.0,,\n100,1,0.25,1.0,,\n")
    );
}

#[tokio::test]
async fn cohorts_of_a_thousand_are_compared_with_chance() {
    // Eleven of each, but for 3, which has none, and 4, which has the eleven of 3 too.
    let cohorts = (0..1_100).map(|number| match number % 100 {
        3 => json!({ "cohort_id": "4" }),
        cohort => json!({ "cohort_id": cohort.to_string() }),
    });
    let csv = lake_of(cohorts).csv("cohort-balance", &[]).await;
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines.len(), 101);
    // The deviation of eleven of a hundred is the root of 11 * 0.99.
    assert_eq!(lines[1], "0,11,0.01,0.0,11.0,0.0");
    assert!(lines[4].starts_with("3,0,0.0,,11.0,-3.333"), "{}", lines[4]);
    assert!(lines[5].starts_with("4,22,0.02,0.0,11.0,3.333"), "{}", lines[5]);
}

#[tokio::test]
async fn rfm() {
    // u1 has three orders and a half and was there last; nobody else ordered, and there is no second metric.
    assert_eq!(
        lake().csv("rfm", &[]).await,
        "segment,users,recency_days,frequency,value\n\
         441,1,0.0,3.5,0.0\n\
         211,1,2.0,0.0,0.0\n\
         111,1,90.0,0.0,0.0\n"
    );
    assert_eq!(
        awkward().csv("rfm", &[]).await,
        "segment,users,recency_days,frequency,value\n\
         411,1,0.0,0.0,0.0\n\
         311,1,30.999988,0.0,0.0\n\
         211,1,2932897.0,0.0,0.0\n\
         111,1,,0.0,0.0\n"
    );
}

#[tokio::test]
async fn quintiles_put_equals_together() {
    // Five users, a day apart; two endpoints of one are added up, and two users spend the same.
    let endpoint = |user: u32, day: u32, orders: f64, spend: f64| {
        json!({
            "user_id": user.to_string(), "effective_date": format!("2026-01-{day:02}T00:00:00Z"),
            "metrics": { "orders": orders, "spend": spend },
        })
    };
    let lake = lake_of([
        endpoint(1, 1, 1.0, 50.0),
        endpoint(2, 2, 2.0, 10.0),
        endpoint(3, 3, 3.0, 10.0),
        endpoint(4, 4, 4.0, -5.0),
        endpoint(5, 5, 2.0, 20.0),
        endpoint(5, 1, 3.0, 10.0),
    ]);
    assert_eq!(
        lake.csv("rfm", &[]).await,
        "segment,users,recency_days,frequency,value\n\
         554,1,0.0,5.0,30.0\n\
         441,1,1.0,4.0,-5.0\n\
         332,1,2.0,3.0,10.0\n\
         222,1,3.0,2.0,10.0\n\
         115,1,4.0,1.0,50.0\n"
    );
    let turned = [("frequency", "spend"), ("value", "orders"), ("as_of", "2026-01-06")];
    let csv = lake.csv("rfm", &turned).await;
    assert!(csv.contains("\n545,1,1.0,30.0,5.0\n"), "{csv}");
}

#[tokio::test]
async fn one_user_is_not_ahead_of_anybody() {
    let header = "segment,users,recency_days,frequency,value\n";
    let alone = lake_of([json!({ "user_id": "u" }), json!({})]);
    assert_eq!(alone.csv("rfm", &[]).await, format!("{header}111,1,,0.0,0.0\n"));
    let spend = json!({ "effective_date": "2026-01-01T00:00:00Z", "metrics": { "spend": 9 } });
    assert_eq!(lake_of([spend]).csv("rfm", &[]).await, header, "nobody");
}

#[tokio::test]
async fn equal_sums_are_equal_and_a_metric_has_one_role() {
    let endpoint = |user: &str, spend: f64| json!({ "user_id": user, "metrics": { "it's": spend } });
    // In doubles 0.1 and 0.2 are more than 0.3.
    let lake =
        lake_of([endpoint("u", 0.1), endpoint("u", 0.2), endpoint("v", 0.3), json!({ "user_id": "w" })]);
    let header = "segment,users,recency_days,frequency,value\n";
    for (given, expected) in [
        (&[][..], "121,2,,0.3,0.0\n111,1,,0.0,0.0\n"),
        // The most filled metric is the value: then there is none for frequency.
        (&[("value", "it's")][..], "112,2,,0.0,0.3\n111,1,,0.0,0.0\n"),
        (&[("frequency", "it's"), ("value", "it's")], "122,2,,0.3,0.3\n111,1,,0.0,0.0\n"),
        (&[("frequency", "none"), ("value", "none")], "111,3,,0.0,0.0\n"),
    ] {
        assert_eq!(lake.csv("rfm", given).await, format!("{header}{expected}"), "{given:?}");
    }
}
