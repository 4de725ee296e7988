//! What holds for each report, whatever it is about.

use arrow::array::AsArray;
use arrow::datatypes::{DataType, Float64Type, Schema};
use serde_json::json;

use super::{awkward, lake, lake_of};
use crate::test_lake::{TestLake, chain};
use crate::{Catalogue, Report, Session, Template, run};

/// The reports that have rows in a lake without endpoints, and how many: they tell that there is nothing.
const TELL_OF_NOTHING: [(&str, usize); 4] =
    [("audience-summary", 1), ("integrity", 9), ("snapshot-diff", 2), ("migration-readiness", 8)];

/// Values for the parameters of reports that ask for some.
fn asked_for(name: &str) -> &'static [(&'static str, &'static str)] {
    match name {
        "geo-radius" => &[("latitude", "51.5"), ("longitude", "-0.1")],
        "attribute-values" => &[("name", "Team")],
        "snapshot-diff" => &[("from", "older"), ("to", "newer")],
        "subject-lookup" => &[("user_id", "u1")],
        _ => &[],
    }
}

fn templates() -> Vec<Template> {
    Catalogue::builtin().expect("the built-in headers parse").list().to_vec()
}

async fn report(session: &Session, template: &Template) -> Report {
    let given = asked_for(&template.name).iter();
    let given = given.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let report = run(session, template, &given).await;
    report.unwrap_or_else(|error| panic!("{}: {}", template.name, chain(&error)))
}

#[tokio::test]
async fn empty_lakes_have_every_report() {
    let nothing = [TestLake::empty(), TestLake::empty().with_snapshot("s", &[""])];
    for lake in nothing {
        let session = lake.session().await;
        for template in templates() {
            let report = report(&session, &template).await;
            let told = TELL_OF_NOTHING.iter().find(|(name, _)| *name == template.name);
            assert_eq!(report.result.rows(), told.map_or(0, |(_, rows)| *rows), "{}", template.name);
        }
        let summary = lake.csv("audience-summary", &[]).await;
        assert_eq!(summary.lines().nth(1), Some("0,0,0,0,0,0,0,0,,"));
    }
}

#[tokio::test]
async fn the_columns_are_the_same_with_and_without_rows() {
    let lake = lake();
    let (full, empty) = (lake.session().await, TestLake::empty().session().await);
    for template in templates() {
        let filled = report(&full, &template).await.result.schema;
        let unfilled = report(&empty, &template).await.result.schema;
        let columns = full.columns(&template.sql).await.expect("plans");
        let names = |schema: &Schema| -> Vec<String> {
            schema.fields().iter().map(|field| field.name().clone()).collect()
        };
        assert_eq!(names(&filled), names(&unfilled), "{}", template.name);
        assert_eq!(names(&filled), names(&columns), "{}", template.name);
        // What other tools read: no unsigned and no narrow numbers.
        for field in filled.fields().iter().filter(|field| field.data_type().is_numeric()) {
            let plain = matches!(field.data_type(), DataType::Int64 | DataType::Float64);
            assert!(plain, "{}: {} is {}", template.name, field.name(), field.data_type());
        }
    }
}

#[tokio::test]
async fn numbers_are_finite_and_shares_are_parts_of_a_whole() {
    for lake in [lake(), awkward(), lake_of([json!({})])] {
        let session = lake.session().await;
        for template in templates() {
            let result = report(&session, &template).await.result;
            for (place, field) in result.schema.fields().iter().enumerate() {
                if field.data_type() != &DataType::Float64 {
                    continue;
                }
                let columns = result.batches.iter().map(|batch| batch.column(place));
                for value in columns.flat_map(|column| column.as_primitive::<Float64Type>().iter().flatten())
                {
                    let whole = field.name() == "share" || field.name().ends_with("_share");
                    let right = if whole { (0.0..=1.0).contains(&value) } else { value.is_finite() };
                    assert!(right, "{}: {} is {value}", template.name, field.name());
                }
            }
        }
    }
}
