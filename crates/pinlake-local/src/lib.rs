//! The loopback world: a local Pinpoint and S3, and a seeded population to fill them.
//!
//! - [`LocalServer`] serves Pinpoint's REST API (applications, endpoints, segments, import and export jobs) and S3 to any
//!   AWS client, with signatures verified.
//! - [`Population`] is an audience in the exact form of an export, and the oracle for it: it says what must be read from
//!   each line, independently of any decoder. It names no other crate of pinlake for that reason.
//! - [`Faults`] make chosen requests fail.
//!
//! Everything is in memory and ends with the server, or in a data folder and stays. Nothing listens beyond loopback unless it
//! is told to.

mod audience;
mod error;
mod faults;
mod import;
mod listener;
mod load;
mod model;
mod options;
mod pinpoint;
pub mod population;
mod requests;
mod s3;
mod segment;
mod server;
mod state;
pub mod store;

pub use error::LocalError;
pub use faults::{Fault, FaultKind, FaultRule, Faults, Service};
pub use import::ImportError;
pub use listener::ClientLimits;
pub use load::{Loaded, RefusedLine};
pub use options::{LocalCredentials, LocalOptions};
pub use population::{Endpoint, Population, PopulationError, PopulationOptions, RecordSize};
pub use requests::RequestCounts;
pub use server::LocalServer;
pub use state::StateError;
pub use store::{Store, StoreError};
