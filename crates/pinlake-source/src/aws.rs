//! Clients for Pinpoint and S3, made from one chain of configuration.
//!
//! Credentials, region and endpoints come from where every AWS tool takes them: flags given here first, then
//! the environment, profiles, SSO, credential processes and instance roles, all through `aws-config`. Both
//! clients share one identity cache, so credentials are loaded once and renewed by a single flight.
//!
//! The SDK's own retries are off: a request is retried in one place, the module `retry`, where the time bound of
//! the contract (`retry_for`) and the count of attempts in every error message come from.

mod pages;
mod requests;

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{AppName, BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_types::service_config::ServiceConfigKey;

use crate::error::ErrorKind;
use crate::identity::Identities;
use crate::retry::{Budget, Retry};

/// How long one load of credentials may take: an SSO or process provider may talk to a slow server, and its
/// own error is better than a time-out without a reason.
const CREDENTIALS_LOAD_TIMEOUT: Duration = Duration::from_secs(30);

/// The region that is assumed for a server that is not AWS's own and where no region is given anywhere.
const REGION_OF_CUSTOM_ENDPOINTS: &str = "us-east-1";

/// What the caller was told about AWS; everything left out is looked for in the usual places.
#[derive(Debug, Clone)]
pub struct AwsOptions {
    /// A profile of the shared configuration files.
    pub profile: Option<String>,
    /// The region of both services.
    pub region: Option<String>,
    /// A Pinpoint endpoint that is not AWS's own.
    pub pinpoint_endpoint_url: Option<String>,
    /// An S3 endpoint that is not AWS's own; buckets are then addressed by path.
    pub s3_endpoint_url: Option<String>,
    /// Credentials to use instead of the chain, for a server within this process.
    pub static_credentials: Option<StaticCredentials>,
    /// How long a request that fails for a passing reason is tried again, counted from its last progress.
    pub retry_for: Duration,
    /// How long a request may go without bringing anything before it counts as failed.
    pub stall_timeout: Duration,
}

impl Default for AwsOptions {
    fn default() -> Self {
        Self {
            profile: None,
            region: None,
            pinpoint_endpoint_url: None,
            s3_endpoint_url: None,
            static_credentials: None,
            retry_for: Duration::from_secs(30),
            stall_timeout: Duration::from_secs(10),
        }
    }
}

/// A pair of keys given outright. Its `Debug` form hides the secret.
#[derive(Clone)]
pub struct StaticCredentials {
    /// The access key id.
    pub access_key_id: String,
    /// The secret access key.
    pub secret_access_key: String,
}

impl std::fmt::Debug for StaticCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StaticCredentials").finish_non_exhaustive()
    }
}

/// What keeps a client from being used at all.
#[derive(Debug, thiserror::Error)]
pub enum AwsError {
    /// AWS itself is to be called and no region is known.
    #[error(
        "no region for {service}: give --region, set AWS_REGION, or add `region` to the profile in ~/.aws/config"
    )]
    NoRegion {
        /// The service that was to be called.
        service: &'static str,
    },
}

impl AwsError {
    /// A missing region is a matter of flags and configuration.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::NoRegion { .. } => ErrorKind::Usage,
        }
    }
}

/// Both clients and the time bounds of their requests. Cloning is cheap and shares connections and credentials.
#[derive(Debug, Clone)]
pub struct Aws {
    pinpoint: Service<aws_sdk_pinpoint::Client>,
    s3: Service<aws_sdk_s3::Client>,
    region: Option<String>,
    retry_for: Duration,
    stall_timeout: Duration,
    identities: Identities,
    budget: Budget,
}

/// A client together with where it points.
#[derive(Debug, Clone)]
struct Service<C> {
    client: C,
    /// The endpoint from flags, environment or profile; `None` is AWS's own for the region.
    endpoint_url: Option<String>,
}

impl Aws {
    /// Loads the configuration chain and builds both clients. Nothing is sent yet except what the chain needs
    /// to find a region (an instance's metadata service, where no other source names one).
    pub async fn connect(options: &AwsOptions) -> Self {
        let identities = Identities::new(CREDENTIALS_LOAD_TIMEOUT);
        let config = load(options, identities.clone()).await;
        let pinpoint_url = endpoint_url(&config, options.pinpoint_endpoint_url.as_deref(), "Pinpoint");
        let s3_url = endpoint_url(&config, options.s3_endpoint_url.as_deref(), "S3");
        let region = config.region().map(ToString::to_string);
        let signing_region = Region::new(region.clone().unwrap_or(REGION_OF_CUSTOM_ENDPOINTS.to_owned()));

        let mut pinpoint = aws_sdk_pinpoint::config::Builder::from(&config)
            .region(signing_region.clone())
            .interceptor(requests::RequestLog);
        pinpoint.set_endpoint_url(pinpoint_url.clone());
        let mut s3 = aws_sdk_s3::config::Builder::from(&config)
            .region(signing_region)
            .force_path_style(s3_url.is_some())
            .interceptor(requests::RequestLog)
            .interceptor(pages::WholePages);
        s3.set_endpoint_url(s3_url.clone());

        Self {
            pinpoint: Service {
                client: aws_sdk_pinpoint::Client::from_conf(pinpoint.build()),
                endpoint_url: pinpoint_url,
            },
            s3: Service { client: aws_sdk_s3::Client::from_conf(s3.build()), endpoint_url: s3_url },
            region,
            retry_for: options.retry_for,
            stall_timeout: options.stall_timeout,
            identities,
            budget: Budget::default(),
        }
    }

    /// The region both clients sign for, where one is known.
    #[must_use]
    pub fn region(&self) -> Option<&str> {
        self.region.as_deref()
    }

    /// The Pinpoint endpoint from flags, environment or profile; `None` is AWS's own.
    #[must_use]
    pub fn pinpoint_endpoint_url(&self) -> Option<&str> {
        self.pinpoint.endpoint_url.as_deref()
    }

    /// The S3 endpoint from flags, environment or profile; `None` is AWS's own.
    #[must_use]
    pub fn s3_endpoint_url(&self) -> Option<&str> {
        self.s3.endpoint_url.as_deref()
    }

    /// Whether Pinpoint requests go to AWS rather than to a stand-in. An explicit URL of AWS's own domains
    /// (a FIPS or dual-stack endpoint) is AWS too.
    pub(crate) fn pinpoint_is_aws(&self) -> bool {
        self.pinpoint_endpoint_url().is_none_or(|url| {
            let host = url.split_once("://").map_or(url, |(_, rest)| rest);
            let host = host.split(['/', ':', '?']).next().unwrap_or(host).to_ascii_lowercase();
            host.ends_with(".amazonaws.com") || host.ends_with(".api.aws")
        })
    }

    /// Makes failures be told as those of AWS's own Pinpoint, which no test may call.
    #[cfg(test)]
    pub(crate) fn pretend_pinpoint_is_aws(&mut self) {
        self.pinpoint.endpoint_url = None;
    }

    pub(crate) fn pinpoint(&self) -> Result<&aws_sdk_pinpoint::Client, AwsError> {
        self.usable(&self.pinpoint, "Amazon Pinpoint")
    }

    pub(crate) fn s3(&self) -> Result<&aws_sdk_s3::Client, AwsError> {
        self.usable(&self.s3, "Amazon S3")
    }

    fn usable<'a, C>(&self, service: &'a Service<C>, name: &'static str) -> Result<&'a C, AwsError> {
        if self.region.is_none() && service.endpoint_url.is_none() {
            return Err(AwsError::NoRegion { service: name });
        }
        Ok(&service.client)
    }

    /// A fresh count of attempts for one request.
    pub(crate) fn retry(&self) -> Retry {
        Retry::new(self.retry_for).sharing(&self.budget, &self.identities)
    }

    pub(crate) fn stall_timeout(&self) -> Duration {
        self.stall_timeout
    }
}

/// The shared part of both clients' configuration.
async fn load(options: &AwsOptions, identities: Identities) -> SdkConfig {
    // The attempt bound ends with the response's headers; a body has its own bound where it is read.
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(options.stall_timeout)
        .operation_attempt_timeout(options.stall_timeout)
        .build();
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .identity_cache(identities)
        .retry_config(RetryConfig::disabled())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .timeout_config(timeouts);
    if let Ok(name) = AppName::new("pinlake") {
        loader = loader.app_name(name);
    }
    if let Some(profile) = &options.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(keys) = &options.static_credentials {
        let keys =
            Credentials::new(&keys.access_key_id, &keys.secret_access_key, None, None, "pinlake-static");
        loader = loader.credentials_provider(keys);
    }
    // Where both services are stand-ins the chain is not asked for a region: its last link is a cloud
    // instance's metadata service, and waiting for that on a laptop takes seconds.
    let is_all_custom = options.pinpoint_endpoint_url.is_some() && options.s3_endpoint_url.is_some();
    match &options.region {
        Some(region) => loader = loader.region(Region::new(region.clone())),
        None if is_all_custom && options.static_credentials.is_some() => {
            loader = loader.region(Region::from_static(REGION_OF_CUSTOM_ENDPOINTS));
        }
        None => {}
    }
    loader.load().await
}

/// The endpoint of one service: the flag, else the service's own setting (`AWS_ENDPOINT_URL_…`, or
/// `endpoint_url` in a services section), else the setting for all services.
fn endpoint_url(config: &SdkConfig, flag: Option<&str>, service_id: &str) -> Option<String> {
    if let Some(url) = flag {
        return Some(url.to_owned());
    }
    let key = ServiceConfigKey::builder()
        .service_id(service_id)
        .env("AWS_ENDPOINT_URL")
        .profile("endpoint_url")
        .build()
        .ok()?;
    let own = config.service_config().and_then(|settings| settings.load_config(key));
    own.or_else(|| config.endpoint_url().map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(pinpoint: Option<&str>, s3: Option<&str>) -> AwsOptions {
        AwsOptions {
            pinpoint_endpoint_url: pinpoint.map(str::to_owned),
            s3_endpoint_url: s3.map(str::to_owned),
            static_credentials: Some(StaticCredentials {
                access_key_id: "AKIDTEST".to_owned(),
                secret_access_key: "canary-secret".to_owned(),
            }),
            ..AwsOptions::default()
        }
    }

    #[tokio::test]
    async fn custom_endpoints_need_no_region() {
        let aws = Aws::connect(&options(Some("http://127.0.0.1:1"), Some("http://127.0.0.1:2"))).await;
        assert_eq!(aws.region(), Some("us-east-1"));
        assert!(aws.pinpoint().is_ok() && aws.s3().is_ok());
        assert!(!aws.pinpoint_is_aws());
    }

    #[tokio::test]
    async fn an_explicit_aws_host_is_still_aws() {
        let fips = "https://pinpoint-fips.us-east-1.amazonaws.com/";
        let aws = Aws::connect(&options(Some(fips), Some("http://127.0.0.1:2"))).await;
        assert!(aws.pinpoint_is_aws());
        let like = "http://pinpoint.us-east-1.amazonaws.com.example:80";
        let aws = Aws::connect(&options(Some(like), Some("http://127.0.0.1:2"))).await;
        assert!(!aws.pinpoint_is_aws());
    }

    #[test]
    fn the_debug_form_hides_the_secret() {
        let shown = format!("{:?}", options(None, None));
        assert!(!shown.contains("canary-secret") && !shown.contains("AKIDTEST"), "{shown}");
    }
}
