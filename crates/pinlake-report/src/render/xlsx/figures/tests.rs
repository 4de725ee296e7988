//! What is drawn of a report: sums, caps, days.

use std::collections::BTreeMap;

use super::*;
use crate::render::page::NONE;
use crate::test_lake::TestLake;
use crate::{Template, run};

async fn figures(chart: &str, sql: &str) -> Figures {
    let text = format!("-- title: t\n-- chart: {chart}\n{sql}");
    let template = Template::parse("t", "t.sql", &text).expect("parses");
    let report = run(&TestLake::empty().session().await, &template, &BTreeMap::new()).await.expect("runs");
    let chart = report.chart.clone().expect("is drawn");
    Figures::of(&report, &chart).expect("has figures")
}

fn named(figures: &Figures) -> Vec<(&str, Vec<Option<f64>>)> {
    figures.series.iter().map(|series| (series.name.as_str(), series.values.clone())).collect()
}

#[tokio::test]
async fn rows_are_summed_by_category_and_series() {
    let sql = "SELECT * FROM (VALUES ('a', 'x', 1), ('a', 'x', 2), ('b', 'y', 4), (NULL, 'x', 8), ('a', NULL, NULL)) AS t(c, s, v)";
    let drawn = figures("bar x=c y=v series=s", sql).await;
    assert_eq!(drawn.title, "V by c and s");
    assert_eq!(drawn.categories, ["a", "b", NONE]);
    assert_eq!(
        named(&drawn),
        [
            ("x", vec![Some(3.0), None, Some(8.0)]),
            ("y", vec![None, Some(4.0), None]),
            (NONE, vec![None, None, None])
        ]
    );
    // Hardly any bar has another beside it, so that they need no places side by side.
    assert!(drawn.is_stacked);
    // Without series each row stands for itself.
    let each = figures("bar x=c y=v", sql).await;
    assert_eq!(each.categories, ["a", "a", "b", NONE, "a"]);
    assert_eq!(each.series.len(), 1);
}

#[tokio::test]
async fn what_is_too_much_is_left_out_and_said() {
    let many =
        "SELECT value % 40 AS c, value % 12 AS s, value AS v FROM generate_series(1, 480) ORDER BY value";
    let drawn = figures("bar x=c y=v series=s", many).await;
    // Each category has figures in three of the series, so that some have none in the five that are drawn.
    assert_eq!((drawn.categories.len(), drawn.series.len()), (13, 5));
    assert_eq!(drawn.title, "V by c and s (13 of 40, 5 of 12 series)");
    let is_empty = |at: usize| drawn.series.iter().all(|series| series.values[at].is_none());
    assert!(!(0..13).any(is_empty));
    let stacked = figures("bar x=c y=v series=s stacked=true", many).await;
    assert_eq!(stacked.title, "V by c and s (25 of 40)");
    assert_eq!(stacked.series.last().map(|series| series.name.as_str()), Some(OTHERS));
    // Nothing of the whole is lost on the way: category 1 has 1, 41, …, 441.
    let whole: f64 = stacked.series.iter().filter_map(|series| series.values[0]).sum();
    assert!((whole - (0..12).map(|step| f64::from(1 + 40 * step)).sum::<f64>()).abs() < 1e-9);
    let slices = figures("pie x=c y=v", "SELECT value AS c, value AS v FROM generate_series(1, 14)").await;
    assert_eq!(slices.categories.len(), 11);
    assert_eq!(slices.categories[10], OTHERS);
    assert_eq!(slices.series[0].values[10], Some(11.0 + 12.0 + 13.0 + 14.0));
}

#[tokio::test]
async fn days_are_an_axis_of_time_and_the_last_count() {
    let days =
        "SELECT DATE '2020-01-01' + CAST(value AS INT) AS day, value AS v FROM generate_series(0, 299)";
    let drawn =
        figures("line x=day y=v", &format!("{days} UNION ALL SELECT NULL, 7 ORDER BY 1 NULLS LAST")).await;
    let axis = drawn.days.as_ref().expect("are days");
    assert_eq!((axis.len(), axis[239].to_string().as_str()), (240, "2020-10-26"));
    assert_eq!(drawn.title, "V by day (without those of no date, the last 240 of 300)");
    let times = "SELECT * FROM (VALUES (TIMESTAMP '2026-01-01 00:00:00', 1), (TIMESTAMP '2026-01-02 06:00:00', 2)) AS t(at, v)";
    assert_eq!(figures("line x=at y=v", times).await.days, None);
}

#[tokio::test]
async fn a_heatmap_counts_its_columns_by_number() {
    let grid = figures(
        "heatmap x=age y=month value=share",
        "SELECT * FROM (VALUES ('2026-01', 10, 0.5), ('2026-01', 9, 0.25), ('2026-02', 0, 1.0)) AS t(month, age, share)",
    )
    .await;
    assert_eq!(grid.categories, ["2026-01", "2026-02"]);
    let names: Vec<&str> = grid.series.iter().map(|series| series.name.as_str()).collect();
    assert_eq!(names, ["0", "9", "10"]);
    assert!(grid.is_share);
}
