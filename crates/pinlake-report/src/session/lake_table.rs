//! A DataFusion table over exactly the Parquet files that it is given, with `snapshot` as a partition column.
//!
//! DataFusion's `ListingTable` reads what lies in a folder; here only what the Delta log names may be read, so the files come as
//! facts. Projection, pruning by statistics, splitting over cores and the cache of footers are DataFusion's own
//! (`FileScanConfig` and `ParquetSource`). The physical plan holds nothing but files and
//! expressions, so a cluster can run it; to ship the logical one, a codec needs no more than the schema and the list of files.

use std::path::Path as FilePath;
use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::TreeNode;
use datafusion::common::{DFSchema, DataFusionError, Result, ScalarValue, Statistics, project_schema};
use datafusion::datasource::TableType;
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{
    FileGroup, FileScanConfig, FileScanConfigBuilder, ParquetSource,
};
use datafusion::datasource::table_schema::TableSchema;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use object_store::ObjectMeta;
use object_store::path::Path as ObjectPath;

use super::{TableFile, fault::DataFileError};

/// The table over some files of a lake.
#[derive(Debug)]
pub(super) struct LakeTable {
    schema: TableSchema,
    files: Vec<TableFile>,
}

impl LakeTable {
    /// A table of `files` whose columns are `schema`, the last of them the partition column.
    pub(super) fn new(schema: &SchemaRef, files: Vec<TableFile>, text: TextForm) -> Self {
        let mut fields: Vec<Field> = schema.fields().iter().map(|field| with_text(field, text)).collect();
        let partition = fields.pop().into_iter().map(Arc::new).collect::<Vec<_>>();
        let schema =
            TableSchema::builder(Arc::new(Schema::new(fields))).with_table_partition_cols(partition).build();
        Self { schema, files }
    }

    /// The files of the snapshots for which every filter is true. All filters are on the partition column alone.
    fn kept(&self, state: &dyn Session, filters: &[Expr]) -> Result<Vec<TableFile>> {
        let mut files = self.files.clone();
        let schema = Arc::new(Schema::new(self.schema.table_partition_cols().clone()));
        let columns = DFSchema::try_from(Arc::clone(&schema))?;
        for filter in filters {
            let condition = state.create_physical_expr(filter.clone(), &columns)?;
            let snapshots = StringArray::from_iter_values(files.iter().map(|file| &file.snapshot));
            let snapshots = cast(&snapshots, schema.field(0).data_type())?;
            let batch = RecordBatch::try_new(Arc::clone(&schema), vec![snapshots])?;
            let verdicts = condition.evaluate(&batch)?.into_array(batch.num_rows())?;
            let mut verdicts = verdicts.as_boolean().iter();
            files.retain(|_| verdicts.next().flatten() == Some(true));
        }
        Ok(files)
    }

    fn config(
        &self,
        files: &[TableFile],
        projection: Option<&Vec<usize>>,
        partitions: usize,
    ) -> Result<FileScanConfigBuilder> {
        let schema = self.schema.table_schema();
        let partition = self.schema.table_partition_cols();
        let text = partition.first().map_or(&DataType::Utf8View, |field| field.data_type());
        let opened = files.iter().map(|file| partitioned(file, schema, text)).collect::<Result<Vec<_>>>()?;
        let groups = FileGroup::new(opened).split_files(partitions);
        let source = Arc::new(ParquetSource::new(self.schema.clone()));
        FileScanConfigBuilder::new(ObjectStoreUrl::local_filesystem(), source)
            .with_file_groups(groups)
            .with_statistics(counted(schema, files))
            .with_projection_indices(projection.cloned())
    }

    /// Whether a filter can be decided by a snapshot's id alone.
    fn is_on_partition(&self, filter: &Expr) -> bool {
        let partition = self.schema.table_partition_cols();
        let columns = filter.column_refs();
        let foreign = |expression: &Expr| {
            Ok(matches!(
                expression,
                Expr::ScalarSubquery(_)
                    | Expr::InSubquery(_)
                    | Expr::Exists(_)
                    | Expr::SetComparison(_)
                    | Expr::OuterReferenceColumn(_, _)
                    | Expr::Placeholder(_)
            ))
        };
        !columns.is_empty()
            && columns.iter().all(|column| partition.iter().any(|field| field.name() == column.name()))
            && !filter.is_volatile()
            && !filter.exists(foreign).unwrap_or(true)
    }
}

#[async_trait::async_trait]
impl TableProvider for LakeTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(self.schema.table_schema())
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn statistics(&self) -> Option<Statistics> {
        Some(counted(self.schema.table_schema(), &self.files))
    }

    /// A filter on the snapshot alone chooses files, wholly; every other is left to DataFusion, which prunes row groups by it.
    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        let support = |filter: &&Expr| {
            if self.is_on_partition(filter) {
                TableProviderFilterPushDown::Exact
            } else {
                TableProviderFilterPushDown::Unsupported
            }
        };
        Ok(filters.iter().map(support).collect())
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let files = self.kept(state, filters)?;
        if files.is_empty() {
            let schema = project_schema(self.schema.table_schema(), projection)?;
            return Ok(Arc::new(EmptyExec::new(schema)));
        }
        let partitions = state.config().target_partitions();
        let config: FileScanConfig = self.config(&files, projection, partitions)?.with_limit(limit).build();
        let options = state.config_options().execution.parquet.clone();
        let format = ParquetFormat::default()
            .with_options(datafusion::config::TableParquetOptions { global: options, ..Default::default() });
        format.create_physical_plan(state, config).await
    }
}

/// How text columns are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TextForm {
    /// As string views, which group and compare without copying. A view holds on to the whole page that it points into, and a batch counts
    /// all pages that it points into, so that sorting a few bytes a row may seem to take a hundred times as many.
    Views,
    /// Copied, so that a batch takes what it counts.
    Copies,
}

/// A column with its text as string views.
pub(super) fn with_string_views(field: &Field) -> Field {
    with_text(field, TextForm::Views)
}

/// A column with its text in this form. Dictionaries too: the files may say so in their Arrow metadata, but the values of two files never share one
/// dictionary.
fn with_text(field: &Field, form: TextForm) -> Field {
    let text = match field.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 => true,
        DataType::Dictionary(_, values) => matches!(values.as_ref(), DataType::Utf8 | DataType::LargeUtf8),
        _ => false,
    };
    let data_type = match form {
        _ if !text => field.data_type().clone(),
        TextForm::Views => DataType::Utf8View,
        TextForm::Copies => DataType::Utf8,
    };
    Field::new(field.name(), data_type, field.is_nullable())
}

fn partitioned(file: &TableFile, schema: &SchemaRef, text: &DataType) -> Result<PartitionedFile> {
    let missing = |source| DataFileError::Unreadable { path: file.path.clone(), source };
    let path = std::path::absolute(&file.path).map_err(|source| external(missing(source)))?;
    let metadata = std::fs::metadata(&path).map_err(|source| external(missing(source)))?;
    if metadata.len() != file.bytes {
        return Err(external(DataFileError::Length {
            path: file.path.clone(),
            expected_bytes: file.bytes,
            actual_bytes: metadata.len(),
        }));
    }
    let meta = ObjectMeta {
        location: object_path(&path)?,
        last_modified: metadata.modified().map(Into::into).unwrap_or_default(),
        size: file.bytes,
        e_tag: None,
        version: None,
    };
    Ok(PartitionedFile::new_from_meta(meta)
        .with_partition_values(vec![ScalarValue::from(file.snapshot.as_str()).cast_to(text)?])
        .with_statistics(Arc::new(counted(schema, std::slice::from_ref(file)))))
}

fn object_path(path: &FilePath) -> Result<ObjectPath> {
    ObjectPath::from_absolute_path(path).map_err(|error| DataFusionError::ObjectStore(Box::new(error.into())))
}

fn counted(schema: &SchemaRef, files: &[TableFile]) -> Statistics {
    let rows = files.iter().map(|file| file.rows).sum::<u64>();
    let mut statistics = Statistics::new_unknown(schema);
    statistics.num_rows = usize::try_from(rows).map_or(Precision::Absent, Precision::Exact);
    statistics
}

fn external(error: DataFileError) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}
