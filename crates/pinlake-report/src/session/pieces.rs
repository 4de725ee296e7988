//! The table function `read_pieces('place')`: rows of pieces that are in no lake.
//!
//! Who reads pieces is none of this crate's business: it is handed a [`PieceReader`], asks it for the columns that a query
//! needs, and for no more rows than it needs where the query tells that. Its rows come in the types of `endpoints`: text that
//! comes dictionary-encoded becomes plain.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use datafusion::catalog::{Session, TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::common::{DataFusionError, Result, ScalarValue, plan_err};
use datafusion::datasource::TableType;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::Expr;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use datafusion::prelude::SessionContext;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use futures::{Stream, StreamExt, TryStreamExt};

use super::fault::OutsideError;
use super::lake_table::with_string_views;

const NAME: &str = "read_pieces";

/// What a query wants of the pieces at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PieceRequest {
    /// The place as it stands in the query.
    pub place: String,
    /// The columns, by their positions in the reader's schema, ascending. Batches must have these and no others.
    pub columns: Vec<usize>,
    /// Rows after which the query has enough, if it says so.
    pub limit: Option<usize>,
    /// How many parts could be read at the same time.
    pub parts: usize,
}

type Parts = std::result::Result<Vec<RowPart>, OutsideError>;

/// Whoever reads pieces.
#[derive(Clone)]
pub struct PieceReader {
    schema: SchemaRef,
    open: Arc<dyn Fn(PieceRequest) -> BoxFuture<'static, Parts> + Send + Sync>,
}

impl PieceReader {
    /// Pieces whose rows have the columns of `schema`. `open` finds what lies at a place; rows are read later, part by part.
    pub fn new<F>(schema: SchemaRef, open: impl Fn(PieceRequest) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Parts> + Send + 'static,
    {
        Self { schema, open: Arc::new(move |request| Box::pin(open(request))) }
    }
}

impl fmt::Debug for PieceReader {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("PieceReader").field("schema", &self.schema).finish_non_exhaustive()
    }
}

type Rows = BoxStream<'static, std::result::Result<RecordBatch, OutsideError>>;

/// Some of the rows at a place. A query may read them more than once.
pub struct RowPart(Box<dyn Fn() -> Rows + Send + Sync>);

impl RowPart {
    /// A part whose rows are those of each stream that `start` makes.
    pub fn new<S, E>(start: impl Fn() -> S + Send + Sync + 'static) -> Self
    where
        S: Stream<Item = std::result::Result<RecordBatch, E>> + Send + 'static,
        E: Error + Send + Sync + 'static,
    {
        Self(Box::new(move || start().map_err(OutsideError::new).boxed()))
    }
}

impl fmt::Debug for RowPart {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("RowPart").finish_non_exhaustive()
    }
}

/// Adds the function to a session.
pub(super) fn register(context: &SessionContext, reader: PieceReader) {
    let schema = table_schema(&reader.schema);
    context.register_udtf(NAME, Arc::new(ReadPieces { reader, schema }));
}

#[derive(Debug)]
struct ReadPieces {
    reader: PieceReader,
    schema: SchemaRef,
}

impl TableFunctionImpl for ReadPieces {
    fn call_with_args(&self, args: TableFunctionArgs) -> Result<Arc<dyn TableProvider>> {
        let place = match args.exprs() {
            [Expr::Literal(value, _)] => text(value),
            _ => None,
        };
        let Some(place) = place else {
            return plan_err!(
                "{NAME} takes one text in quotes: a folder, a file or an S3 prefix, as in \
                 {NAME}('exports/') or {NAME}('s3://bucket/prefix/')"
            );
        };
        let (reader, schema) = (self.reader.clone(), Arc::clone(&self.schema));
        Ok(Arc::new(Pieces { place, reader, schema }))
    }
}

fn text(value: &ScalarValue) -> Option<String> {
    match value {
        ScalarValue::Utf8(text) | ScalarValue::Utf8View(text) | ScalarValue::LargeUtf8(text) => text.clone(),
        _ => None,
    }
}

/// The pieces at a place. They are looked for when a query on them is about to run.
#[derive(Debug)]
struct Pieces {
    place: String,
    reader: PieceReader,
    schema: SchemaRef,
}

#[async_trait::async_trait]
impl TableProvider for Pieces {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Temporary
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let wanted = projection.cloned().unwrap_or_else(|| (0..self.schema.fields().len()).collect());
        let mut columns = wanted.clone();
        columns.sort_unstable();
        columns.dedup();
        let schema = Arc::new(self.schema.project(&columns)?);
        let parts = state.config().target_partitions();
        let request = PieceRequest { place: self.place.clone(), columns: columns.clone(), limit, parts };
        let opened = (self.reader.open)(request).await.map_err(external)?;
        let partition =
            |part| -> Arc<dyn PartitionStream> { Arc::new(Partition { schema: Arc::clone(&schema), part }) };
        let partitions = opened.into_iter().map(partition).collect();
        // What is read is in the order of the table; a query may want it in another.
        let order: Vec<usize> =
            wanted.iter().filter_map(|column| columns.binary_search(column).ok()).collect();
        Ok(Arc::new(StreamingTableExec::try_new(
            Arc::clone(&schema),
            partitions,
            (wanted != columns).then_some(&order),
            [],
            false,
            limit,
        )?))
    }
}

#[derive(Debug)]
struct Partition {
    /// Of the columns that are read, in the table's types.
    schema: SchemaRef,
    part: RowPart,
}

impl PartitionStream for Partition {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let schema = Arc::clone(&self.schema);
        let rows = (self.part.0)().map(move |batch| in_types(&schema, &batch.map_err(external)?));
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), rows))
    }
}

/// A batch with its columns in the types of `schema`.
fn in_types(schema: &SchemaRef, batch: &RecordBatch) -> Result<RecordBatch> {
    let fields = schema.fields().iter().zip(batch.columns());
    let columns = fields
        .map(|(field, column)| Ok(cast(column, field.data_type())?))
        .collect::<Result<Vec<ArrayRef>>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    Ok(RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)?)
}

/// The columns as the table `endpoints` has them: no dictionaries, and text as views.
pub(super) fn table_schema(schema: &SchemaRef) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| with_string_views(&plain(field)));
    Arc::new(Schema::new(fields.collect::<Vec<Field>>()))
}

fn plain(field: &FieldRef) -> FieldRef {
    Arc::new(field.as_ref().clone().with_data_type(plain_type(field.data_type())))
}

fn plain_type(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Dictionary(_, values) => plain_type(values),
        DataType::List(item) => DataType::List(plain(item)),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(plain).collect()),
        DataType::Map(entries, is_sorted) => DataType::Map(plain(entries), *is_sorted),
        other => other.clone(),
    }
}

fn external(error: OutsideError) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

#[cfg(test)]
mod tests;
