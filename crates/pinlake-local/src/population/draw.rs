//! The population's dice: a `SplitMix64` stream that any language can repeat in five lines.
//!
//! A stream belongs to (seed, stream, number) and to nothing else, so a record can be drawn alone, in any order and on
//! any thread. The generator is written out here, rather than taken from a crate, because its numbers are a contract:
//! a seed names the same bytes in every release.

/// `SplitMix64`'s increment, the golden ratio in 64 bits.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// What a stream of numbers decides. Streams of one seed are independent of each other.
#[derive(Debug, Clone, Copy)]
pub(super) enum Stream {
    /// One endpoint's own facts, numbered by its index.
    Endpoint = 1,
    /// One endpoint's identifier, numbered by its index.
    Identifier = 2,
    /// One user's facts, shared by all of that user's endpoints.
    Person = 3,
    /// One import batch's date.
    Batch = 4,
    /// Which seating a page of the population has.
    Page = 5,
    /// What one endpoint of a rich audience has beyond the usual, and its further attributes.
    Further = 6,
    /// In which order one endpoint's members stand, where that is left to chance.
    Order = 7,
}

/// A deterministic source of choices.
#[derive(Debug, Clone)]
pub(super) struct Draw {
    state: u64,
}

impl Draw {
    /// The numbers that belong to this seed, stream and number.
    pub(super) fn new(seed: u64, stream: Stream, number: u64) -> Self {
        let stream_number = (stream as u64) << 56;
        Draw { state: finish(seed ^ finish(number.wrapping_mul(GOLDEN) ^ stream_number)) }
    }

    /// The next 64 bits.
    pub(super) fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GOLDEN);
        finish(self.state)
    }

    /// A number in `0..bound`, or 0 where the bound is 0.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.bits()) * u128::from(bound)) >> 64) as u64
    }

    /// True this many times in a thousand.
    pub(super) fn chance(&mut self, per_mille: u64) -> bool {
        self.below(1_000) < per_mille
    }

    /// One of the choices, each as likely as the others.
    #[expect(clippy::cast_possible_truncation, reason = "the index is below a slice's length")]
    pub(super) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }
}

/// `SplitMix64`'s output function.
fn finish(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_is_splitmix64() {
        // The first outputs of the reference implementation for the state 1234567.
        let mut draw = Draw { state: 1_234_567 };
        assert_eq!(draw.bits(), 6_457_827_717_110_365_317);
        assert_eq!(draw.bits(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn bounds_hold_and_both_ends_occur() {
        let mut draw = Draw::new(7, Stream::Endpoint, 0);
        let mut seen = [0_u32; 5];
        for _ in 0..1_000 {
            seen[usize::try_from(draw.below(5)).unwrap_or(usize::MAX)] += 1;
        }
        assert!(seen.iter().all(|&count| count > 100), "{seen:?}");
        assert_eq!(draw.below(0), 0);
    }
}
