//! Why the local server could not start or stop.

use std::io;
use std::net::SocketAddr;

use thiserror::Error;

use crate::audience::AudienceError;
use crate::import::ImportError;
use crate::state::StateError;
use crate::store::StoreError;

/// Why the local server could not start.
#[derive(Debug, Error)]
pub enum LocalError {
    /// The address is reachable from other machines; this server's safety rests on loopback.
    #[error("{address} is not a loopback address")]
    NotLoopback {
        /// The address asked for.
        address: SocketAddr,
    },
    /// The address could not be bound.
    #[error("cannot listen on {address}")]
    Bind {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The first bucket could not be made.
    #[error("cannot make the bucket {bucket:?}")]
    Bucket {
        /// The bucket.
        bucket: String,
        /// What the store said.
        #[source]
        source: StoreError,
    },
    /// What the local Pinpoint is to remember cannot be read or written.
    #[error(transparent)]
    State(#[from] StateError),
    /// The buckets and objects that are to be kept cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An application was deleted while endpoints were loaded into it.
    #[error("the application {application_id} was deleted while its endpoints were loaded")]
    Vanished {
        /// The application.
        application_id: String,
    },
    /// A file to load cannot be read at all.
    #[error("cannot load {name}")]
    Load {
        /// The file, as it was named.
        name: String,
        /// What is wrong with it.
        #[source]
        source: ImportError,
    },
    /// The region's name cannot stand in a header.
    #[error("{region:?} is not a region name")]
    Region {
        /// The region asked for.
        region: String,
    },
}

impl LocalError {
    /// Whether the data that was given is damaged: gzip that does not add up, or a state that is none.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        matches!(
            self,
            LocalError::Load { source: ImportError::Gzip(_), .. }
                | LocalError::State(StateError::Open { .. } | StateError::Document { .. })
        )
    }

    /// Whether a disk or another resource did not suffice.
    #[must_use]
    pub fn is_resource(&self) -> bool {
        self.is_retryable()
            || matches!(
                self,
                LocalError::Load { source: ImportError::TooLarge, .. }
                    | LocalError::State(StateError::Store { .. } | StateError::InUse { .. })
            )
    }

    /// Whether the same call may succeed later: an address in use is freed at some time.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, LocalError::Bind { source, .. } if source.kind() == io::ErrorKind::AddrInUse)
    }
}

impl From<AudienceError> for LocalError {
    fn from(error: AudienceError) -> Self {
        match error {
            AudienceError::State(error) => LocalError::State(error),
            AudienceError::Endpoint(source) => {
                LocalError::State(StateError::Document { kind: "endpoint", source })
            }
            // Nothing is refused while a server starts: loading knows no limits.
            AudienceError::Refused(refusal) => unreachable!("refused while starting: {refusal}"),
        }
    }
}
