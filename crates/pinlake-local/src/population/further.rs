//! What an endpoint has beyond the usual: the members of a rich record, and attributes of names that no usual audience has.
//!
//! All of it is drawn from a stream of its own, so asking for it changes nothing else of a record.

use super::catalogue;
use super::draw::{Draw, Stream};
use super::options::PopulationOptions;
use super::record::{set_attribute, set_user_attribute};
use super::sink::{Decimal, Sink};

/// The numbers that decide it.
pub(super) struct Further {
    draw: Draw,
}

impl Further {
    /// For the endpoint with this index.
    pub(super) fn new(options: &PopulationOptions, index: u64) -> Self {
        Further { draw: Draw::new(options.seed, Stream::Further, index) }
    }

    /// The attributes of a rich record: one to three values each.
    pub(super) fn tell_rich_attributes(&mut self, sink: &mut impl Sink) {
        for name in catalogue::RICH_ATTRIBUTES {
            let values = [(); 3].map(|()| self.draw.pick(&catalogue::RICH_VALUES));
            let count = if self.draw.chance(200) { 3 } else { 1 };
            sink.list(name, &values[..count], set_attribute);
        }
    }

    /// The metrics of a rich record.
    pub(super) fn tell_rich_metrics(&mut self, sink: &mut impl Sink) {
        for name in catalogue::RICH_METRICS {
            let hundredths = i64::try_from(self.draw.below(100_000)).unwrap_or(0);
            sink.number(name, Decimal { hundredths, bare: false }, |endpoint, value| {
                endpoint.metrics_mut().insert(name.to_owned(), value);
            });
        }
    }

    /// The user attributes of a rich record. They are the endpoint's own: Pinpoint keeps a user's attributes once, but
    /// the last endpoint that was updated may know more than the one before.
    pub(super) fn tell_rich_user_attributes(&mut self, sink: &mut impl Sink) {
        for name in catalogue::RICH_USER_ATTRIBUTES {
            sink.list(name, &[self.draw.pick(&catalogue::RICH_VALUES)], set_user_attribute);
        }
    }

    /// This many attributes `custom0001`, `custom0002` …: every other one a word of few, the rest numbers.
    pub(super) fn tell_attributes(&mut self, count: u32, sink: &mut impl Sink) {
        for number in 1..=count {
            let name = format!("custom{number:04}");
            if number.is_multiple_of(2) {
                sink.list(&name, &[self.draw.pick(&catalogue::INTERESTS)], set_attribute);
            } else {
                let value = self.draw.below(100_000).to_string();
                sink.list(&name, &[&value], set_attribute);
            }
        }
    }
}
