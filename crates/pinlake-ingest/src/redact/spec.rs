//! Which redactions somebody may ask for: `COLUMN[=drop|mask|hash]`.

use std::collections::BTreeMap;

use arrow::datatypes::DataType;
use pinlake_decode::{endpoint_schema, schema::member_of};

use super::{RedactKey, RedactMode, Redaction};

/// Why a redaction cannot be carried out as it was put.
#[derive(Debug, thiserror::Error)]
pub enum RedactionError {
    /// There is nothing in it.
    #[error("a redaction names no column: write COLUMN, or COLUMN=drop, COLUMN=mask or COLUMN=hash")]
    Empty,
    /// There is no such column.
    #[error("there is no column `{column}`")]
    UnknownColumn {
        /// What was named.
        column: String,
    },
    /// The column says where a row came from, and holds nothing of it.
    #[error("`{column}` cannot be redacted: it says where a row came from")]
    Provenance {
        /// The column.
        column: String,
    },
    /// Only maps have entries.
    #[error("`{column}` has no entries: only those of attributes, user_attributes and metrics can be named")]
    NoEntries {
        /// The column.
        column: String,
    },
    /// There is no such mode.
    #[error("`{mode}` is no way to redact `{column}`: there are drop, mask and hash")]
    UnknownMode {
        /// The column.
        column: String,
        /// What was asked for.
        mode: String,
    },
    /// The column's values are no text.
    #[error("`{column}` holds no text, so it can be dropped only and not {mode}ed", mode = .mode.name())]
    OnlyDrop {
        /// The column.
        column: String,
        /// What was asked for.
        mode: RedactMode,
    },
    /// Two modes are asked for.
    #[error(
        "`{column}` is to be redacted in two ways, {first} and {second}",
        first = .first.name(), second = .second.name()
    )]
    TwoModes {
        /// The column or entry.
        column: String,
        /// One of them.
        first: RedactMode,
        /// The other.
        second: RedactMode,
    },
    /// The map is dropped, and its entries with it.
    #[error("`{column}` is dropped with all its entries, so there is no `{column}.{entry}` to redact")]
    EntryOfDropped {
        /// The map.
        column: String,
        /// The entry.
        entry: String,
    },
    /// Hashes need a key.
    #[error(
        "`{column}` is to be hashed, which needs a key: give --redact-key-file or set PINLAKE_REDACT_KEY"
    )]
    NoKey {
        /// The column or entry.
        column: String,
    },
    /// The key could be found by trying.
    #[error(
        "the key has {bytes} bytes; at least {least} are needed, such as those of `openssl rand -hex 32`"
    )]
    ShortKey {
        /// Its length.
        bytes: usize,
        /// The least length.
        least: usize,
    },
}

impl Redaction {
    /// What `specs` ask for, each `COLUMN`, `COLUMN=MODE`, `MAP.NAME` or `MAP.NAME=MODE`; the mode is `drop` where none is
    /// given. A map's entry goes its own way where the map goes another.
    ///
    /// # Errors
    /// The first that cannot be carried out.
    pub fn new<'s>(
        specs: impl IntoIterator<Item = &'s str>,
        key: Option<RedactKey>,
    ) -> Result<Self, RedactionError> {
        let mut redaction = Self { key, ..Self::default() };
        for spec in specs {
            redaction.add(spec)?;
        }
        for (column, entries) in &redaction.entries {
            if redaction.columns.get(column) == Some(&RedactMode::Drop)
                && let Some(entry) = entries.keys().next()
            {
                let (column, entry) = (column.clone(), entry.clone());
                return Err(RedactionError::EntryOfDropped { column, entry });
            }
        }
        Ok(redaction)
    }

    /// The same, with those of `base` for columns and entries that this one does not name.
    ///
    /// # Errors
    /// `EntryOfDropped` where one drops a map and the other names an entry of it.
    pub fn over(mut self, base: Self) -> Result<Self, RedactionError> {
        for (column, mode) in base.columns {
            self.columns.entry(column).or_insert(mode);
        }
        for (column, entries) in base.entries {
            let own = self.entries.entry(column).or_default();
            for (name, mode) in entries {
                own.entry(name).or_insert(mode);
            }
        }
        let key = self.key.or(base.key);
        let modes = self.columns.iter().map(|(column, mode)| format!("{column}={}", mode.name()));
        let entries = self.entries.iter().flat_map(|(column, entries)| {
            entries.iter().map(move |(name, mode)| format!("{column}.{name}={}", mode.name()))
        });
        let specs: Vec<String> = modes.chain(entries).collect();
        Self::new(specs.iter().map(String::as_str), key)
    }

    /// The names of the columns that can be redacted.
    pub fn column_names() -> impl Iterator<Item = String> {
        let schema = endpoint_schema();
        let names: Vec<String> = schema.fields().iter().map(|field| field.name().clone()).collect();
        names.into_iter().filter(|name| is_redactable(name))
    }

    fn add(&mut self, spec: &str) -> Result<(), RedactionError> {
        let (target, mode) = match spec.rsplit_once('=') {
            Some((target, mode)) => (target, mode_of(target, mode)?),
            None => (spec, RedactMode::Drop),
        };
        if target.is_empty() {
            return Err(RedactionError::Empty);
        }
        let (column, entry) = match target.split_once('.') {
            Some((column, entry)) => (column, Some(entry)),
            None => (target, None),
        };
        let schema = endpoint_schema();
        if matches!(column, "piece" | "line" | "snapshot") {
            return Err(RedactionError::Provenance { column: column.to_owned() });
        }
        let Ok(field) = schema.field_with_name(column) else {
            return Err(RedactionError::UnknownColumn { column: column.to_owned() });
        };
        if entry.is_some() && !matches!(field.data_type(), DataType::Map(..)) {
            return Err(RedactionError::NoEntries { column: column.to_owned() });
        }
        if entry == Some("") {
            return Err(RedactionError::Empty);
        }
        if mode != RedactMode::Drop && !is_text(column, field.data_type()) {
            return Err(RedactionError::OnlyDrop { column: target.to_owned(), mode });
        }
        if mode == RedactMode::Hash && self.key.is_none() {
            return Err(RedactionError::NoKey { column: target.to_owned() });
        }
        let known = match entry {
            Some(entry) => insert(self.entries.entry(column.to_owned()).or_default(), entry, mode),
            None => insert(&mut self.columns, column, mode),
        };
        match known {
            Some(first) if first != mode => {
                Err(RedactionError::TwoModes { column: target.to_owned(), first, second: mode })
            }
            _ => Ok(()),
        }
    }
}

/// Sets a mode unless there is one; that one.
fn insert(modes: &mut BTreeMap<String, RedactMode>, name: &str, mode: RedactMode) -> Option<RedactMode> {
    let known = modes.get(name).copied();
    modes.entry(name.to_owned()).or_insert(mode);
    known
}

fn mode_of(target: &str, mode: &str) -> Result<RedactMode, RedactionError> {
    let modes = [RedactMode::Drop, RedactMode::Mask, RedactMode::Hash];
    modes
        .into_iter()
        .find(|known| known.name() == mode)
        .ok_or_else(|| RedactionError::UnknownMode { column: target.to_owned(), mode: mode.to_owned() })
}

fn is_redactable(column: &str) -> bool {
    column == "extra" || member_of(column).is_some()
}

/// Whether a column's values are text, each by itself. `extra` is text of many members.
fn is_text(column: &str, of: &DataType) -> bool {
    match of {
        DataType::Utf8 | DataType::Dictionary(..) => column != "extra",
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(members) => {
                matches!(members.last().map(|value| value.data_type()), Some(DataType::List(_)))
            }
            _ => false,
        },
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(specs: &[&str]) -> Result<Redaction, String> {
        let key = RedactKey::new(b"0123456789abcdef").unwrap();
        Redaction::new(specs.iter().copied(), Some(key)).map_err(|error| error.to_string())
    }

    #[test]
    fn columns_and_entries_are_taken_with_their_modes() {
        let specs = [
            "address",
            "user_id=hash",
            "attributes.a.b",
            "attributes=mask",
            "metrics.x",
            "extra",
            "user_attributes.k=v=hash",
        ];
        let modes: Vec<(String, String)> = asked(&specs).unwrap().modes().into_iter().collect();
        let expected = [
            ("address", "drop"),
            ("attributes", "mask"),
            ("attributes.a.b", "drop"),
            ("extra", "drop"),
            ("metrics.x", "drop"),
            ("user_attributes.k=v", "hash"),
            ("user_id", "hash"),
        ];
        assert_eq!(modes, expected.map(|(name, mode)| (name.to_owned(), mode.to_owned())));
        assert!(asked(&["city", "city=drop"]).is_ok() && asked(&[]).unwrap().is_empty());
    }

    #[test]
    fn every_column_but_those_of_provenance_can_be_dropped() {
        let names: Vec<String> = Redaction::column_names().collect();
        assert_eq!(names.len(), endpoint_schema().fields().len() - 2);
        for name in &names {
            assert!(asked(&[name]).is_ok(), "{name}");
        }
        for name in ["latitude", "creation_date", "metrics", "metrics.x", "extra"] {
            for mode in ["mask", "hash"] {
                let told = asked(&[&format!("{name}={mode}")]).unwrap_err();
                assert!(told.contains(name) && told.contains("dropped only"), "{told}");
            }
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for (specs, told) in [
            (&[""][..], "names no column"),
            (&["=hash"], "names no column"),
            (&["attributes."], "names no column"),
            (&["adress"], "no column `adress`"),
            (&["Address"], "no column `Address`"),
            (&["address=bogus"], "`bogus` is no way"),
            (&["address="], "`` is no way"),
            (&["piece"], "`piece` cannot be redacted"),
            (&["line=hash"], "`line` cannot be redacted"),
            (&["snapshot"], "`snapshot` cannot be redacted"),
            (&["address.x"], "`address` has no entries"),
            (&["address", "address=hash"], "two ways, drop and hash"),
            (&["attributes.x=mask", "attributes.x"], "`attributes.x` is to be redacted in two ways"),
            (&["attributes", "attributes.x=mask"], "no `attributes.x` to redact"),
        ] {
            let error = asked(specs).unwrap_err();
            assert!(error.contains(told), "{specs:?}: {error}");
        }
        let error = Redaction::new(["user_id=hash"], None).unwrap_err().to_string();
        assert!(error.contains("user_id") && error.contains("--redact-key-file"), "{error}");
    }

    #[test]
    fn what_is_asked_for_last_goes_over_what_was_asked_before() {
        let base = asked(&["address", "city=mask"]).unwrap();
        let modes = asked(&["address=hash"]).unwrap().over(base.clone()).unwrap().modes();
        assert_eq!((modes["address"].as_str(), modes["city"].as_str(), modes.len()), ("hash", "mask", 2));
        let dropped = asked(&["attributes"]).unwrap();
        assert!(asked(&["attributes.x"]).unwrap().over(dropped).is_err());
    }

    #[test]
    fn another_process_goes_on_unless_a_key_was_drawn() {
        let terms = |specs: &[&str], key: Option<&[u8]>| {
            let key = key.map(|key| RedactKey::new(key).unwrap());
            Redaction::new(specs.iter().copied(), key).unwrap().terms()
        };
        assert_eq!((terms(&["id"], None), terms(&["id=mask"], None)), (None, None));
        let hashed = terms(&["id=hash"], Some(&[7; 16])).unwrap();
        assert_ne!(terms(&["id=hash"], Some(&[8; 16])).unwrap(), hashed, "another key gives other values");
        assert_ne!(terms(&["address"], None), terms(&["address=mask"], None));
        assert!(terms(&["id"], Some(&[7; 16])).is_some() && terms(&[], None).is_some());
    }
}
