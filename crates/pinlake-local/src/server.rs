//! The local server: Pinpoint and S3 on two loopback ports, over one store.

use std::sync::Arc;

use crate::error::LocalError;
use crate::faults::Faults;
use crate::listener::Listener;
use crate::load::{self, Loaded};
use crate::options::{LocalCredentials, LocalOptions};
use crate::pinpoint::{Applications, JobRunner, JobSettings, Operations, PinpointHandler, Throttle};
use crate::population::{DEFAULT_APPLICATION_ID, Population};
use crate::requests::{RequestCounts, Requests};
use crate::s3::S3Handler;
use crate::state::State;
use crate::store::{Store, StoreError};

/// A running local Pinpoint and S3. It runs on the tokio runtime it was started on; dropping it aborts it.
#[derive(Debug)]
pub struct LocalServer {
    applications: Applications,
    pinpoint: Listener,
    s3: Listener,
    store: Store,
    faults: Faults,
    requests: Requests,
    application_id: String,
    segment_ids: Vec<String>,
    bucket: String,
    region: String,
    credentials: LocalCredentials,
}

impl LocalServer {
    /// Starts both services. They answer when this returns.
    ///
    /// # Errors
    ///
    /// When an address is not loopback or not free, and when the bucket or the region has an impossible name.
    pub async fn start(options: LocalOptions) -> Result<Self, LocalError> {
        let LocalOptions { credentials, region, bucket, faults, segment_ids, .. } = options;
        for address in [options.pinpoint_address, options.s3_address] {
            if !options.beyond_loopback && !address.ip().is_loopback() {
                return Err(LocalError::NotLoopback { address });
            }
        }
        let store = match &options.data {
            Some(folder) => Store::open(folder)?,
            None => Store::default(),
        };
        match store.create_bucket(&bucket) {
            Ok(()) => {}
            // It is there from an earlier run.
            Err(StoreError::BucketExists { .. }) if options.data.is_some() => {}
            Err(source) => return Err(LocalError::Bucket { bucket, source }),
        }
        let application_id = options.population.as_ref().map_or_else(
            || DEFAULT_APPLICATION_ID.to_owned(),
            |population| population.application_id.clone(),
        );
        let state = match &options.data {
            Some(folder) => State::open(folder)?,
            None => State::in_memory()?,
        };
        let applications = Applications::open(state, &region)?;
        applications.ensure(&application_id, "pinlake-local")?;
        applications.seed(&application_id, options.population.map(Population::new), &segment_ids)?;
        if options.data.is_some()
            && let Some(audience) = applications.audience(&application_id)
        {
            audience.keep_seed()?;
        }
        let requests = Requests::default();
        let s3 =
            S3Handler::new(store.clone(), credentials.clone(), &region, faults.clone(), requests.clone())?
                .with_pauses_up_to(options.limits.body_time);
        let pinpoint = PinpointHandler {
            operations: Arc::new(Operations {
                applications: applications.clone(),
                jobs: JobRunner::new(JobSettings {
                    store: store.clone(),
                    endpoints_per_piece: options.endpoints_per_piece,
                    pace: options.job_pace,
                }),
            }),
            credentials: credentials.clone(),
            faults: faults.clone(),
            throttle: Throttle::new(options.requests_per_second),
            requests: requests.clone(),
            body_time: options.limits.body_time,
        };
        Ok(LocalServer {
            applications,
            pinpoint: Listener::start(options.pinpoint_address, pinpoint, options.limits).await?,
            s3: Listener::start(options.s3_address, s3, options.limits).await?,
            store,
            faults,
            requests,
            application_id,
            segment_ids,
            bucket,
            region,
            credentials,
        })
    }

    /// Pinpoint's endpoint, such as `http://127.0.0.1:41234`.
    #[must_use]
    pub fn pinpoint_url(&self) -> String {
        format!("http://{}", self.pinpoint.address())
    }

    /// S3's endpoint. Buckets are in the path, not in the host's name.
    #[must_use]
    pub fn s3_url(&self) -> String {
        format!("http://{}", self.s3.address())
    }

    /// The application that is there from the start: 32 hex digits.
    #[must_use]
    pub fn application_id(&self) -> &str {
        &self.application_id
    }

    /// Takes the endpoints of a file in: lines of an export or, by its name, an import file of CSV; gzip or plain. Export
    /// lines stay as they are, go to the application that they name, which is made where it is not there, and the last of
    /// equal ids stays. It works on all cores, and blocks.
    ///
    /// # Errors
    ///
    /// When the file cannot be read at all, and when the state fails. Lines that are no endpoints are no error: they are
    /// told in what is returned.
    pub fn load(&self, name: &str, bytes: &[u8]) -> Result<Loaded, LocalError> {
        load::file(&self.applications, &self.application_id, name, bytes)
    }

    /// Brings what was loaded to the disk, if the server has a data folder.
    ///
    /// # Errors
    ///
    /// When the disk fails.
    pub fn sync(&self) -> Result<(), LocalError> {
        Ok(self.applications.sync()?)
    }

    /// The segments of that application; each holds its whole audience.
    #[must_use]
    pub fn segment_ids(&self) -> &[String] {
        &self.segment_ids
    }

    /// The bucket that is there from the start.
    #[must_use]
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// The keys that both services accept.
    #[must_use]
    pub fn credentials(&self) -> &LocalCredentials {
        &self.credentials
    }

    /// The region that the services claim to be in.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The buckets and objects, past S3 and its signatures.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// What goes wrong on purpose; rules can be added while the server runs.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// How often each operation has been requested so far.
    #[must_use]
    pub fn requests(&self) -> RequestCounts {
        self.requests.snapshot()
    }

    /// Accepts nothing more, gives requests under way five seconds to end, ends export jobs as they stand, and returns
    /// when all is closed.
    pub async fn stop(self) {
        futures::future::join(self.pinpoint.stop(), self.s3.stop()).await;
        self.store.close();
    }
}
