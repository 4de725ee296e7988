//! What a local server is started with.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use uuid::Uuid;

use crate::faults::Faults;
use crate::listener::ClientLimits;
use crate::population::PopulationOptions;

/// What a local server is started with. [`LocalOptions::default`] serves an empty application on free ports.
#[derive(Debug, Clone)]
pub struct LocalOptions {
    /// Where Pinpoint listens; port 0 takes a free one.
    pub pinpoint_address: SocketAddr,
    /// Where S3 listens; port 0 takes a free one.
    pub s3_address: SocketAddr,
    /// The one pair of keys that both services accept.
    pub credentials: LocalCredentials,
    /// The region that the services claim to be in. Requests signed for another one are accepted too.
    pub region: String,
    /// A bucket that exists from the start.
    pub bucket: String,
    /// Where applications, endpoints, segments, jobs, buckets and objects are kept; `None` keeps them in memory.
    pub data: Option<PathBuf>,
    /// The audience of the first application, or `None` for an application without endpoints.
    pub population: Option<PopulationOptions>,
    /// Segments without filters in the first application, by id: an export of one holds the whole audience.
    pub segment_ids: Vec<String>,
    /// How many endpoints an export job puts into a piece.
    pub endpoints_per_piece: u64,
    /// Time between two steps of an export job's status; zero makes jobs as fast as they can be.
    pub job_pace: Duration,
    /// Requests a second that each operation of Pinpoint takes; more are refused with 429. `None` takes all.
    pub requests_per_second: Option<u32>,
    /// Whether addresses beyond loopback may be listened on: whoever reaches them needs the keys, and nothing else.
    pub beyond_loopback: bool,
    /// How much of its time and room a client may take.
    pub limits: ClientLimits,
    /// What goes wrong on purpose.
    pub faults: Faults,
}

impl Default for LocalOptions {
    fn default() -> Self {
        let any_port = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
        LocalOptions {
            pinpoint_address: any_port,
            s3_address: any_port,
            credentials: LocalCredentials::default(),
            region: "us-east-1".to_owned(),
            bucket: "pinlake-local".to_owned(),
            data: None,
            population: None,
            segment_ids: vec!["5ad7e34c9c1b4b0f8d62f0c9a1b2c3d4".to_owned()],
            endpoints_per_piece: 50_000,
            job_pace: Duration::from_millis(200),
            requests_per_second: None,
            beyond_loopback: false,
            limits: ClientLimits::default(),
            faults: Faults::none(),
        }
    }
}

/// A pair of keys. The secret is not shown by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct LocalCredentials {
    /// The access key id, 16 to 128 characters.
    pub access_key_id: String,
    /// The secret access key.
    pub secret_access_key: String,
}

impl Default for LocalCredentials {
    /// Random keys in the form of AWS's.
    fn default() -> Self {
        let mut secret = [0_u8; 30];
        let random = [*Uuid::new_v4().as_bytes(), *Uuid::new_v4().as_bytes()].concat();
        secret.copy_from_slice(&random[..30]);
        let id = Uuid::new_v4().simple().to_string().to_uppercase();
        LocalCredentials {
            access_key_id: format!("AKIA{}", &id[..16]),
            secret_access_key: STANDARD_NO_PAD.encode(secret),
        }
    }
}

impl fmt::Debug for LocalCredentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("LocalCredentials")
            .field("access_key_id", &self.access_key_id)
            .finish_non_exhaustive()
    }
}
