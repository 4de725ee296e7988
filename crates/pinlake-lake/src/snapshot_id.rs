//! The name of a snapshot. It becomes a folder name, a Hive partition value and a Delta partition value, so its
//! characters are those that need no escaping in any of the three.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike, Utc};
use serde::{Deserialize, Serialize};

use crate::LakeError;

/// One to 64 of the characters `A-Z a-z 0-9 . _ -`, but neither `.` nor `..`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SnapshotId(String);

impl SnapshotId {
    /// The longest id, in characters.
    pub const MAX_LEN: usize = 64;

    /// The default id of a run: `time` to the second, as `2026-10-29T120000Z`.
    #[must_use]
    pub fn from_time(time: DateTime<Utc>) -> Self {
        // chrono writes a sign before years of five digits, and `+` is no character of an id.
        if (0..=9999).contains(&time.year()) {
            Self(time.format("%Y-%m-%dT%H%M%SZ").to_string())
        } else {
            Self(time.timestamp().to_string())
        }
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn broken_rule(text: &str) -> Option<&'static str> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    if text.is_empty() {
        Some("it is empty")
    } else if !text.bytes().all(plain) {
        Some("only letters, digits, `.`, `_` and `-` are allowed")
    } else if text.len() > SnapshotId::MAX_LEN {
        Some("it is longer than 64 characters")
    } else if matches!(text, "." | "..") {
        Some("it names a folder of its own")
    } else if text.eq_ignore_ascii_case("latest") {
        Some("it stands for whichever snapshot is the latest")
    } else if text == "__HIVE_DEFAULT_PARTITION__" {
        Some("readers of Hive-style folders take it for null")
    } else {
        None
    }
}

impl TryFrom<String> for SnapshotId {
    type Error = LakeError;

    fn try_from(text: String) -> Result<Self, LakeError> {
        match broken_rule(&text) {
            None => Ok(Self(text)),
            Some(reason) => Err(LakeError::InvalidSnapshotId { text, reason }),
        }
    }
}

impl FromStr for SnapshotId {
    type Err = LakeError;

    fn from_str(text: &str) -> Result<Self, LakeError> {
        text.to_owned().try_into()
    }
}

impl From<SnapshotId> for String {
    fn from(id: SnapshotId) -> Self {
        id.0
    }
}

impl AsRef<str> for SnapshotId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SnapshotId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ErrorKind;

    #[test]
    fn names_that_mean_something_else_are_refused() {
        for text in ["latest", "LATEST", "__HIVE_DEFAULT_PARTITION__", ".", "..", "", "a/b"] {
            assert_eq!(text.parse::<SnapshotId>().unwrap_err().kind(), ErrorKind::Usage, "{text}");
        }
    }

    #[test]
    fn a_time_becomes_its_second() {
        let time = DateTime::parse_from_rfc3339("2026-10-29T12:00:00.987Z").unwrap().to_utc();
        assert_eq!(SnapshotId::from_time(time).as_str(), "2026-10-29T120000Z");
    }

    #[test]
    fn folder_names_of_their_own_are_refused() {
        for text in ["", ".", "..", "a/b", "a b", "é", "a\0", &"x".repeat(65)] {
            let error = text.parse::<SnapshotId>().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Usage, "{text:?}");
        }
        assert!("...".parse::<SnapshotId>().is_ok());
    }

    proptest! {
        #[test]
        fn what_the_contract_allows_is_taken_as_it_is(text in "[A-Za-z0-9._-]{1,64}") {
            prop_assume!(text != "." && text != "..");
            let id: SnapshotId = text.parse().unwrap();
            prop_assert_eq!(id.as_str(), &text);
            let json = serde_json::to_string(&id).unwrap();
            prop_assert_eq!(serde_json::from_str::<SnapshotId>(&json).unwrap(), id);
        }

        #[test]
        fn nothing_else_is_taken(text in any::<String>()) {
            let allowed = !text.is_empty()
                && text.len() <= 64
                && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
                && text != "." && text != "..";
            prop_assert_eq!(text.parse::<SnapshotId>().is_ok(), allowed);
        }

        #[test]
        fn every_time_makes_an_id(seconds in -8_000_000_000_000_i64..8_000_000_000_000) {
            let time = DateTime::from_timestamp(seconds, 0).unwrap();
            let id = SnapshotId::from_time(time);
            prop_assert_eq!(id.as_str().parse::<SnapshotId>().unwrap(), id);
        }
    }
}
