//! The local server as its clients meet it: AWS's own SDKs, and plain HTTP where they are too polite.

mod endpoint;
mod export;
mod faults;
mod http;
mod import;
mod s3;
mod segment;
mod slow;
mod world;
