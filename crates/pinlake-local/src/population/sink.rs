//! One description of a record, two readings of it.
//!
//! `record::describe` tells a [`Sink`] the members of an endpoint in the order of an export. The line sink writes them
//! as JSON, the endpoint sink files them in an [`Endpoint`]: what a decoder must find in the line. Each call carries
//! both, the JSON and where the value belongs, so the two cannot drift apart.

use chrono::{DateTime, Utc};

use super::endpoint::Endpoint;

/// A number with at most two decimals: exact in JSON and as a double.
#[derive(Debug, Clone, Copy)]
pub(super) struct Decimal {
    /// The number times 100.
    pub(super) hundredths: i64,
    /// Whether a whole number is written `6`, as in AWS's HTTP sample, rather than `6.0`, as its CLI prints it.
    pub(super) bare: bool,
}

impl Decimal {
    /// The double nearest to the number, which is what its text parses to.
    pub(super) fn value(self) -> f64 {
        self.hundredths as f64 / 100.0
    }
}

/// A moment in milliseconds since 1970, UTC.
pub(super) type Millis = i64;

/// What a record is told to.
pub(super) trait Sink {
    /// Begins an object member. `into` makes it present.
    fn open(&mut self, member: &str, into: impl FnOnce(&mut Endpoint));

    /// Ends the object begun last.
    fn close(&mut self);

    /// A text member.
    fn text(&mut self, member: &str, value: &str, into: impl FnOnce(&mut Endpoint, String));

    /// A text member put together by `compose`, which writes only UTF-8 that JSON leaves as it is.
    fn composed(
        &mut self,
        member: &str,
        compose: impl FnOnce(&mut Vec<u8>),
        into: impl FnOnce(&mut Endpoint, String),
    );

    /// A number member.
    fn number(&mut self, member: &str, value: Decimal, into: impl FnOnce(&mut Endpoint, f64));

    /// A date member, written `YYYY-MM-DDTHH:MM:SS.mmmZ`.
    fn date(&mut self, member: &str, value: Millis, into: impl FnOnce(&mut Endpoint, DateTime<Utc>));

    /// A list of texts.
    fn list(
        &mut self,
        name: &str,
        values: &[&str],
        into: impl FnOnce(&mut Endpoint, String, Vec<Option<String>>),
    );

    /// A list of one text put together as in [`Sink::composed`].
    fn composed_list(
        &mut self,
        name: &str,
        compose: impl FnOnce(&mut Vec<u8>),
        into: impl FnOnce(&mut Endpoint, String, Vec<Option<String>>),
    );

    /// A member in another form than an export's, given as it stands in the line, and what it must be read as.
    fn odd(&mut self, member_json: &str, into: impl FnOnce(&mut Endpoint));
}
