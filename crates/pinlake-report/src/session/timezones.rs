//! The names of the tz database as a small table: `timezones(name)`.
//!
//! The list is that of the `chrono-tz` crate, which Arrow computes with.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use datafusion::common::Result;

/// The table `timezones`, in order of name.
pub(super) fn timezones() -> Result<RecordBatch> {
    let mut names: Vec<&str> = chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name()).collect();
    names.sort_unstable();
    let names: ArrayRef = Arc::new(StringArray::from(names));
    Ok(RecordBatch::try_from_iter([("name", names)])?)
}
