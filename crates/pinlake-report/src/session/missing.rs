//! Tables of a lake that is not there: their columns are known, and reading them is an error that says so.
//!
//! So a query that needs no lake runs without one, and one that needs it never gets an empty answer for a mistyped path.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{DataFusionError, Result};
use datafusion::datasource::TableType;
use datafusion::logical_expr::Expr;
use datafusion::physical_plan::ExecutionPlan;

use super::fault::OutsideError;
use super::pieces;

/// A table that cannot be read.
#[derive(Debug)]
pub(super) struct MissingTable {
    pub(super) schema: SchemaRef,
    /// Why not.
    pub(super) reason: OutsideError,
}

#[async_trait::async_trait]
impl TableProvider for MissingTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        _state: &dyn Session,
        _projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Err(DataFusionError::External(Box::new(self.reason.clone())))
    }
}

/// The columns of `endpoints` for data files of these columns.
pub(super) fn schema(file_schema: &SchemaRef) -> SchemaRef {
    let mut fields: Vec<_> = pieces::table_schema(file_schema).fields().iter().cloned().collect();
    fields.push(Arc::new(Field::new("snapshot", DataType::Utf8View, false)));
    Arc::new(Schema::new(fields))
}
