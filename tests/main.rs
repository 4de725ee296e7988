//! The integration tests: the real binary, run as a user runs it, against files and a loopback Pinpoint and S3.
//!
//! What is expected comes from `docs` and the contract, figures from the population's oracle or from lines made by hand,
//! never from a run of the program. No test sleeps, looks at a clock or leaves this machine.

mod architecture;
mod contract;
mod crash;
mod demo;
mod edge;
mod faults;
mod gallery;
mod harness;
mod hostile;
mod hostile_lake;
mod ingest;
mod local;
mod privacy;
mod regression;
mod reports;
mod resume;
mod segment;
mod semantics;
mod sql;
mod steps;
