//! Plans of faults by a seed: which requests are struck, how often and where in their bodies.
//!
//! A seed and a kind name the same plan in every run. A fault that is to pass strikes at most [`STRIKES`] requests, so that a
//! client that tries for some seconds gets through; one that is to last strikes for ever from some request on.

use super::{Fault, FaultRule, HALF_PER_MILLE};

/// How many requests a passing fault strikes at most.
const STRIKES: u64 = 3;

/// How many matching requests pass before the first is struck, at most.
const LEAD: u64 = 3;

/// Everything that goes wrong between a client and S3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultKind {
    /// 429, some times.
    TooManyRequests,
    /// 500, some times.
    InternalError,
    /// 503 `SlowDown`, some times.
    SlowDown,
    /// No answer and a reset connection, some times.
    Dropped,
    /// A reset in the middle of a body, some times.
    ResetMidBody,
    /// A body that ends early, some times.
    ShortBody,
    /// A `Content-Length` that is not the object's, some times.
    WrongLength,
    /// One byte a second, some times.
    Drip,
    /// No answer, some times.
    StalledHeader,
    /// No further byte, some times.
    StalledBody,
    /// A flipped bit, some times.
    FlippedBit,
    /// 200 with an error's XML, some times.
    ErrorPage,
    /// 400 `ExpiredToken`, once.
    ExpiredOnce,
    /// A key that a page of the listing tells twice.
    RepeatedKey,
    /// 400 `ExpiredToken`, from some request on.
    Expired,
    /// 403 `AccessDenied`, from some request on.
    Denied,
    /// 301 `PermanentRedirect`, from some request on: the bucket is elsewhere.
    WrongRegion,
    /// An object whose `ETag` is another when it is read.
    ChangedETag,
    /// An object that is deleted between listing and reading.
    Deleted,
    /// A listing that gives the same continuation token each time.
    RepeatedToken,
    /// A page of the listing that counts a key and does not tell it.
    LostKey,
    /// A flipped bit in every answer for one object.
    DamagedObject,
}

impl FaultKind {
    /// All kinds.
    pub const ALL: [Self; 22] = [
        Self::TooManyRequests,
        Self::InternalError,
        Self::SlowDown,
        Self::Dropped,
        Self::ResetMidBody,
        Self::ShortBody,
        Self::WrongLength,
        Self::Drip,
        Self::StalledHeader,
        Self::StalledBody,
        Self::FlippedBit,
        Self::ErrorPage,
        Self::ExpiredOnce,
        Self::RepeatedKey,
        Self::Expired,
        Self::Denied,
        Self::WrongRegion,
        Self::ChangedETag,
        Self::Deleted,
        Self::RepeatedToken,
        Self::LostKey,
        Self::DamagedObject,
    ];

    /// Whether a client that tries again for some seconds gets everything, as it was.
    #[must_use]
    pub fn is_passing(self) -> bool {
        self <= Self::RepeatedKey
    }

    fn fault(self) -> Fault {
        match self {
            Self::TooManyRequests => Fault::status(429, "TooManyRequests"),
            Self::InternalError => Fault::status(500, "InternalError"),
            Self::SlowDown => Fault::status(503, "SlowDown"),
            Self::Dropped => Fault::Dropped,
            Self::ResetMidBody => Fault::ResetMidBody,
            Self::ShortBody => Fault::ShortBody,
            Self::WrongLength => Fault::TruncatedBody,
            Self::Drip => Fault::Drip,
            Self::StalledHeader => Fault::StalledHeader,
            Self::StalledBody => Fault::StalledBody,
            Self::FlippedBit | Self::DamagedObject => Fault::FlipBit,
            Self::ErrorPage => Fault::ErrorPage,
            Self::ExpiredOnce | Self::Expired => Fault::status(400, "ExpiredToken"),
            Self::RepeatedKey => Fault::RepeatedKey,
            Self::Denied => Fault::status(403, "AccessDenied"),
            Self::WrongRegion => Fault::status(301, "PermanentRedirect"),
            Self::ChangedETag => Fault::StaleETag,
            Self::Deleted => Fault::Deleted,
            Self::RepeatedToken => Fault::RepeatedToken,
            Self::LostKey => Fault::LostKey,
        }
    }

    /// The operations that it can strike; a flipped bit in a listing is beyond what a client of S3 can notice.
    fn operations(self) -> &'static [&'static str] {
        match self {
            Self::RepeatedToken | Self::LostKey | Self::RepeatedKey => &["ListObjectsV2"],
            Self::FlippedBit | Self::DamagedObject | Self::ChangedETag | Self::Deleted => &["GetObject"],
            _ => &["GetObject", "GetObject", "GetObject", "ListObjectsV2"],
        }
    }
}

/// `SplitMix64`, written out so that a seed names the same plan in every release.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (bits ^ (bits >> 31)) % bound.max(1)
    }
}

impl FaultRule {
    /// A rule for faults of this kind against the reading of `keys`, chosen by the seed.
    #[must_use]
    pub fn seeded(seed: u64, kind: FaultKind, keys: &[&str]) -> Self {
        let mut dice = Dice(seed ^ ((kind as u64) << 48));
        let operations = kind.operations();
        let operation = operations[usize::try_from(dice.below(operations.len() as u64)).unwrap_or(0)];
        let mut rule = FaultRule::s3(operation, kind.fault());
        let body_per_mille = u16::try_from(dice.below(1_000)).unwrap_or(HALF_PER_MILLE);
        rule = rule.behind(body_per_mille);
        let at = usize::try_from(dice.below(keys.len() as u64)).unwrap_or(0);
        let on_one_key = dice.below(2) == 0 || matches!(kind, FaultKind::DamagedObject);
        let (times, after) = (1 + dice.below(STRIKES), dice.below(LEAD.min(keys.len() as u64)));
        if operation == "GetObject" {
            rule = if on_one_key {
                rule.on_path(keys.get(at).copied().unwrap_or_default())
            } else {
                rule.after(after)
            };
        }
        let is_once = matches!(kind, FaultKind::ExpiredOnce | FaultKind::Deleted | FaultKind::ChangedETag);
        match kind {
            _ if is_once => rule,
            // One object may be read three times for a wrong MD5, and then it counts as damaged.
            FaultKind::FlippedBit => rule.times(times.min(2)),
            _ if kind.is_passing() => rule.times(times),
            _ => rule.always(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(seed: u64, kind: FaultKind) -> FaultRule {
        FaultRule::seeded(seed, kind, &["a", "b", "c"])
    }

    #[test]
    fn a_seed_names_one_plan_and_seeds_differ() {
        for kind in FaultKind::ALL {
            assert_eq!(plan(7, kind), plan(7, kind));
            assert!((0..20).any(|seed| plan(seed, kind) != plan(20, kind)), "{kind:?}");
        }
    }

    #[test]
    fn what_is_to_pass_strikes_a_few_requests_and_the_rest_goes_on() {
        for kind in FaultKind::ALL {
            for seed in 0..50 {
                let rule = plan(seed, kind);
                assert!(rule.after < LEAD && rule.body_per_mille < 1_000, "{rule:?}");
                assert!(!kind.is_passing() || rule.times <= STRIKES, "{rule:?}");
            }
        }
    }
}
