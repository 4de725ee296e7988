//! Charts of small results, read back from the page's own pieces.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{Picture, draw};
use crate::test_lake::{TestLake, chain};
use crate::{Template, run};

/// The chart of a query whose columns are `x`, `y` and what else it names.
async fn picture(chart: &str, sql: &str) -> Option<Picture> {
    let text = format!("-- title: Test\n-- chart: {chart}\n{sql}");
    let template = Template::parse("test", "test.sql", &text).expect("parses");
    let session = TestLake::empty().session().await;
    let report = run(&session, &template, &BTreeMap::new()).await;
    let report = report.unwrap_or_else(|error| panic!("{}", chain(&error)));
    draw(&report, "test").expect("is drawn")
}

async fn drawn(chart: &str, sql: &str) -> Picture {
    picture(chart, sql).await.expect("there is something to draw")
}

/// `VALUES` with a row for each number up to `count`, made by `row`.
fn rows(columns: &str, count: usize, row: impl Fn(usize) -> String) -> String {
    let mut sql = String::from("SELECT * FROM (VALUES ");
    for number in 0..count {
        let comma = if number > 0 { ", " } else { "" };
        write!(sql, "{comma}({})", row(number)).expect("a string takes it");
    }
    sql + &format!(") AS t ({columns})")
}

fn says(picture: &Picture) -> &str {
    let (_, rest) = picture.wide.split_once("<desc id=\"test-wide-says\">").expect("a description");
    rest.split_once("</desc>").expect("its end").0
}

fn count(picture: &Picture, mark: &str) -> usize {
    assert_eq!(picture.wide.matches(mark).count(), picture.narrow.matches(mark).count(), "{mark}");
    picture.wide.matches(mark).count()
}

const CHANNELS: &str = "SELECT * FROM (VALUES ('EMAIL', 'ACTIVE', 1200), ('EMAIL', 'INACTIVE', 300), ('SMS', 'ACTIVE', 40), \
                        ('SMS', 'ACTIVE', 2), (NULL, 'INACTIVE', 7), ('PUSH', 'ACTIVE', NULL)) AS t (x, s, y)";

#[tokio::test]
async fn a_stacked_bar_chart() {
    let chart = drawn("bar x=x y=y series=s stacked=true", CHANNELS).await;
    insta::assert_snapshot!(chart.wide.replace("><", ">\n<"));
    assert_eq!(chart.caption, "Y by x and s");
    let legend: Vec<(&str, &str)> =
        chart.legend.iter().map(|entry| (entry.class.as_str(), entry.name.as_str())).collect();
    assert_eq!(legend, [("s0", "ACTIVE"), ("s1", "INACTIVE")]);
    let expected =
        "Stacked bar chart: Y by x and s. EMAIL 1,500; SMS 42; (none) 7. By s: ACTIVE 1,242; INACTIVE 307.";
    assert_eq!(says(&chart), expected);
    assert_eq!(chart.note, "");
}

#[tokio::test]
async fn every_kind_is_drawn_for_one_category_and_for_500() {
    for kind in ["bar", "column", "line", "area", "pie", "histogram", "heatmap"] {
        let value = if kind == "heatmap" { "y=s value=y" } else { "y=y" };
        for many in [1, 500] {
            let sql = rows("x, s, y", many, |number| {
                format!("'category {number}', 'row {}', {}", number % 3, number + 1)
            });
            let chart = drawn(&format!("{kind} x=x {value}"), &sql).await;
            for svg in [&chart.wide, &chart.narrow] {
                assert!(svg.len() < 32_000, "{kind}, {many}: {} bytes", svg.len());
                assert!(
                    !svg.contains("NaN") && !svg.contains("inf") && !svg.contains("=\"-"),
                    "{kind}, {many}: {svg}"
                );
                assert!(
                    ["<rect", "<path", "<circle"].iter().any(|mark| svg.contains(mark)),
                    "{kind}, {many}"
                );
            }
            assert_eq!(chart.note.is_empty(), many == 1, "{kind}, {many}: {:?}", chart.note);
        }
    }
}

#[tokio::test]
async fn what_is_left_out_is_said_and_summed_where_sums_mean_something() {
    let counts = rows("x, y", 500, |number| format!("'c{number}', {}", number + 1));
    let chart = drawn("bar x=x y=y", &counts).await;
    assert_eq!(chart.note, "The 16 largest of 500 values of x; the rest is summed.");
    // 1 + … + 484.
    assert!(chart.wide.contains("484 others") && chart.wide.contains("117,370"), "{}", chart.wide);
    assert!(chart.wide.contains(">c499<") && !chart.wide.contains(">c483<"));

    let rates = rows("x, some_share", 500, |number| format!("'c{number}', {}.0 / 500", number + 1));
    let chart = drawn("bar x=x y=some_share", &rates).await;
    assert_eq!(chart.note, "The 16 largest of 500 values of x.");
    assert!(!chart.wide.contains("others"));

    let series = rows("x, s, y", 20, |number| format!("'c{}', 's{number:02}', {}", number % 2, 100 - number));
    let chart = drawn("column x=x y=y series=s stacked=true", &series).await;
    let names: Vec<&str> = chart.legend.iter().map(|entry| entry.name.as_str()).collect();
    assert_eq!(names, ["s00", "s01", "s02", "s03", "s04", "s05", "14 others"]);
    assert_eq!(chart.legend[6].class, "s-rest");
}

#[tokio::test]
async fn nulls_are_gaps_and_nothing_is_no_chart() {
    let sql = rows("x, y", 5, |number| {
        format!("{number}, {}", if number == 2 { "NULL".into() } else { format!("{number}.5") })
    });
    let chart = drawn("line x=x y=y", &sql).await;
    assert_eq!(count(&chart, "class=\"s0 stroke\""), 2);
    assert_eq!(count(&drawn("bar x=x y=y", &sql).await, ">–<"), 1);
    assert!(picture("line x=x y=y", "SELECT 1 AS x, CAST(NULL AS BIGINT) AS y").await.is_none());
    assert!(picture("bar x=x y=y", "SELECT 1 AS x, 2 AS y WHERE false").await.is_none());
    assert!(picture("table", "SELECT 1 AS x").await.is_none());
    for odd in ["'NaN'", "'Infinity'", "'-Infinity'"] {
        let sql = format!("SELECT 1 AS x, CAST({odd} AS DOUBLE) AS y UNION ALL SELECT 2, 3.0");
        assert!(!drawn("column x=x y=y", &sql).await.wide.contains("NaN"), "{odd}");
    }
    let negative = drawn("column x=x y=y", "SELECT 'a' AS x, -5 AS y UNION ALL SELECT 'b', 7").await;
    assert!(negative.wide.contains(">-5<") && negative.wide.contains(">0<"), "{}", negative.wide);
}

#[tokio::test]
async fn time_has_no_holes() {
    let sql = "SELECT CAST(x AS DATE) AS month, y FROM (VALUES ('2025-11-01', 5), ('2026-03-01', 8), (NULL, 2)) AS t (x, y)";
    let chart = drawn("column x=month y=y", sql).await;
    for month in ["Nov 2025", "Dec 2025", "Jan 2026", "Feb 2026", "Mar 2026"] {
        assert!(chart.wide.contains(&format!(">{month}<")), "{month}: {}", chart.wide);
    }
    assert_eq!(chart.note, "2 without a month are left out.");
    assert_eq!(
        says(&chart),
        "Column chart: Y by month. From 5 in Nov 2025 to 8 in Mar 2026; the highest is 8 in Mar 2026."
    );

    let long =
        rows("x, y", 300, |number| format!("DATE '1990-01-01' + INTERVAL '{number} months', {number}"));
    let chart = drawn("column x=x y=y", &long).await;
    assert_eq!(chart.note, "The last 96 of 300 values of x.");
    assert!(chart.wide.contains(">2008<"), "{}", chart.wide);
    let weeks = rows("x, y", 4, |number| format!("DATE '2026-01-05' + INTERVAL '{} days', 1", number * 7));
    assert_eq!(count(&drawn("column x=x y=y", &weeks).await, "<rect"), 4);
}

#[tokio::test]
async fn numbers_stand_as_far_apart_as_they_are() {
    let chart = drawn("column x=x y=y", "SELECT * FROM (VALUES (1, 70), (2, 20), (15, 3)) AS t (x, y)").await;
    let labels = (1..=15).filter(|number| chart.wide.contains(&format!("class=\"tick\">{number}<"))).count();
    assert_eq!((labels, count(&chart, "<rect")), (15, 3), "{}", chart.wide);
    let far = drawn("column x=x y=y", "SELECT 1 AS x, 70 AS y UNION ALL SELECT 1000, 3").await;
    assert_eq!(count(&far, "<rect"), 2);
}

#[tokio::test]
async fn rows_on_the_same_mark_are_summed_or_the_first_is_drawn() {
    let rates = "SELECT 'a' AS x, 0.5 AS some_share UNION ALL SELECT 'a', 0.25";
    let chart = drawn("bar x=x y=some_share", rates).await;
    assert_eq!(chart.note, "Several rows fall on the same mark; the first of them is drawn.");
    let shares = "SELECT 'a' AS x, 0.5 AS share UNION ALL SELECT 'a', 0.25";
    let chart = drawn("bar x=x y=share", shares).await;
    assert!(chart.note.is_empty() && chart.wide.contains("75.0%"), "{}", chart.wide);
}

#[tokio::test]
async fn a_country_names_its_cities() {
    let sql =
        "SELECT * FROM (VALUES ('Toyama', 'JP', 3), ('Austin', 'US', 2), ('Berlin', 'DE', 1)) AS t (x, s, y)";
    let chart = drawn("bar x=x y=y series=s", sql).await;
    assert!(chart.legend.is_empty() && chart.wide.contains("Austin · US"), "{}", chart.wide);
    assert_eq!(chart.caption, "Y by x and s");
    let split = drawn("bar x=x y=y series=s", CHANNELS).await;
    assert_eq!(split.legend.len(), 2);
}

#[tokio::test]
async fn hostile_labels_stay_labels() {
    let hostile = "</text></svg><script>alert(1)</script>]]>&\"<!--";
    let literal = hostile.replace('\'', "''");
    for kind in ["bar", "column", "line", "area", "pie", "histogram", "heatmap"] {
        let value = if kind == "heatmap" { "y=s value=y" } else { "y=y series=s" };
        let sql = format!(
            "SELECT * FROM (VALUES ('{literal}', '{literal}', 1), ('b', '{literal}', 2), ('{literal}', 'c', 3)) AS t (x, s, y)"
        );
        let chart = drawn(&format!("{kind} x=x {value}"), &sql).await;
        for svg in [&chart.wide, &chart.narrow] {
            assert_eq!((svg.matches("<svg").count(), svg.matches("</svg>").count()), (1, 1), "{kind}: {svg}");
            assert!(
                !svg.contains("<script") && !svg.contains("]]>") && !svg.contains("<!--"),
                "{kind}: {svg}"
            );
            assert!(!svg.contains("style=") && !svg.contains("xmlns"), "{kind}: {svg}");
        }
    }
}

#[tokio::test]
async fn long_labels_are_cut_and_stay_apart() {
    let long = "a very long label ".repeat(20);
    let sql = format!("SELECT '{long}1' AS x, 1 AS y UNION ALL SELECT '{long}2', 2");
    let chart = drawn("bar x=x y=y", &sql).await;
    let (_, picture) = chart.wide.split_once("</desc>").expect("a description");
    let names: Vec<&str> =
        picture.split("class=\"name\">").skip(1).filter_map(|rest| rest.split('<').next()).collect();
    assert_eq!(names.len(), 2, "{picture}");
    assert!(
        names.iter().all(|name| name.starts_with("a very long") && name.ends_with('…') && name.len() < 60)
    );
    assert!(says(&chart).contains(&long[..199]) && !says(&chart).contains(&long[..220]), "{}", says(&chart));
}
