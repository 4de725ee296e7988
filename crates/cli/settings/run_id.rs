//! What one run of the program is called, in its logs and in the manifest of what it made.

use std::fmt;
use std::hash::{BuildHasher as _, RandomState};

use chrono::{DateTime, Utc};

/// The time at which a run began, and some digits that no other run of that second has: `20261030T120000Z-5f0c21`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RunId(String);

impl RunId {
    pub(crate) fn new() -> Self {
        Self::of(Utc::now(), RandomState::new().hash_one(std::process::id()))
    }

    fn of(begun: DateTime<Utc>, random: u64) -> Self {
        Self(format!("{}-{:06x}", begun.format("%Y%m%dT%H%M%SZ"), random & 0xff_ffff))
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_tells_the_time_and_is_nothing_but_letters_and_digits() {
        let time = DateTime::from_timestamp(1_793_275_200, 0).unwrap();
        assert_eq!(RunId::of(time, 0xabcd_0000_000f).to_string(), "20261029T120000Z-00000f");
        assert_ne!(RunId::new(), RunId::new());
    }
}
