//! What the tests of this crate share: a table of every kind of column, rows for it, and a lake in a folder.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Float64Array, Float64Builder, Int32Array, Int64Array, ListBuilder, MapBuilder, MapFieldNames,
    StringArray, StringBuilder, StringDictionaryBuilder, TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Field, Fields, Int32Type, Schema, SchemaRef, TimeUnit};
use arrow::record_batch::RecordBatch;
use chrono::DateTime;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::{
    DataFile, DataFileRef, Lake, LakeError, PieceRecord, Published, RunManifest, SnapshotId, StageOptions,
    Timings, Totals, WriterOptions,
};

/// One column of each kind the `endpoints` table has.
pub(crate) fn schema() -> SchemaRef {
    let utc = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let low = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    let texts = DataType::List(Arc::new(Field::new("element", DataType::Utf8, true)));
    Arc::new(Schema::new(vec![
        Field::new("id", DataType::Utf8, true),
        Field::new("channel_type", low.clone(), true),
        Field::new("creation_date", utc, true),
        Field::new("city", DataType::Utf8, true),
        Field::new("latitude", DataType::Float64, true),
        Field::new("attributes", map_of(texts), true),
        Field::new("metrics", map_of(DataType::Float64), true),
        Field::new("piece", low, false),
        Field::new("line", DataType::Int64, false),
    ]))
}

fn map_of(value: DataType) -> DataType {
    let entries =
        Fields::from(vec![Field::new("key", DataType::Utf8, false), Field::new("value", value, true)]);
    DataType::Map(Arc::new(Field::new("key_value", DataType::Struct(entries), false)), false)
}

/// `rows` rows whose ids begin with `prefix`; every third has no date, every fourth no attributes.
pub(crate) fn batch(prefix: &str, rows: usize) -> RecordBatch {
    let id = StringArray::from_iter_values((0..rows).map(|row| format!("{prefix}-{row}")));
    let mut channel = StringDictionaryBuilder::<Int32Type>::new();
    let mut piece = StringDictionaryBuilder::<Int32Type>::new();
    let names =
        || MapFieldNames { entry: "key_value".to_owned(), key: "key".to_owned(), value: "value".to_owned() };
    let texts =
        ListBuilder::new(StringBuilder::new()).with_field(Field::new("element", DataType::Utf8, true));
    let mut attributes = MapBuilder::new(Some(names()), StringBuilder::new(), texts);
    let mut metrics = MapBuilder::new(Some(names()), StringBuilder::new(), Float64Builder::new());
    for row in 0..rows {
        channel.append_value(["EMAIL", "SMS", "GCM"][row % 3]);
        piece.append_value("export/part-0.json.gz");
        attributes.keys().append_value("interests");
        attributes.values().values().append_value(format!("topic {}", row % 5));
        attributes.values().values().append_null();
        attributes.values().append(true);
        attributes.append(row % 4 != 0).unwrap();
        metrics.keys().append_value("visits");
        metrics.values().append_value(6.0);
        metrics.append(true).unwrap();
    }
    let lines = 1..=i64::try_from(rows).unwrap();
    let dates: TimestampMicrosecondArray =
        lines.clone().map(|line| (line % 3 != 1).then_some(1_599_999_999_999_000 + line * 1_000)).collect();
    let cities: StringArray = (0..rows).map(|row| (row % 2 == 0).then_some("Köln")).collect();
    let columns: Vec<ArrayRef> = vec![
        Arc::new(id),
        Arc::new(channel.finish()),
        Arc::new(dates.with_timezone("UTC")),
        Arc::new(cities),
        Arc::new(Float64Array::from_iter_values((0..rows).map(|row| row as f64 / 8.0))),
        Arc::new(attributes.finish()),
        Arc::new(metrics.finish()),
        Arc::new(piece.finish()),
        Arc::new(Int64Array::from_iter_values(lines)),
    ];
    RecordBatch::try_new(schema(), columns).unwrap()
}

/// A batch of other columns.
pub(crate) fn foreign_batch() -> RecordBatch {
    let schema = Schema::new(vec![Field::new("n", DataType::Int32, true)]);
    RecordBatch::try_new(Arc::new(schema), vec![Arc::new(Int32Array::from(vec![1]))]).unwrap()
}

/// A valid snapshot id.
pub(crate) fn id(text: &str) -> SnapshotId {
    text.parse().unwrap()
}

/// The manifest of a run that read one line a row.
pub(crate) fn manifest(rows: u64) -> RunManifest {
    let time = DateTime::from_timestamp(1_793_275_200, 0).unwrap();
    RunManifest {
        tool: "pinlake test".to_owned(),
        run_id: None,
        redaction: std::collections::BTreeMap::new(),
        source: "s3://bucket/prefix/".to_owned(),
        job: None,
        snapshot: id("set-by-publishing"),
        pieces: vec![PieceRecord {
            piece: "export/part-0.json.gz".to_owned(),
            size: 1,
            etag: None,
            sha256: "0".repeat(64),
            lines: rows,
            rows,
            rejects: 0,
            blank: 0,
        }],
        files: Vec::new(),
        skipped: Vec::new(),
        totals: Totals { lines: rows, rows, ..Totals::default() },
        drift: crate::Drift::default(),
        reconciliation: vec![crate::Check::new("lines = rows", rows, rows)],
        timings: Timings {
            started_at: time,
            finished_at: time,
            seconds: [("decode".to_owned(), 0.5)].into(),
        },
    }
}

/// The lake in that folder, made if need be.
pub(crate) async fn lake(root: &Path) -> Lake {
    Lake::open_or_create(root, schema()).await.unwrap()
}

/// Stages and publishes a snapshot of one file for each of `batches`.
pub(crate) async fn publish(
    lake: &Lake,
    name: &str,
    options: StageOptions,
    batches: &[RecordBatch],
) -> Result<Published, LakeError> {
    let mut staging = lake.stage(id(name), options).await?;
    let mut files: Vec<DataFile> = Vec::new();
    for batch in batches {
        let mut writer = staging.writer(&WriterOptions::default())?;
        writer.write(batch)?;
        files.push(writer.close()?);
    }
    let rows = files.iter().map(DataFile::rows).sum();
    staging.publish(files, manifest(rows)).await
}

/// All ids in a data file, read as any Parquet reader would.
pub(crate) fn ids_in(file: &DataFileRef) -> Vec<String> {
    let opened = std::fs::File::open(&file.path).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(opened).unwrap().build().unwrap();
    let mut ids = Vec::new();
    for batch in reader {
        let batch = batch.unwrap();
        let column = batch.column(0).as_any().downcast_ref::<StringArray>().unwrap();
        ids.extend(column.iter().flatten().map(str::to_owned));
    }
    ids
}

/// Every file below a folder, relative to it, sorted.
pub(crate) fn tree(folder: &Path) -> Vec<String> {
    fn walk(folder: &Path, base: &Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, base, found);
            } else {
                found.push(path.strip_prefix(base).unwrap().to_string_lossy().into_owned());
            }
        }
    }
    let mut found = Vec::new();
    walk(folder, folder, &mut found);
    found.sort();
    found
}
