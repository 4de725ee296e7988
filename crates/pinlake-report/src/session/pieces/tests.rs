//! What a reader is asked for, and what a session makes of what it gives.

use std::sync::Mutex;

use arrow::array::{
    DictionaryArray, Int64Array, MapBuilder, MapFieldNames, StringBuilder, StringDictionaryBuilder,
};
use arrow::datatypes::Int32Type;

use super::*;
use crate::test_lake::{TestLake, rendered, schema};
use crate::{Bindings, ErrorKind, Format, QueryError, RenderOptions, Report};

#[derive(Debug, thiserror::Error)]
#[error("the pieces at {place} are gone")]
struct Gone {
    place: String,
}

type Asked = Arc<Mutex<Vec<PieceRequest>>>;

/// Three rows of `channel` (a dictionary), `tags` (a map of dictionaries) and `line`, in each of two parts.
fn rows() -> RecordBatch {
    let channels: DictionaryArray<Int32Type> = [Some("SMS"), None, Some("EMAIL")].into_iter().collect();
    let names = MapFieldNames { entry: "key_value".into(), key: "key".into(), value: "value".into() };
    let keys = StringDictionaryBuilder::<Int32Type>::new();
    let mut tags = MapBuilder::new(Some(names), keys, StringBuilder::new());
    for _ in 0..3 {
        tags.keys().append_value("plan");
        tags.values().append_value("gold");
        tags.append(true).expect("an entry has a name and a value");
    }
    let columns: [(&str, ArrayRef); 3] = [
        ("channel", Arc::new(channels)),
        ("tags", Arc::new(tags.finish())),
        ("line", Arc::new(Int64Array::from(vec![1, 2, 3]))),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, column)| (name, column, true)))
        .expect("columns fit")
}

fn reader(asked: &Asked) -> PieceReader {
    let asked = Arc::clone(asked);
    PieceReader::new(rows().schema(), move |request| {
        let asked = Arc::clone(&asked);
        async move {
            let (place, columns) = (request.place.clone(), request.columns.clone());
            asked.lock().expect("no test panicked").push(request);
            if place == "gone" {
                return Err(OutsideError::new(Gone { place }));
            }
            let part = |_| {
                let (place, columns) = (place.clone(), columns.clone());
                RowPart::new(move || {
                    let batch = rows().project(&columns).expect("the columns are there");
                    let last = (place == "damaged").then(|| Err(Gone { place: place.clone() }));
                    futures::stream::iter([Ok(batch)].into_iter().chain(last))
                })
            };
            Ok((0..2).map(part).collect())
        }
    })
}

/// The rows of a statement as CSV, and what the reader was asked for.
async fn run(sql: &str) -> (Result<String, QueryError>, Vec<PieceRequest>) {
    let asked = Asked::default();
    let session = TestLake::empty().session().await;
    session.offer_pieces(reader(&asked));
    let result = session.query(sql, &Bindings::none()).await;
    let text = result.map(|result| {
        let report = Report::untitled("query", result);
        rendered(&[report], Format::Csv, &RenderOptions::default()).replace("\r\n", "\n")
    });
    let asked = asked.lock().expect("no test panicked").clone();
    (text, asked)
}

#[tokio::test]
async fn a_reader_is_asked_for_the_columns_that_are_needed_in_their_order() {
    let (rows, asked) =
        run("SELECT line, channel FROM read_pieces('x') WHERE channel IS NOT NULL ORDER BY 1, 2").await;
    assert_eq!(rows.expect("it runs"), "line,channel\n1,SMS\n1,SMS\n3,EMAIL\n3,EMAIL\n");
    assert_eq!((asked[0].place.as_str(), &asked[0].columns[..], asked[0].limit), ("x", &[0, 2][..], None));
    let (rows, asked) = run("SELECT count(*) AS n FROM read_pieces('x')").await;
    assert_eq!(rows.expect("it runs"), "n\n6\n");
    assert!(asked[0].columns.is_empty());
}

#[tokio::test]
async fn a_limit_reaches_the_reader_unless_rows_are_chosen() {
    let (rows, asked) = run("SELECT line FROM read_pieces('x') LIMIT 2").await;
    assert_eq!(rows.expect("it runs").lines().count(), 3);
    assert_eq!(asked[0].limit, Some(2));
    let (rows, asked) = run("SELECT line FROM read_pieces('x') WHERE channel = 'SMS' LIMIT 1").await;
    assert_eq!(rows.expect("it runs"), "line\n1\n");
    assert_eq!(asked[0].limit, None);
}

#[tokio::test]
async fn dictionaries_become_text_at_any_depth_and_rows_can_be_read_twice() {
    let (rows, _) = run(
        "SELECT arrow_typeof(channel) AS channel, arrow_typeof(tags) AS tags FROM read_pieces('x') LIMIT 1",
    )
    .await;
    let types = rows.expect("it runs");
    assert!(types.contains("Utf8View") && types.contains("Map") && !types.contains("Dictionary"), "{types}");
    let (rows, asked) = run(
        "SELECT a.channel, a.tags['plan'] AS plan FROM read_pieces('x') AS a JOIN read_pieces('x') AS b USING (line) \
         WHERE a.line = 3 LIMIT 1",
    )
    .await;
    assert_eq!(rows.expect("it runs"), "channel,plan\nEMAIL,[\"gold\"]\n".replace("[\"gold\"]", "gold"));
    assert_eq!(asked.len(), 2);
}

#[tokio::test]
async fn the_readers_errors_are_kept_whole() {
    for place in ["gone", "damaged"] {
        let (rows, _) = run(&format!("SELECT max(line) FROM read_pieces('{place}')")).await;
        let error = rows.expect_err("it fails");
        assert_eq!(error.kind(), ErrorKind::Outside);
        assert_eq!(error.to_string(), format!("the pieces at {place} are gone"));
        let source = error.source().expect("there is a cause");
        assert!(source.downcast_ref::<Gone>().is_some());
    }
}

#[tokio::test]
async fn a_place_is_one_text() {
    for arguments in ["", "1", "NULL", "'a', 'b'"] {
        let (rows, asked) = run(&format!("SELECT * FROM read_pieces({arguments})")).await;
        let error = rows.expect_err("it is no place");
        assert_eq!(error.kind(), ErrorKind::Usage, "{arguments}: {error}");
        assert!(error.to_string().contains("read_pieces('exports/')"), "{arguments}: {error}");
        assert!(asked.is_empty());
    }
}

#[tokio::test]
async fn without_a_lake_only_what_reads_one_fails() {
    let options = crate::SessionOptions { threads: 2, ..crate::SessionOptions::default() };
    let reason = OutsideError::new(Gone { place: "lake".into() });
    let columns = schema().fields().len() - 1;
    let file_schema =
        Arc::new(schema().project(&(0..columns).collect::<Vec<_>>()).expect("all but the last"));
    let session = crate::Session::without_lake(&file_schema, reason, options).await.expect("it opens");
    session.offer_pieces(reader(&Asked::default()));
    let none = Bindings::none();
    for sql in
        ["SELECT 1", "SELECT count(*) FROM countries", "SELECT * FROM read_pieces('x')", "DESCRIBE endpoints"]
    {
        assert!(session.query(sql, &none).await.is_ok(), "{sql}");
    }
    for table in ["endpoints", "all_endpoints", "snapshots"] {
        let error =
            session.query(&format!("SELECT count(*) FROM {table}"), &none).await.expect_err("no lake");
        assert_eq!(error.to_string(), "the pieces at lake are gone");
    }
}
