//! Records that no export should have and a reader meets all the same: what AWS's own documents and samples show.
//!
//! Each kind can still be read. What it must be read as is told beside it (see `Sink::odd`), by the rules of pinlake's
//! documentation: lossless conversions are made, and what has no column stands in [`super::Endpoint::extra`].

use super::draw::Draw;
use super::endpoint::Endpoint;
use super::profile::{EXPORTED, Kind};
use super::sink::Sink;

/// One way to be odd.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Odd {
    /// `"plan":"gold"`, `"vip":true`, `"visits":12`: scalars for lists.
    ScalarAttributes,
    /// `"note":null` and a null inside a list.
    NullAttributes,
    /// An object where a list is due, beside an attribute that fits.
    ObjectAttribute,
    /// `"UserAttributes":{"Gender":"Female","Age":39}`, as in AWS's `GetEndpoint` sample.
    ScalarUserAttributes,
    /// `"sessions":"6"`.
    TextMetric,
    /// A metric that is no number, beside one that is.
    WordMetric,
    /// A number for a postal code, text for a latitude.
    SwappedTypes,
    /// Members that no model has, at two depths.
    UnknownMembers,
    /// `null` for members that a column waits for, and for one that none does.
    NullMembers,
    /// A date with an offset and whole seconds.
    OffsetDate,
    /// Text that is no date.
    NoDate,
    /// Seconds since 1970 for a date.
    EpochDate,
    /// `CohortId`, as a number, and `RequestId`, which only `GetEndpoint` tells.
    FromGetEndpoint,
    /// The id of the endpoint before it.
    RepeatedId,
    /// `Id` and `ApplicationId` in front.
    OtherOrder,
}

impl Odd {
    /// Every way, each as likely as the others.
    const ALL: [Odd; 15] = [
        Odd::ScalarAttributes,
        Odd::NullAttributes,
        Odd::ObjectAttribute,
        Odd::ScalarUserAttributes,
        Odd::TextMetric,
        Odd::WordMetric,
        Odd::SwappedTypes,
        Odd::UnknownMembers,
        Odd::NullMembers,
        Odd::OffsetDate,
        Odd::NoDate,
        Odd::EpochDate,
        Odd::FromGetEndpoint,
        Odd::RepeatedId,
        Odd::OtherOrder,
    ];

    /// Decides whether and how a record is odd. Always takes two numbers from the stream, so that the share of odd
    /// records changes nothing in the others.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of a million, clamped"
    )]
    pub(super) fn draw(share: f64, kind: Kind, has_user: bool, draw: &mut Draw) -> Option<Self> {
        let threshold = (share.clamp(0.0, 1.0) * 1_000_000.0) as u64;
        let is_odd = draw.below(1_000_000) < threshold;
        let way = draw.pick(&Self::ALL);
        match (is_odd, kind) {
            (false, _) | (true, Kind::Ghost | Kind::Bare | Kind::Amplify) => None,
            _ if way == Odd::ScalarUserAttributes && !has_user => Some(Odd::ScalarAttributes),
            _ => Some(way),
        }
    }

    /// Tells `Location`; whether this oddity has one.
    pub(super) fn tell_location(self, sink: &mut impl Sink) -> bool {
        if !matches!(self, Odd::SwappedTypes | Odd::UnknownMembers) {
            return false;
        }
        sink.open("Location", |endpoint| {
            endpoint.location_mut();
        });
        if self == Odd::SwappedTypes {
            sink.odd(r#""Latitude":"34.4""#, |endpoint| endpoint.location_mut().latitude = Some(34.4));
            sink.odd(r#""PostalCode":93101"#, |endpoint| endpoint.location_mut().postal_code = text("93101"));
        } else {
            sink.odd(r#""Altitude":12"#, |_| {});
            sink.text("City", "Santa Barbara", |endpoint, city| endpoint.location_mut().city = Some(city));
        }
        sink.close();
        true
    }

    /// Tells `EffectiveDate`; whether this oddity has its own.
    pub(super) fn tell_effective_date(self, sink: &mut impl Sink) -> bool {
        match self {
            Odd::OffsetDate => sink.odd(r#""EffectiveDate":"2026-10-29T14:00:00+02:00""#, |endpoint| {
                endpoint.effective_date = chrono::DateTime::from_timestamp_millis(EXPORTED);
            }),
            Odd::NoDate => sink.odd(r#""EffectiveDate":"yesterday""#, |endpoint| {
                endpoint.extra = text(r#"{"EffectiveDate":"yesterday"}"#);
            }),
            Odd::EpochDate => sink.odd(r#""EffectiveDate":1739359213627"#, |endpoint| {
                endpoint.extra = text(r#"{"EffectiveDate":1739359213627}"#);
            }),
            _ => return false,
        }
        true
    }

    /// Tells `Attributes`; whether this oddity has its own.
    pub(super) fn tell_attributes(self, sink: &mut impl Sink) -> bool {
        let set = |endpoint: &mut Endpoint, name: &str, values: &[Option<&str>]| {
            let values = values.iter().map(|value| value.and_then(text)).collect();
            endpoint.attributes_mut().insert(name.to_owned(), values);
        };
        if !matches!(self, Odd::ScalarAttributes | Odd::NullAttributes | Odd::ObjectAttribute) {
            return false;
        }
        sink.open("Attributes", |endpoint| {
            endpoint.attributes_mut();
        });
        match self {
            Odd::ScalarAttributes => {
                sink.odd(r#""plan":"gold""#, |endpoint| set(endpoint, "plan", &[Some("gold")]));
                sink.odd(r#""vip":true"#, |endpoint| set(endpoint, "vip", &[Some("true")]));
                sink.odd(r#""visits":12"#, |endpoint| set(endpoint, "visits", &[Some("12")]));
            }
            Odd::NullAttributes => {
                sink.odd(r#""note":null"#, |endpoint| set(endpoint, "note", &[]));
                sink.odd(r#""interests":["music",null]"#, |endpoint| {
                    set(endpoint, "interests", &[Some("music"), None]);
                });
            }
            _ => {
                sink.odd(r#""plan":["gold"]"#, |endpoint| set(endpoint, "plan", &[Some("gold")]));
                sink.odd(r#""home":{"street":"Main St"}"#, |endpoint| {
                    endpoint.extra = text(r#"{"Attributes":{"home":{"street":"Main St"}}}"#);
                });
            }
        }
        sink.close();
        true
    }

    /// Tells `Metrics`; whether this oddity has its own.
    pub(super) fn tell_metrics(self, sink: &mut impl Sink) -> bool {
        let set = |endpoint: &mut Endpoint, name: &str, value: f64| {
            endpoint.metrics_mut().insert(name.to_owned(), value);
        };
        if !matches!(self, Odd::TextMetric | Odd::WordMetric) {
            return false;
        }
        sink.open("Metrics", |endpoint| {
            endpoint.metrics_mut();
        });
        if self == Odd::TextMetric {
            sink.odd(r#""sessions":"6""#, |endpoint| set(endpoint, "sessions", 6.0));
            sink.odd(r#""spend":1.5e2"#, |endpoint| set(endpoint, "spend", 150.0));
        } else {
            sink.odd(r#""sessions":"many""#, |endpoint| {
                endpoint.extra = text(r#"{"Metrics":{"sessions":"many"}}"#);
            });
            sink.odd(r#""spend":0.1"#, |endpoint| set(endpoint, "spend", 0.1));
        }
        sink.close();
        true
    }

    /// Tells `User.UserAttributes`; whether this oddity has its own.
    pub(super) fn tell_user_attributes(self, sink: &mut impl Sink) -> bool {
        if self != Odd::ScalarUserAttributes {
            return false;
        }
        let set = |endpoint: &mut Endpoint, name: &str, value: &str| {
            endpoint.user_attributes_mut().insert(name.to_owned(), vec![text(value)]);
        };
        sink.open("UserAttributes", |endpoint| {
            endpoint.user_attributes_mut();
        });
        sink.odd(r#""Gender":"Female""#, |endpoint| set(endpoint, "Gender", "Female"));
        sink.odd(r#""Age":39"#, |endpoint| set(endpoint, "Age", "39"));
        sink.close();
        true
    }

    /// Tells the members that stand behind all others.
    pub(super) fn tell_rest(self, sink: &mut impl Sink) {
        match self {
            Odd::UnknownMembers => sink.odd(r#""Zip":"93101""#, |endpoint| {
                endpoint.extra = text(r#"{"Location":{"Altitude":12},"Zip":"93101"}"#);
            }),
            Odd::NullMembers => sink.odd(r#""RequestId":null,"CohortId":null,"Nickname":null"#, |endpoint| {
                endpoint.extra = text(r#"{"Nickname":null}"#);
            }),
            Odd::FromGetEndpoint => {
                sink.odd(r#""CohortId":63"#, |endpoint| endpoint.cohort_id = text("63"));
                let request_id = "fc7f2ca4-6c6d-4f9d-8a5b-9b74b1e5f0aa";
                sink.text("RequestId", request_id, |endpoint, id| endpoint.request_id = Some(id));
            }
            _ => {}
        }
    }
}

/// A text member's value.
#[expect(clippy::unnecessary_wraps, reason = "a member's value is an Option everywhere it is used")]
fn text(value: &str) -> Option<String> {
    Some(value.to_owned())
}
