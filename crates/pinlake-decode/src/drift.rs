//! Drift: where lines departed from the form of an export, counted by member.
//!
//! Nothing that drifts is lost: it was converted losslessly, or it stands in `extra`. Drift tells an operator that it
//! happened, how often, and where to look first. The number of distinct members is bounded, since a hostile export
//! could invent a new one on each line.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// At most this many distinct (member, kind) pairs are named; the rest is counted in [`Drift::unnamed`].
pub const MAX_NAMED: usize = 1_000;

/// Of a longer name, so many bytes are kept: names come from the data, and may be as long as a line.
pub const MAX_NAME_BYTES: usize = 200;

/// How a value departed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DriftKind {
    /// The member has no column; its value went to `extra`.
    Unknown,
    /// The value had another type and was converted without loss.
    Converted,
    /// The value does not fit its column's type; it went to `extra`.
    Unfit,
}

impl DriftKind {
    /// The kind as `run.json` names it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Converted => "converted",
            Self::Unfit => "unfit",
        }
    }
}

/// How often one member drifted in one way, and where first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DriftEntry {
    /// Number of values.
    pub count: u64,
    /// Index of the piece of the first one, as its caller numbers pieces.
    pub first_piece: usize,
    /// Line of the first one.
    pub first_line: u64,
}

/// The drift of some lines, mergeable in any order with the same outcome while no more than [`MAX_NAMED`] are met.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Drift {
    entries: BTreeMap<(String, DriftKind), DriftEntry>,
    /// Drifted values whose member is not among the named ones.
    pub unnamed: u64,
}

impl Drift {
    /// Counts one value of `member`, a dotted path such as `Location.Altitude`.
    pub(crate) fn count(&mut self, member: String, kind: DriftKind, piece: usize, line: u64) {
        self.add(shortened(member), kind, DriftEntry { count: 1, first_piece: piece, first_line: line });
    }

    /// Adds what is known of one member.
    pub fn add(&mut self, member: String, kind: DriftKind, entry: DriftEntry) {
        let full = self.entries.len() >= MAX_NAMED;
        match self.entries.entry((member, kind)) {
            std::collections::btree_map::Entry::Occupied(mut known) => {
                let known = known.get_mut();
                known.count += entry.count;
                if (entry.first_piece, entry.first_line) < (known.first_piece, known.first_line) {
                    known.first_piece = entry.first_piece;
                    known.first_line = entry.first_line;
                }
            }
            std::collections::btree_map::Entry::Vacant(_) if full => self.unnamed += entry.count,
            std::collections::btree_map::Entry::Vacant(place) => {
                place.insert(entry);
            }
        }
    }

    /// Adds the drift of other lines.
    pub fn merge(&mut self, other: Self) {
        for ((member, kind), entry) in other.entries {
            self.add(member, kind, entry);
        }
        self.unnamed += other.unnamed;
    }

    /// The same with members under other names, as `name` gives them; what has one name then is counted together.
    #[must_use]
    pub fn renamed(self, name: impl Fn(String) -> String) -> Self {
        let mut renamed = Self { unnamed: self.unnamed, ..Self::default() };
        for ((member, kind), entry) in self.entries {
            renamed.add(name(member), kind, entry);
        }
        renamed
    }

    /// Whether every line had the form of an export.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.unnamed == 0
    }

    /// What drifted, in the order of member and kind.
    pub fn entries(&self) -> impl Iterator<Item = (&str, DriftKind, &DriftEntry)> {
        self.entries.iter().map(|((member, kind), entry)| (member.as_str(), *kind, entry))
    }
}

/// A name that is not too long, with its length in place of what is left out.
fn shortened(mut name: String) -> String {
    let bytes = name.len();
    if bytes > MAX_NAME_BYTES {
        name.truncate(name.floor_char_boundary(MAX_NAME_BYTES));
        // Writing to a text cannot fail.
        let _ = write!(name, "… ({bytes} bytes)");
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_too_long_is_cut_and_its_length_told() {
        let mut drift = Drift::default();
        drift.count("ä".repeat(500_000), DriftKind::Unknown, 0, 1);
        let (name, ..) = drift.entries().next().unwrap();
        assert_eq!(name, format!("{}… (1000000 bytes)", "ä".repeat(100)));
    }

    #[test]
    fn merging_keeps_the_first_place_whatever_the_order() {
        let mut early = Drift::default();
        early.count("Zip".into(), DriftKind::Unknown, 0, 7);
        let mut late = Drift::default();
        late.count("Zip".into(), DriftKind::Unknown, 1, 2);
        let mut one = early.clone();
        one.merge(late.clone());
        late.merge(early);
        assert_eq!(one, late);
        assert_eq!(
            one.entries().next(),
            Some(("Zip", DriftKind::Unknown, &DriftEntry { count: 2, first_piece: 0, first_line: 7 }))
        );
    }

    #[test]
    fn members_of_one_new_name_are_counted_together() {
        let mut drift = Drift::default();
        drift.count("a.x".into(), DriftKind::Unfit, 1, 7);
        drift.count("a.y".into(), DriftKind::Unfit, 0, 9);
        let renamed = drift.renamed(|_| "a.*".to_owned());
        let entry = DriftEntry { count: 2, first_piece: 0, first_line: 9 };
        assert_eq!(renamed.entries().collect::<Vec<_>>(), [("a.*", DriftKind::Unfit, &entry)]);
    }

    #[test]
    fn the_number_of_names_is_bounded() {
        let mut drift = Drift::default();
        for number in 0..MAX_NAMED + 5 {
            drift.count(format!("m{number}"), DriftKind::Unknown, 0, 1);
        }
        assert_eq!(drift.entries().count(), MAX_NAMED);
        assert_eq!(drift.unnamed, 5);
    }
}
