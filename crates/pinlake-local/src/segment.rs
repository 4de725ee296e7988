//! Who belongs to a segment: criteria and groups of them, compiled once and evaluated on any thread.
//!
//! Pure: it sees one endpoint at a time and knows no state. Where Pinpoint's model is silent, docs/local.md says what holds
//! here.

mod criteria;
mod plan;

pub(crate) use criteria::Criteria;
pub(crate) use plan::{Definition, Plan, Resolver};
