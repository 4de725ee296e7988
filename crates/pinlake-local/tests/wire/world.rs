//! A server and clients for it.

use std::time::Duration;

use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region, retry::RetryConfig};
use pinlake_local::{LocalCredentials, LocalOptions, LocalServer, PopulationOptions};

/// What tests return: any error fails them.
pub(crate) type TestResult = Result<(), Box<dyn std::error::Error>>;

/// A role that a job may ask for.
pub(crate) const ROLE_ARN: &str = "arn:aws:iam::123456789012:role/pinpoint-export";

/// A server with its clients.
pub(crate) struct World {
    pub(crate) server: LocalServer,
    pub(crate) pinpoint: aws_sdk_pinpoint::Client,
    pub(crate) s3: aws_sdk_s3::Client,
}

impl World {
    /// Starts a server with jobs as fast as they can be.
    pub(crate) async fn start(options: LocalOptions) -> Result<World, Box<dyn std::error::Error>> {
        let server = LocalServer::start(options).await?;
        let pinpoint = pinpoint_client(&server, server.credentials());
        let s3 = s3_client(&server, server.credentials());
        Ok(World { server, pinpoint, s3 })
    }

    /// Starts a server with an audience of this many endpoints, in pieces of this many.
    pub(crate) async fn with_audience(
        endpoints: u64,
        endpoints_per_piece: u64,
    ) -> Result<World, Box<dyn std::error::Error>> {
        World::start(LocalOptions {
            population: Some(PopulationOptions { endpoints, ..PopulationOptions::default() }),
            endpoints_per_piece,
            job_pace: Duration::ZERO,
            ..LocalOptions::default()
        })
        .await
    }
}

/// A Pinpoint client with these keys, which never retries.
pub(crate) fn pinpoint_client(server: &LocalServer, keys: &LocalCredentials) -> aws_sdk_pinpoint::Client {
    let config = aws_sdk_pinpoint::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(server.region().to_owned()))
        .credentials_provider(credentials(keys))
        .retry_config(RetryConfig::disabled())
        .endpoint_url(server.pinpoint_url())
        .build();
    aws_sdk_pinpoint::Client::from_conf(config)
}

/// An S3 client with these keys, which never retries.
pub(crate) fn s3_client(server: &LocalServer, keys: &LocalCredentials) -> aws_sdk_s3::Client {
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(server.region().to_owned()))
        .credentials_provider(credentials(keys))
        .retry_config(RetryConfig::disabled())
        .endpoint_url(server.s3_url())
        .force_path_style(true)
        .build();
    aws_sdk_s3::Client::from_conf(config)
}

fn credentials(keys: &LocalCredentials) -> Credentials {
    Credentials::new(&keys.access_key_id, &keys.secret_access_key, None, None, "test")
}
