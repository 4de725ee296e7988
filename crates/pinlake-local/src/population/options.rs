//! Which audience to make.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// The application id of a population that was given none: 32 hex digits.
pub const DEFAULT_APPLICATION_ID: &str = "9b74c9897bac770ffc029102a200c5de";

/// Which audience to make.
#[derive(Debug, Clone, PartialEq)]
pub struct PopulationOptions {
    /// Names the audience: the same seed, the same endpoints.
    pub seed: u64,
    /// `ApplicationId` of every endpoint.
    pub application_id: String,
    /// How many endpoints there are. A larger audience begins with the same endpoints as a smaller one.
    pub endpoints: u64,
    /// Share of records, from 0 to 1, with values that no export should have but a reader must convert or keep:
    /// scalars for lists, text for numbers, unknown members, nulls, dates in other forms. Ghosts and other bare
    /// records are left as they are, so the share of all records comes out a little lower.
    pub odd_share: f64,
    /// How much is in a record.
    pub records: RecordSize,
    /// How many attributes each endpoint has beyond the others, of names that no audience has without them. Bare
    /// records, and odd ones with odd attributes, are left as they are.
    pub further_attributes: u32,
    /// Whether each record has its members, at every depth, in an order of its own instead of the one of real exports.
    /// Records with several unknown members keep their order, for a reader may keep those as they came.
    pub shuffle_members: bool,
}

impl Default for PopulationOptions {
    fn default() -> Self {
        PopulationOptions {
            seed: 20_261_030,
            application_id: DEFAULT_APPLICATION_ID.to_owned(),
            endpoints: 100_000,
            odd_share: 0.0,
            records: RecordSize::Usual,
            further_attributes: 0,
            shuffle_members: false,
        }
    }
}

/// How much is in a record. Ghosts and bare records are as they are in any audience.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RecordSize {
    /// Address, status, dates, ids: some 340 bytes.
    Sparse,
    /// What real audiences have: some 700 bytes.
    #[default]
    Usual,
    /// Every member, and many attributes and metrics: some 1,600 bytes.
    Rich,
}

impl RecordSize {
    /// All sizes, in the order of their names in help texts.
    pub const ALL: [Self; 3] = [Self::Sparse, Self::Usual, Self::Rich];
}

impl fmt::Display for RecordSize {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Sparse => "sparse",
            Self::Usual => "usual",
            Self::Rich => "rich",
        })
    }
}

/// The name is none of `sparse`, `usual`, `rich`.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is no size of records: it is one of sparse, usual, rich")]
pub struct UnknownRecordSize(String);

impl FromStr for RecordSize {
    type Err = UnknownRecordSize;

    fn from_str(name: &str) -> Result<Self, UnknownRecordSize> {
        let found = Self::ALL.into_iter().find(|size| size.to_string() == name);
        found.ok_or_else(|| UnknownRecordSize(name.to_owned()))
    }
}
