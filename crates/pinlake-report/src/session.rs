//! A DataFusion session over one lake: the views of the contract, read-only SQL, bound parameters.
//!
//! The session is handed plain facts: which Parquet files the Delta log names, how long they are and which snapshot
//! each belongs to. It never lists a folder, so a file that no commit names is never read. SQL that would write
//! or change anything is refused before it runs, and so is what is too deep or too wide to be planned (`shape`). Memory is bounded by
//! [`SessionOptions::memory_limit_bytes`] for sorting, grouping, joining and the rows of a [`QueryResult`] (`engine`, `pool`);
//! a [`QueryStream`] holds but a batch.

mod calling_codes;
mod countries;
mod diagnosis;
mod engine;
mod fault;
mod lake_table;
mod missing;
mod pieces;
mod pool;
mod result;
mod run_tables;
mod shape;
mod timezones;
mod views;

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use chrono::{DateTime, Utc};
use datafusion::dataframe::DataFrame;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::{SQLOptions, SessionContext};
use futures::{FutureExt as _, StreamExt as _};

use crate::parameters::Bindings;
pub(crate) use diagnosis::{message_on_rows, message_on_text};
pub use engine::SessionOptions;
pub use fault::{DataFileError, OutsideError, Place, QueryError};
pub use pieces::{PieceReader, PieceRequest, RowPart};
use pool::QueryPool;
pub use result::QueryResult;
pub use run_tables::{CountFact, PieceFact, RunFacts};
pub use shape::MAX_SQL_BYTES;
pub(crate) use shape::check_text;

/// The facts about a lake that SQL needs; nothing in here is looked for on disk.
#[derive(Debug, Clone)]
pub struct LakeTables {
    /// The columns of `endpoints` in order, `snapshot` among them as the last. The Parquet files hold all but that one.
    pub schema: SchemaRef,
    /// Every data file that the table's log names, of all snapshots.
    pub files: Vec<TableFile>,
    /// One fact for each snapshot, in the order that the view `snapshots` shows.
    pub snapshots: Vec<SnapshotFact>,
    /// The snapshot that `endpoints` and the views on it show. None: there is none, and they are empty.
    pub selected: Option<String>,
    /// What the run that made the selected snapshot noted.
    pub run: RunFacts,
}

/// One Parquet file of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableFile {
    /// Where it lies; a relative path is taken from the current folder.
    pub path: PathBuf,
    /// Its length in bytes according to the log. A file of another length is refused as damaged.
    pub bytes: u64,
    /// Its rows according to the log; `count(*)` is answered from this.
    pub rows: u64,
    /// The id of the snapshot that it belongs to.
    pub snapshot: String,
}

/// One snapshot, as the view `snapshots` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotFact {
    /// Its id.
    pub snapshot: String,
    /// Rows in it.
    pub rows: u64,
    /// Data files in it.
    pub files: u64,
    /// Bytes of these files.
    pub bytes: u64,
    /// When its commit was made, where the log tells.
    pub committed_at: Option<DateTime<Utc>>,
}

/// A session over one lake. Cheap to query many times: file footers are read once.
pub struct Session {
    context: SessionContext,
    /// The operators' memory, where it is bounded.
    pool: Option<Arc<QueryPool>>,
    tables: LakeTables,
}

/// The rows of one query as they come.
pub struct QueryStream {
    stream: SendableRecordBatchStream,
    schema: SchemaRef,
    /// Whether it has failed, so that there is nothing more to ask it for.
    has_failed: bool,
    pool: Option<Arc<QueryPool>>,
    sql: String,
    files: Arc<[PathBuf]>,
}

impl QueryStream {
    /// The columns.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// The next rows, or None behind the last, and behind an error. A query that could only wait for memory ends, and a panic of the engine is an
    /// error like others.
    pub async fn next(&mut self) -> Result<Option<RecordBatch>, QueryError> {
        if self.has_failed {
            return Ok(None);
        }
        let pool = self.pool.clone();
        let (stream, files) = (&mut self.stream, &self.files);
        let polled = poll_fn(|task| {
            if pool.as_ref().is_some_and(|pool| pool.is_overdrawn(task.waker())) {
                return Poll::Ready(Err(QueryError::out_of_memory()));
            }
            match catch_unwind(AssertUnwindSafe(|| stream.poll_next_unpin(task))) {
                Ok(polled) => polled.map(Ok),
                Err(_) => Poll::Ready(Err(diagnosis::after_panic(files))),
            }
        });
        let next = match polled.await {
            Ok(None) => return Ok(None),
            Ok(Some(Ok(batch))) => return Ok(Some(batch)),
            Ok(Some(Err(error))) => diagnosis::while_running(&error, &self.sql, &self.files),
            Err(error) => error,
        };
        self.has_failed = true;
        // What it holds is of no use any more, and others may need it.
        self.stream = Box::pin(datafusion::physical_plan::EmptyRecordBatchStream::new(self.schema()));
        Err(next)
    }
}

impl Session {
    /// Opens a session and defines the views. No data file is touched yet.
    pub async fn open(tables: LakeTables, options: SessionOptions) -> Result<Self, QueryError> {
        let (context, pool) = engine::context(&options)?;
        let text = engine::text_form(&options);
        views::register(&context, &tables, text).await.map_err(|error| diagnosis::unexpected(&error))?;
        Ok(Self { context, pool, tables })
    }

    /// Opens a session where there is no lake. What stands on a lake's files can be looked at, and reading it is the error
    /// `reason`; `file_schema` has the columns of its data files, if it had any.
    pub async fn without_lake(
        file_schema: &SchemaRef,
        reason: OutsideError,
        options: SessionOptions,
    ) -> Result<Self, QueryError> {
        let (context, pool) = engine::context(&options)?;
        let schema = missing::schema(file_schema);
        let registered = views::register_missing(&context, &schema, &reason).await;
        registered.map_err(|error| diagnosis::unexpected(&error))?;
        let tables = LakeTables {
            schema,
            files: Vec::new(),
            snapshots: Vec::new(),
            selected: None,
            run: RunFacts::default(),
        };
        Ok(Self { context, pool, tables })
    }

    /// Adds the table function `read_pieces`.
    pub fn offer_pieces(&self, reader: PieceReader) {
        pieces::register(&self.context, reader);
    }

    /// The columns of a table or view.
    pub async fn table_schema(&self, name: &str) -> Result<SchemaRef, QueryError> {
        let table = self.context.table_provider(name).await;
        let missing = || {
            let message = format!("there is no table {name:?}; there are {}", views::NAMES.join(", "));
            QueryError::Invalid { message, place: None }
        };
        Ok(table.map_err(|_| missing())?.schema())
    }

    /// The names of its functions, for completion.
    #[must_use]
    pub fn function_names(&self) -> Vec<String> {
        let state = self.context.state();
        let (scalar, aggregate, window) =
            (state.scalar_functions(), state.aggregate_functions(), state.window_functions());
        let mut names: Vec<String> =
            scalar.keys().chain(aggregate.keys()).chain(window.keys()).cloned().collect();
        names.extend(state.table_functions().keys().cloned());
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The snapshot that `endpoints` shows.
    #[must_use]
    pub fn selected_snapshot(&self) -> Option<&str> {
        self.tables.selected.as_deref()
    }

    /// The ids of all snapshots, in the order of the view `snapshots`.
    #[must_use]
    pub fn snapshot_ids(&self) -> Vec<String> {
        self.tables.snapshots.iter().map(|fact| fact.snapshot.clone()).collect()
    }

    /// The names of the columns of `endpoints`, in order.
    #[must_use]
    pub fn endpoint_columns(&self) -> Vec<String> {
        self.tables.schema.fields().iter().map(|field| field.name().clone()).collect()
    }

    /// The names of its tables and views, for listings and completion.
    #[must_use]
    pub fn view_names(&self) -> Vec<&'static str> {
        views::NAMES.to_vec()
    }

    /// Runs one read-only statement and collects its rows, which take their part of the session's memory while they come.
    pub async fn query(&self, sql: &str, bindings: &Bindings) -> Result<QueryResult, QueryError> {
        let started = Instant::now();
        let mut stream = self.stream(sql, bindings).await?;
        let schema = stream.schema();
        let runtime = self.context.runtime_env();
        let held = MemoryConsumer::new("the rows of the result").register(&runtime.memory_pool);
        let mut batches = Vec::new();
        while let Some(batch) = stream.next().await? {
            if batch.num_rows() > 0 {
                let batch = result::compact(batch)
                    .map_err(|error| diagnosis::while_running(&error.into(), sql, &[]))?;
                let taken = held.try_grow(batch.get_array_memory_size());
                taken.map_err(|error| diagnosis::while_running(&error, sql, &[]))?;
                batches.push(batch);
            }
        }
        Ok(QueryResult::new(schema, batches, started.elapsed()))
    }

    /// Puts a large result aside, where memory is bounded and there is a folder for that.
    pub(crate) fn put_aside(&self, result: &mut QueryResult) -> Result<(), QueryError> {
        let Some(pool) = &self.pool else { return Ok(()) };
        let put = result.put_aside(pool.limit_bytes(), &self.context.runtime_env());
        put.map_err(|error| diagnosis::while_running(&error, "", &[]))
    }

    /// Starts one read-only statement; rows are made as they are asked for.
    pub async fn stream(&self, sql: &str, bindings: &Bindings) -> Result<QueryStream, QueryError> {
        let plan = self.plan(sql).await?;
        let values = bindings.resolve(&plan)?;
        let plan = plan.with_param_values(values).map_err(|error| diagnosis::while_planning(&error, sql))?;
        self.start(DataFrame::new(self.context.state(), plan), sql).await
    }

    /// Starts what is made of `endpoints` without SQL text.
    pub(crate) async fn stream_endpoints(
        &self,
        build: impl FnOnce(DataFrame) -> datafusion::common::Result<DataFrame>,
    ) -> Result<QueryStream, QueryError> {
        let frame = self.context.table("endpoints").await.and_then(build);
        let frame = frame.map_err(|error| diagnosis::while_planning(&error, ""))?;
        self.start(frame, "").await
    }

    async fn start(&self, frame: DataFrame, sql: &str) -> Result<QueryStream, QueryError> {
        if let Some(pool) = &self.pool {
            pool.clear();
        }
        let files: Arc<[PathBuf]> = self.tables.files.iter().map(|file| file.path.clone()).collect();
        // Footers are read while a query is planned.
        let stream = unpanicked(frame.execute_stream(), &files).await?;
        let stream = stream.map_err(|error| diagnosis::while_planning(&error, sql))?;
        let (schema, pool) = (stream.schema(), self.pool.clone());
        Ok(QueryStream { stream, schema, has_failed: false, pool, sql: sql.to_owned(), files })
    }

    /// The columns that a statement would give, without running it.
    pub async fn columns(&self, sql: &str) -> Result<SchemaRef, QueryError> {
        let plan = self.plan(sql).await?;
        Ok(Arc::new(plan.schema().as_arrow().clone()))
    }

    async fn plan(&self, sql: &str) -> Result<LogicalPlan, QueryError> {
        check_text(sql)?;
        let state = self.context.state();
        let dialect = state.config_options().sql_parser.dialect;
        let statement = state.sql_to_statement(sql, &dialect);
        let statement = statement.map_err(|error| diagnosis::while_planning(&error, sql))?;
        shape::check_tables(&statement)?;
        let plan = unpanicked(state.statement_to_plan(statement), &[]).await?;
        let plan = plan.map_err(|error| diagnosis::while_planning(&error, sql))?;
        let allowed =
            SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
        match allowed.verify_plan(&plan) {
            Ok(()) => Ok(plan),
            Err(_) => Err(QueryError::ReadOnly { statement: diagnosis::statement_name(&plan) }),
        }
    }

    /// The context for expressions over results, such as a report's checks.
    pub(crate) fn context(&self) -> &SessionContext {
        &self.context
    }
}

/// What a future of the engine gives, where a panic is an error: the damage of one of these files, or a bug.
async fn unpanicked<T>(work: impl Future<Output = T>, files: &[PathBuf]) -> Result<T, QueryError> {
    AssertUnwindSafe(work).catch_unwind().await.map_err(|_| diagnosis::after_panic(files))
}
