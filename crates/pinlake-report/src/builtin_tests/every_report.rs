//! What holds for each report, whatever it is about.

use arrow::array::AsArray;
use arrow::datatypes::{DataType, Float64Type, Schema};

use super::{FAR_OFF, HARD_TO_REACH, awkward, lake};
use crate::test_lake::{TestLake, chain};
use crate::{Catalogue, Report, Template};

/// The reports that have rows in a lake without endpoints, and how many: they tell that there is nothing.
const TELL_OF_NOTHING: [(&str, usize); 1] = [("audience-summary", 1)];

/// Values for the parameters of reports that ask for some.
fn asked_for(name: &str) -> &'static [(&'static str, &'static str)] {
    match name {
        "geo-radius" => &[("latitude", "51.5"), ("longitude", "-0.1")],
        _ => &[],
    }
}

fn templates() -> Vec<Template> {
    Catalogue::builtin().expect("the built-in headers parse").list().to_vec()
}

async fn report(lake: &TestLake, template: &Template) -> Report {
    let report = lake.report(&template.name, asked_for(&template.name)).await;
    report.unwrap_or_else(|error| panic!("{}: {}", template.name, chain(&error)))
}

/// Lakes that have little to tell.
fn meagre_lakes() -> Vec<TestLake> {
    let ghost = r#"{"id":"g","channel_type":"APNS","endpoint_status":"INACTIVE","opt_out":"ALL"}"#;
    let undated = "{\"id\":\"a\"}\n{\"id\":\"b\",\"channel_type\":\"SMS\",\"user_id\":\"u\"}";
    let files = [&["{}"][..], &[ghost], &[undated], &["", FAR_OFF, ""], &[HARD_TO_REACH]];
    files.into_iter().map(|files| TestLake::empty().with_snapshot("s", files)).collect()
}

#[tokio::test]
async fn empty_lakes_have_every_report() {
    let nothing = [TestLake::empty(), TestLake::empty().with_snapshot("s", &[""])];
    for lake in nothing {
        for template in templates() {
            let report = report(&lake, &template).await;
            let told = TELL_OF_NOTHING.iter().find(|(name, _)| *name == template.name);
            assert_eq!(report.result.rows(), told.map_or(0, |(_, rows)| *rows), "{}", template.name);
        }
        let summary = lake.csv("audience-summary", &[]).await;
        assert_eq!(summary.lines().nth(1), Some("0,0,0,0,0,0,0,0,,"));
    }
}

#[tokio::test]
async fn the_columns_are_the_same_with_and_without_rows() {
    let (full, empty) = (lake(), TestLake::empty());
    for template in templates() {
        let filled = report(&full, &template).await.result.schema;
        let unfilled = report(&empty, &template).await.result.schema;
        let columns = full.session().await.columns(&template.sql).await.expect("plans");
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
    let mut lakes = meagre_lakes();
    lakes.extend([lake(), awkward()]);
    for lake in lakes {
        for template in templates() {
            let result = report(&lake, &template).await.result;
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
