//! What dates tell: growth, freshness, lifetimes.

use super::{awkward, lake};
use crate::ErrorKind;
use crate::test_lake::{TestLake, chain};

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

/// One odd date stopped the whole report: dates before 1677 and after 2262 have no number of nanoseconds.
#[tokio::test]
async fn growth_over_ten_thousand_years() {
    assert_eq!(
        awkward().csv("growth", &[]).await,
        "period,channel_type,new_endpoints,running_total\n\
         0001-01-01,EMAIL,2,2\n\
         2024-02-01,SMS,1,1\n\
         9999-12-01,SMS,1,2\n\
         ,APNS,2,2\n\
         ,GCM,2,2\n\
         ,IN_APP,1,1\n\
         ,VOICE,1,1\n"
    );
    // 0001-01-01 is a Monday, 2024-02-29 a Thursday and 9999-12-01 a Wednesday.
    let weekly = awkward().csv("growth", &[("grain", "week")]).await;
    let dated: Vec<&str> = weekly.lines().skip(1).take(4).collect();
    assert_eq!(
        dated,
        ["0001-01-01,EMAIL,1,1", "0001-01-15,EMAIL,1,2", "2024-02-26,SMS,1,1", "9999-11-29,SMS,1,2"]
    );
    let daily = awkward().csv("growth", &[("grain", "day")]).await;
    assert!(daily.contains("\n2024-02-29,SMS,1,1\n9999-12-01,SMS,1,2\n"), "{daily}");
}

#[tokio::test]
async fn recency_over_ten_thousand_years() {
    assert_eq!(
        awkward().csv("recency", &[]).await,
        "band,channel_type,endpoints,share\n\
         ≤1,EMAIL,1,0.1\n\
         ≤30,SMS,1,0.1\n\
         >365,EMAIL,1,0.1\n\
         >365,GCM,2,0.2\n\
         >365,SMS,1,0.1\n\
         >365,VOICE,1,0.1\n\
         unknown,APNS,2,0.2\n\
         unknown,IN_APP,1,0.1\n"
    );
}

#[tokio::test]
async fn dormant() {
    assert_eq!(
        lake().csv("dormant", &[]).await,
        "id,channel_type,user_id,effective_date,days_idle\ne6,CUSTOM,u2,2025-10-01T00:00:00Z,393\n"
    );
    // Exactly a day is not more than a day.
    assert_eq!(
        lake().csv("dormant", &[("days", "1")]).await,
        "id,channel_type,user_id,effective_date,days_idle\n\
         e6,CUSTOM,u2,2025-10-01T00:00:00Z,393\n\
         e6,CUSTOM,,2026-10-21T12:00:00Z,8\n\
         e3,EMAIL,u2,2026-10-27T12:00:00Z,2\n"
    );
    assert_eq!(
        lake().csv("dormant", &[("days", "0"), ("as_of", "2026-10-28T12:00:00Z")]).await,
        "id,channel_type,user_id,effective_date,days_idle\n\
         e6,CUSTOM,u2,2025-10-01T00:00:00Z,392\n\
         e6,CUSTOM,,2026-10-21T12:00:00Z,7\n\
         e3,EMAIL,u2,2026-10-27T12:00:00Z,1\n"
    );
    // From one end of the calendar to the other there are 3,652,058 days and a microsecond less than another one.
    assert_eq!(
        awkward().csv("dormant", &[]).await,
        "id,channel_type,user_id,effective_date,days_idle\n\
         old,EMAIL,=1+1,0001-01-31T00:00:00Z,3652028\n\
         dup,GCM,\"\",1969-12-31T23:59:59.999999Z,2932897\n\
         dup,GCM,\"\",1970-01-01T00:00:00Z,2932896\n"
    );
}

#[tokio::test]
async fn retention() {
    assert_eq!(
        lake().csv("retention", &[("as_of", "2026-03-01")]).await,
        "cohort_month,age_months,endpoints,retained_share,cohort_endpoints\n\
         2025-12-01,0,0,0.0,1\n\
         2025-12-01,1,0,0.0,1\n\
         2025-12-01,2,0,0.0,1\n\
         2025-12-01,3,0,0.0,1\n\
         2026-01-01,0,2,1.0,2\n\
         2026-01-01,1,2,1.0,2\n\
         2026-01-01,2,2,1.0,2\n\
         2026-02-01,0,2,1.0,2\n\
         2026-02-01,1,2,1.0,2\n"
    );
    // The newest date is of October: ages go as far. e4 was last updated in July, five months after its own.
    let whole = lake().csv("retention", &[]).await;
    let february: Vec<&str> = whole.lines().filter_map(|line| line.strip_prefix("2026-02-01,")).collect();
    let expected: Vec<String> = (0..=8)
        .map(|age| if age <= 5 { format!("{age},2,1.0,2") } else { format!("{age},1,0.5,2") })
        .collect();
    assert_eq!(february, expected);
    assert_eq!(whole.lines().count(), 1 + 11 + 10 + 9);
    // Cohorts that are younger than the day asked for have reached no age.
    assert_eq!(lake().csv("retention", &[("as_of", "2025-11-30")]).await.lines().count(), 1);
}

#[tokio::test]
async fn retention_over_ten_thousand_years() {
    assert_eq!(
        awkward().csv("retention", &[("max_age", "1")]).await,
        "cohort_month,age_months,endpoints,retained_share,cohort_endpoints\n\
         0001-01-01,0,2,1.0,2\n\
         0001-01-01,1,1,0.5,2\n\
         2024-02-01,0,1,1.0,1\n\
         2024-02-01,1,0,0.0,1\n\
         9999-12-01,0,1,1.0,1\n"
    );
    // Two cohorts have passed every age that is shown, the third is of the newest month.
    assert_eq!(awkward().csv("retention", &[]).await.lines().count(), 1 + 241 + 241 + 1);
}

#[tokio::test]
async fn lifetime() {
    // e1 lived for 297 days and two hours, e3 for 268.5 days, e4 for 152.5 and two microseconds. e6 was updated before it was
    // created, as imports can have it, and not since.
    assert_eq!(
        lake().csv("lifetime", &[]).await,
        "channel_type,endpoints,p50_days,p90_days,never_updated_share,dated_endpoints\n\
         EMAIL,3,268.5,291.3666666666667,0.0,3\n\
         CUSTOM,2,-91.99998842592592,-91.99998842592592,0.5,1\n\
         APNS,1,,,0.0,0\n\
         SMS,1,281.0833333333333,281.0833333333333,0.0,1\n\
         ,1,,,0.0,0\n"
    );
    // A second and none: half and nine tenths of a second are the quantiles.
    let seconds = awkward().csv("lifetime", &[]).await;
    assert!(seconds.contains("\nSMS,2,5.787037037037037e-6,0.000010416666666666666,1.0,2\n"), "{seconds}");
    assert!(seconds.contains("\nEMAIL,2,1826037.5,3286843.5,0.0,2\n"), "{seconds}");
    assert!(seconds.contains("\nGCM,2,,,0.0,0\n"), "{seconds}");
    let halves = awkward().csv("lifetime", &[("never_seconds", "0.5")]).await;
    assert!(halves.contains(",0.5,2\n"), "{halves}");
}

#[tokio::test]
async fn quantiles_lie_between_neighbours() {
    // Creation at midnight, updates after 0 to 10 days: eleven values, so that every tenth is one of them.
    let line = |days: u32| {
        let updated = format!("2026-01-{:02}T00:00:00Z", days + 1);
        format!("{{\"creation_date\":\"2026-01-01T00:00:00Z\",\"effective_date\":\"{updated}\"}}\n")
    };
    for (days, expected) in [
        (vec![0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10], ",11,5.0,9.0,0.09090909090909091,11\n"),
        (vec![10, 0, 0, 0], ",4,0.0,7.0,0.75,4\n"),
        (vec![1, 4], ",2,2.5,3.7,0.0,2\n"),
        (vec![6], ",1,6.0,6.0,0.0,1\n"),
    ] {
        let lines: String = days.iter().map(|days| line(*days)).collect();
        let csv = TestLake::empty().with_snapshot("s", &[&lines]).csv("lifetime", &[]).await;
        assert!(csv.ends_with(expected), "{days:?}: {csv}");
    }
}
