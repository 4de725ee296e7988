//! Redaction: what becomes of columns that are not to be kept as they came, before anything of them reaches the disk.
//!
//! A [`Redaction`] says for columns, or single entries of a map, whether they are dropped, masked or hashed. It is carried out
//! on each decoded batch by the worker that decoded it ([`Redactor`]), ahead of the writer; so data files, their dictionaries and
//! statistics, the Delta log and whatever a kill leaves behind never held the values. `extra` is covered, since that is where
//! a value goes that does not fit its column. What each mode keeps is decided in docs/adr/0017 and listed in docs/privacy.md.

mod entries;
mod extra;
mod ids;
mod key;
mod mask;
mod redactor;
mod spec;
mod values;

use std::collections::BTreeMap;

pub use key::RedactKey;
pub(crate) use redactor::{Redactor, Rules};
pub use spec::RedactionError;

/// What becomes of a value. A null stays one in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RedactMode {
    /// It is gone: null, or no entry of its map.
    Drop,
    /// Only what analysis needs is kept: an e-mail's domain, a phone number's calling code, the first half of a postal code.
    Mask,
    /// HMAC-SHA-256 of the text in lower-case hex: equal values stay equal, from snapshot to snapshot too.
    Hash,
}

impl RedactMode {
    /// As it is written in flags and in `run.json`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Drop => "drop",
            Self::Mask => "mask",
            Self::Hash => "hash",
        }
    }
}

/// Which columns are redacted, and how. The default is none.
#[derive(Clone, Debug, Default)]
pub struct Redaction {
    /// By the name of the column.
    columns: BTreeMap<String, RedactMode>,
    /// Of maps, by the name of the column and of the entry.
    entries: BTreeMap<String, BTreeMap<String, RedactMode>>,
    key: Option<RedactKey>,
}

impl Redaction {
    /// Whether nothing is redacted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty() && self.entries.is_empty()
    }

    /// The mode of each column and entry, by the name that stands for it in flags: what `run.json` says.
    #[must_use]
    pub fn modes(&self) -> BTreeMap<String, String> {
        let columns = self.columns.iter().map(|(column, mode)| (column.clone(), mode.name().to_owned()));
        let entries = self.entries.iter().flat_map(|(column, entries)| {
            entries.iter().map(move |(name, mode)| (format!("{column}.{name}"), mode.name().to_owned()))
        });
        columns.chain(entries).collect()
    }

    /// What must be the same for one process to go on with another's work: the modes, and a code of the key that tells nothing of
    /// it. `None` where it cannot: with `id` dropped or masked and no key at hand, the hashes by which repeated ids are counted
    /// are of a key that only this process knows.
    pub(crate) fn terms(&self) -> Option<String> {
        let is_drawn = matches!(self.columns.get("id"), Some(RedactMode::Drop | RedactMode::Mask));
        if is_drawn && self.key.is_none() {
            return None;
        }
        let key = self.key.as_ref().map(|key| key.derived("terms").hash(""));
        Some(format!("redaction {:?} {}", self.modes(), key.unwrap_or_default()))
    }
}
