//! A loopback Pinpoint and S3 in this process, so that its faults and counters are at hand.

use std::time::Duration;

use pinlake_local::{FaultRule, LocalOptions, LocalServer, Population, PopulationOptions};
use tokio::runtime::Runtime;

/// A server and the runtime it runs on.
pub(crate) struct World {
    // Dropped in this order: the server needs its runtime to the end.
    pub(crate) server: LocalServer,
    _runtime: Runtime,
}

impl World {
    pub(crate) fn start(options: LocalOptions) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let server = runtime.block_on(LocalServer::start(options)).unwrap();
        Self { server, _runtime: runtime }
    }

    /// A bucket with nothing in it, and an application without endpoints.
    pub(crate) fn empty() -> Self {
        Self::start(LocalOptions { job_pace: Duration::ZERO, ..LocalOptions::default() })
    }

    /// An application with this audience; its jobs end as soon as they can.
    pub(crate) fn with_audience(population: PopulationOptions, endpoints_per_piece: u64) -> Self {
        Self::start(LocalOptions {
            population: Some(population),
            endpoints_per_piece,
            job_pace: Duration::ZERO,
            ..LocalOptions::default()
        })
    }

    /// A bucket with an audience in so many pieces under `exports/`.
    pub(crate) fn with_pieces(population: &Population, piece_count: u64) -> Self {
        let world = Self::empty();
        for (number, range) in population.pieces(piece_count).into_iter().enumerate() {
            world.put(&format!("exports/part-{number:05}.gz"), population.piece(range));
        }
        world
    }

    pub(crate) fn put(&self, key: &str, bytes: Vec<u8>) {
        self.server.store().put(self.server.bucket(), key, bytes).unwrap();
    }

    /// The URL of a key or prefix in the bucket.
    pub(crate) fn url(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.server.bucket())
    }

    pub(crate) fn fault(&self, rule: FaultRule) {
        self.server.faults().add(rule);
    }

    /// How often an operation was asked for so far.
    pub(crate) fn requests(&self, operation: &str) -> u64 {
        self.server.requests().of(operation)
    }

    /// The variables that lead AWS clients here.
    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        let keys = self.server.credentials();
        vec![
            ("AWS_ENDPOINT_URL_PINPOINT", self.server.pinpoint_url()),
            ("AWS_ENDPOINT_URL_S3", self.server.s3_url()),
            ("AWS_ACCESS_KEY_ID", keys.access_key_id.clone()),
            ("AWS_SECRET_ACCESS_KEY", keys.secret_access_key.clone()),
            ("AWS_REGION", self.server.region().to_owned()),
            ("PINLAKE_APPLICATION_ID", self.server.application_id().to_owned()),
        ]
    }
}
