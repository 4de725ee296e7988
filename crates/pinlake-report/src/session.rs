//! A DataFusion session over one lake: the views of the contract, read-only SQL, bound parameters.
//!
//! The session is handed plain facts: which Parquet files the Delta log names, how long they are and which snapshot
//! each belongs to. It never lists a folder, so a file that no commit names is never read. SQL that would write
//! or change anything is refused before it runs. Memory is bounded by [`SessionOptions::memory_limit_bytes`] for
//! sorting, grouping and joining; the rows of a collected [`QueryResult`] come on top, which is why large results are better
//! taken as a [`QueryStream`].

mod calling_codes;
mod countries;
mod diagnosis;
mod fault;
mod lake_table;
mod missing;
mod pieces;
mod run_tables;
mod timezones;
mod views;

use std::num::NonZeroUsize;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use chrono::{DateTime, Utc};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{FairSpillPool, TrackConsumersPool};
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::{SQLOptions, SessionConfig, SessionContext};
use futures::{FutureExt as _, StreamExt as _};

use crate::parameters::Bindings;
pub(crate) use diagnosis::{message_on_rows, message_on_text};
pub use fault::{DataFileError, OutsideError, Place, QueryError};
pub use pieces::{PieceReader, PieceRequest, RowPart};
pub use run_tables::{CountFact, PieceFact, RunFacts};

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

/// How much of the machine a session may use.
#[derive(Debug, Clone)]
pub struct SessionOptions {
    /// Partitions that a query is spread over, at least 1. The tokio runtime decides how many run at once.
    pub threads: usize,
    /// Bytes that operators may hold before they spill or fail. None: unbounded.
    pub memory_limit_bytes: Option<usize>,
    /// A folder for spilled rows. None: nothing is spilled, for rows hold personal data and a library picks no folder for that.
    pub spill_dir: Option<PathBuf>,
}

/// A session over one lake. Cheap to query many times: file footers are read once.
pub struct Session {
    context: SessionContext,
    tables: LakeTables,
}

/// All rows of one query, in memory.
#[derive(Debug, Clone)]
pub struct QueryResult {
    /// The columns; valid for a result without rows too. Text may be `Utf8View`, which Arrow's kernels take as they take `Utf8`.
    pub schema: SchemaRef,
    /// The rows in order, every batch with that schema.
    pub batches: Vec<RecordBatch>,
    /// From the start of planning to the last row.
    pub elapsed: Duration,
}

impl QueryResult {
    /// The number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }
}

/// The rows of one query as they come.
pub struct QueryStream {
    stream: SendableRecordBatchStream,
    sql: String,
    files: Arc<[PathBuf]>,
}

impl QueryStream {
    /// The columns.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        self.stream.schema()
    }

    /// The next rows, or None behind the last.
    pub async fn next(&mut self) -> Result<Option<RecordBatch>, QueryError> {
        // The Parquet reader meets some damage with a panic, which DataFusion hands on from task to task. After one the
        // stream is of no further use, and nobody polls it again.
        match AssertUnwindSafe(self.stream.next()).catch_unwind().await {
            Ok(None) => Ok(None),
            Ok(Some(Ok(batch))) => Ok(Some(batch)),
            Ok(Some(Err(error))) => Err(diagnosis::while_running(&error, &self.sql, &self.files)),
            Err(_) => Err(diagnosis::after_panic(&self.files)),
        }
    }
}

impl Session {
    /// Opens a session and defines the views. No data file is touched yet.
    pub async fn open(tables: LakeTables, options: SessionOptions) -> Result<Self, QueryError> {
        let context = context(&options)?;
        views::register(&context, &tables).await.map_err(|error| diagnosis::unexpected(&error))?;
        Ok(Self { context, tables })
    }

    /// Opens a session where there is no lake. What stands on a lake's files can be looked at, and reading it is the error
    /// `reason`; `file_schema` has the columns of its data files, if it had any.
    pub async fn without_lake(
        file_schema: &SchemaRef,
        reason: OutsideError,
        options: SessionOptions,
    ) -> Result<Self, QueryError> {
        let context = context(&options)?;
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
        Ok(Self { context, tables })
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

    /// Runs one read-only statement and collects its rows.
    pub async fn query(&self, sql: &str, bindings: &Bindings) -> Result<QueryResult, QueryError> {
        let started = Instant::now();
        let mut stream = self.stream(sql, bindings).await?;
        let schema = stream.schema();
        let mut batches = Vec::new();
        while let Some(batch) = stream.next().await? {
            if batch.num_rows() > 0 {
                batches.push(batch);
            }
        }
        Ok(QueryResult { schema, batches, elapsed: started.elapsed() })
    }

    /// Starts one read-only statement; rows are made as they are asked for.
    pub async fn stream(&self, sql: &str, bindings: &Bindings) -> Result<QueryStream, QueryError> {
        let plan = self.plan(sql).await?;
        let values = bindings.resolve(&plan)?;
        let plan = plan.with_param_values(values).map_err(|error| diagnosis::while_planning(&error, sql))?;
        let frame = datafusion::dataframe::DataFrame::new(self.context.state(), plan);
        let files: Arc<[PathBuf]> = self.tables.files.iter().map(|file| file.path.clone()).collect();
        // Footers are read while a query is planned, and panics are met as in `QueryStream::next`.
        let started = AssertUnwindSafe(frame.execute_stream()).catch_unwind().await;
        let stream = started
            .map_err(|_| diagnosis::after_panic(&files))?
            .map_err(|error| diagnosis::while_planning(&error, sql))?;
        Ok(QueryStream { stream, sql: sql.to_owned(), files })
    }

    /// The columns that a statement would give, without running it.
    pub async fn columns(&self, sql: &str) -> Result<SchemaRef, QueryError> {
        let plan = self.plan(sql).await?;
        Ok(Arc::new(plan.schema().as_arrow().clone()))
    }

    async fn plan(&self, sql: &str) -> Result<LogicalPlan, QueryError> {
        let state = self.context.state();
        let plan =
            state.create_logical_plan(sql).await.map_err(|error| diagnosis::while_planning(&error, sql))?;
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

/// An empty session.
fn context(options: &SessionOptions) -> Result<SessionContext, QueryError> {
    let mut config = SessionConfig::new()
        .with_target_partitions(options.threads.max(1))
        .with_default_catalog_and_schema("pinlake", "lake")
        .with_information_schema(true);
    config.options_mut().sql_parser.collect_spans = true;
    // Grouping in two steps pays where groups are few; by user or id the first step only fills memory. It is given up
    // sooner than usual: where 30,000 rows gave more than 9,000 groups, not 100,000 rows 80,000.
    let execution = &mut config.options_mut().execution;
    execution.skip_partial_aggregation_probe_rows_threshold = 30_000;
    execution.skip_partial_aggregation_probe_ratio_threshold = 0.3;
    if let Some(limit_bytes) = options.memory_limit_bytes {
        // Each sort sets this aside for merging what it spilled; the usual 10 MB would be all of a small limit.
        let reserved = &mut config.options_mut().execution.sort_spill_reservation_bytes;
        *reserved = (*reserved).min(limit_bytes / (8 * options.threads.max(1)));
    }
    Ok(SessionContext::new_with_config_rt(config, runtime(options)?))
}

fn runtime(options: &SessionOptions) -> Result<Arc<RuntimeEnv>, QueryError> {
    let mode = match &options.spill_dir {
        Some(dir) => DiskManagerMode::Directories(vec![dir.clone()]),
        None => DiskManagerMode::Disabled,
    };
    let mut builder =
        RuntimeEnvBuilder::new().with_disk_manager_builder(DiskManagerBuilder::default().with_mode(mode));
    if let Some(limit_bytes) = options.memory_limit_bytes {
        // A fair pool leaves every spilling operator its part; the tracker names the largest consumers when it is exhausted.
        let named_consumers = NonZeroUsize::new(3).unwrap_or(NonZeroUsize::MIN);
        let pool = TrackConsumersPool::new(FairSpillPool::new(limit_bytes), named_consumers);
        builder = builder.with_memory_pool(Arc::new(pool));
    }
    builder.build_arc().map_err(|error| diagnosis::unexpected(&error))
}
