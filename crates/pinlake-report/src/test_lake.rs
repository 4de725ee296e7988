//! Small lakes for tests: rows given as JSON, written as Parquet in the lake's schema, opened as a session.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow::json::ReaderBuilder;
use parquet::arrow::ArrowWriter;
use tempfile::TempDir;

use crate::{
    Bindings, Catalogue, Format, LakeTables, RenderOptions, Report, ReportError, RunFacts, Session,
    SessionOptions, SnapshotFact, TableFile, render, run,
};

const TEXTS_BEFORE_DATES: &[&str] = &[
    "id",
    "application_id",
    "channel_type",
    "endpoint_status",
    "opt_out",
    "cohort_id",
    "address",
    "request_id",
];
const TEXTS_OF_PLACE: &[&str] = &["city", "region", "country", "postal_code"];
const TEXTS_OF_DEVICE: &[&str] =
    &["app_version", "locale", "make", "model", "model_version", "platform", "platform_version", "timezone"];
const DICTIONARIES: &[&str] =
    &["application_id", "channel_type", "endpoint_status", "opt_out", "cohort_id", "piece"];

/// The columns of `endpoints` as the contract lists them, `snapshot` last.
pub(crate) fn schema() -> SchemaRef {
    let text = |name: &&str| Field::new(*name, DataType::Utf8, true);
    let time =
        |name: &str| Field::new(name, DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), true);
    let list = DataType::List(Arc::new(Field::new("element", DataType::Utf8, true)));
    let mut fields: Vec<Field> = TEXTS_BEFORE_DATES.iter().map(text).collect();
    fields.extend([time("creation_date"), time("effective_date")]);
    fields.extend(TEXTS_OF_PLACE.iter().map(text));
    fields.extend(["latitude", "longitude"].map(|name| Field::new(name, DataType::Float64, true)));
    fields.extend(TEXTS_OF_DEVICE.iter().map(text));
    fields.push(map("attributes", list.clone()));
    fields.push(map("metrics", DataType::Float64));
    fields.push(text(&"user_id"));
    fields.push(map("user_attributes", list));
    fields.push(text(&"extra"));
    fields.push(Field::new("piece", DataType::Utf8, false));
    fields.push(Field::new("line", DataType::Int64, false));
    fields.push(Field::new("snapshot", DataType::Utf8, false));
    Arc::new(Schema::new(fields))
}

fn map(name: &str, values: DataType) -> Field {
    let key = Field::new("key", DataType::Utf8, false);
    let value = Field::new("value", values, true);
    Field::new_map(name, "key_value", key, value, false, true)
}

/// A lake in a temporary folder.
pub(crate) struct TestLake {
    folder: TempDir,
    tables: LakeTables,
}

impl TestLake {
    /// A lake without a snapshot.
    pub(crate) fn empty() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let tables = LakeTables {
            schema: schema(),
            files: Vec::new(),
            snapshots: Vec::new(),
            selected: None,
            run: RunFacts::default(),
        };
        Self { folder, tables }
    }

    /// Adds a snapshot of files, each given as lines of JSON, and selects it. Every second file holds dictionaries.
    pub(crate) fn with_snapshot(mut self, snapshot: &str, files: &[&str]) -> Self {
        let folder = self.folder.path().join(format!("snapshot={snapshot}"));
        std::fs::create_dir(&folder).expect("a new folder");
        let mut fact =
            SnapshotFact { snapshot: snapshot.into(), rows: 0, files: 0, bytes: 0, committed_at: None };
        for (place, lines) in files.iter().enumerate() {
            let path = folder.join(format!("part {place:05}.parquet"));
            let batch = rows(lines, &format!("piece-{place}.gz"), place % 2 == 1);
            let file = File::create(&path).expect("a new file");
            let mut writer = ArrowWriter::try_new(file, batch.schema(), None).expect("a Parquet schema");
            writer.write(&batch).expect("rows are written");
            writer.close().expect("the file is closed");
            let bytes = path.metadata().expect("the file is there").len();
            let rows = batch.num_rows() as u64;
            fact = SnapshotFact {
                rows: fact.rows + rows,
                files: fact.files + 1,
                bytes: fact.bytes + bytes,
                ..fact
            };
            self.tables.files.push(TableFile { path, bytes, rows, snapshot: snapshot.into() });
        }
        self.tables.snapshots.push(fact);
        self.tables.selected = Some(snapshot.into());
        self
    }

    /// The facts, to change them.
    pub(crate) fn tables_mut(&mut self) -> &mut LakeTables {
        &mut self.tables
    }

    /// A session on it.
    pub(crate) async fn session(&self) -> Session {
        let options = SessionOptions { threads: 2, ..SessionOptions::default() };
        Session::open(self.tables.clone(), options).await.expect("the session opens")
    }

    /// A built-in report with parameters.
    pub(crate) async fn report(&self, name: &str, given: &[(&str, &str)]) -> Result<Report, ReportError> {
        let catalogue = Catalogue::builtin()?;
        let given: BTreeMap<String, String> =
            given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        run(&self.session().await, catalogue.get(name)?, &given).await
    }

    /// A built-in report as CSV with LF, which is the easiest to read in a test.
    pub(crate) async fn csv(&self, name: &str, given: &[(&str, &str)]) -> String {
        let report = self.report(name, given).await.unwrap_or_else(|error| panic!("{}", chain(&error)));
        rendered(&[report], Format::Csv, &RenderOptions::default()).replace("\r\n", "\n")
    }

    /// The rows of a statement as CSV with LF.
    pub(crate) async fn sql(&self, sql: &str) -> String {
        let result = self.session().await.query(sql, &Bindings::none()).await;
        let report = Report::untitled("query", result.unwrap_or_else(|error| panic!("{error}")));
        rendered(&[report], Format::Csv, &RenderOptions::default()).replace("\r\n", "\n")
    }
}

/// Reports as text.
pub(crate) fn rendered(reports: &[Report], format: Format, options: &RenderOptions) -> String {
    let mut bytes = Vec::new();
    render(reports, format, options, &mut bytes).expect("the report renders");
    String::from_utf8(bytes).expect("the format is text")
}

/// An error with its sources, as the CLI shows it.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

fn rows(lines: &str, piece: &str, dictionaries: bool) -> RecordBatch {
    let schema = schema();
    let file_fields = schema.fields().iter().take(schema.fields().len() - 1).cloned().collect::<Vec<_>>();
    let file_schema = Arc::new(Schema::new(file_fields));
    let mut numbered = String::new();
    for (place, line) in lines.lines().map(str::trim).filter(|line| !line.is_empty()).enumerate() {
        let members = line.trim_start_matches('{');
        let comma = if members == "}" { "" } else { "," };
        writeln!(numbered, "{{\"piece\":\"{piece}\",\"line\":{}{comma}{members}", place + 1)
            .expect("text grows");
    }
    let mut decoder = ReaderBuilder::new(Arc::clone(&file_schema))
        .with_batch_size(numbered.lines().count().max(1))
        .build_decoder()
        .expect("a JSON schema");
    decoder.decode(numbered.as_bytes()).expect("the lines are JSON");
    let batch =
        decoder.flush().expect("the lines fit").unwrap_or_else(|| RecordBatch::new_empty(file_schema));
    if dictionaries { with_dictionaries(&batch) } else { batch }
}

fn with_dictionaries(batch: &RecordBatch) -> RecordBatch {
    let dictionary = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    let schema = batch.schema();
    let columns = schema.fields().iter().zip(batch.columns()).map(|(field, column)| {
        if DICTIONARIES.contains(&field.name().as_str()) {
            let encoded: ArrayRef = cast(column, &dictionary).expect("text becomes a dictionary");
            (Field::new(field.name(), dictionary.clone(), field.is_nullable()), encoded)
        } else {
            (field.as_ref().clone(), Arc::clone(column))
        }
    });
    let (fields, columns): (Vec<Field>, Vec<ArrayRef>) = columns.unzip();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).expect("columns fit their fields")
}
