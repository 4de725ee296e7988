//! What an endpoint is: the decisions that shape its members, drawn before any of them is told.

use super::catalogue::{self, City, Country, Device};
use super::draw::{Draw, Stream};
use super::odd::Odd;
use super::options::PopulationOptions;
use super::seats::{self, Membership};
use super::sink::Millis;

/// When the export is taken: 2026-10-29T12:00:00Z, the last noon of Pinpoint. No date is later.
pub(super) const EXPORTED: Millis = 1_793_275_200_000;

/// The oldest creation date: 2019-03-01T00:00:00Z.
pub(super) const OLDEST: Millis = 1_551_398_400_000;

/// Milliseconds of a day.
pub(super) const DAY: u64 = 86_400_000;

/// Import jobs whose endpoints share their creation date.
const BATCHES: u64 = 24;

/// How an endpoint came into Pinpoint, which decides what its record has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Put by an application or a console.
    Ordinary,
    /// Registered by an import job: a 27-character id, often an alpha-3 country, a creation date shared by the batch.
    Imported,
    /// Minted by Amplify on a device: opted out until somebody says otherwise, with empty objects.
    Amplify,
    /// The bare records of 2019: an address, dates, an empty user, a number for an id.
    Bare,
    /// The push endpoints that nothing can delete: no address, no dates, no user.
    Ghost,
}

/// A person, the same for all endpoints of one user.
#[derive(Debug, Clone, Copy)]
pub(super) struct Person {
    /// Numbers the person in addresses and ids.
    pub(super) number: u64,
    pub(super) first_name: (&'static str, &'static str),
    pub(super) last_name: (&'static str, &'static str),
    pub(super) country: &'static Country,
    pub(super) city: City,
    pub(super) age: u64,
    pub(super) segment: &'static str,
    /// Decides the form of the user's id, below 1,000.
    pub(super) id_form: u64,
    /// The random part of the user's id.
    pub(super) id_bits: [u64; 2],
}

/// The decisions that shape one record.
#[derive(Debug, Clone, Copy)]
pub(super) struct Profile {
    pub(super) index: u64,
    pub(super) kind: Kind,
    pub(super) channel: &'static str,
    /// The user's number, or `None` for an endpoint without a user.
    pub(super) user: Option<u64>,
    pub(super) person: Person,
    pub(super) device: &'static Device,
    pub(super) created: Millis,
    pub(super) effective: Millis,
    pub(super) active: bool,
    pub(super) opted_out: bool,
    pub(super) odd: Option<Odd>,
}

impl Profile {
    /// Draws the profile of the endpoint with this index.
    pub(super) fn draw(options: &PopulationOptions, index: u64, draw: &mut Draw) -> Self {
        let seed = options.seed;
        let membership = seats::membership(seed, index);
        let person = Person::draw(seed, membership.user, index);
        let channel = channel(membership, draw);
        let kind = kind(membership, &person, channel, draw);
        let channel = match kind {
            Kind::Bare => "EMAIL",
            Kind::Ghost => "APNS",
            _ => channel,
        };
        let (created, effective) = dates(seed, kind, draw);
        let crowded = membership.ordinal > 3;
        let active = kind != Kind::Ghost && !draw.chance(if crowded { 300 } else { 55 });
        let opted_out = match kind {
            Kind::Ghost => true,
            Kind::Amplify => draw.chance(800),
            _ => draw.chance(70),
        };
        let device = if channel.starts_with("APNS") || (channel == "EMAIL" && draw.chance(450)) {
            pick(&catalogue::IOS_DEVICES, draw)
        } else {
            pick(&catalogue::ANDROID_DEVICES, draw)
        };
        let odd = Odd::draw(options.odd_share, kind, membership.user.is_some(), draw);
        Profile {
            index,
            kind,
            channel,
            user: membership.user,
            person,
            device,
            created,
            effective,
            active,
            opted_out,
            odd,
        }
    }

    /// Whether the channel is a push service, whose addresses are device tokens.
    pub(super) fn is_push(&self) -> bool {
        is_push(self.channel)
    }
}

impl Person {
    /// Draws a user, or the person behind an endpoint without one.
    pub(super) fn draw(seed: u64, user: Option<u64>, index: u64) -> Self {
        // People without a user are numbered apart from users, beyond any population's size.
        let number = user.unwrap_or(index | (1 << 48));
        let mut draw = Draw::new(seed, Stream::Person, number);
        // The product of two draws favours the head of the table.
        let countries = catalogue::COUNTRIES.len() as u64;
        let likely = draw.below(countries) * draw.below(countries) / countries;
        let country = &catalogue::COUNTRIES[usize::try_from(likely).unwrap_or(0)];
        Person {
            number: user.unwrap_or(index),
            first_name: draw.pick(&catalogue::FIRST_NAMES),
            last_name: draw.pick(&catalogue::LAST_NAMES),
            country,
            city: draw.pick(&country.cities),
            age: 18 + draw.below(64),
            segment: draw.pick(&catalogue::SEGMENTS),
            id_form: draw.below(1_000),
            id_bits: [draw.bits(), draw.bits()],
        }
    }

    /// Whether the user signed in through Cognito, so that Amplify makes their push endpoints.
    pub(super) fn has_cognito_identity(&self) -> bool {
        self.id_form < 120
    }
}

/// Whether a channel is a push service.
fn is_push(channel: &str) -> bool {
    matches!(channel, "GCM" | "ADM" | "BAIDU" | "PUSH") || channel.starts_with("APNS")
}

/// The channel: a user's first endpoint is likely an e-mail address, the second a phone, the rest are devices.
fn channel(membership: Membership, draw: &mut Draw) -> &'static str {
    let likely = match (membership.user, membership.ordinal) {
        (None, _) => {
            draw.pick(&["EMAIL", "EMAIL", "EMAIL", "SMS", "SMS", "GCM", "GCM", "APNS", "APNS", "other"])
        }
        (_, 0) => {
            draw.pick(&["EMAIL", "EMAIL", "EMAIL", "EMAIL", "EMAIL", "EMAIL", "SMS", "SMS", "GCM", "APNS"])
        }
        (_, 1) => draw.pick(&["SMS", "SMS", "SMS", "SMS", "SMS", "GCM", "APNS", "EMAIL", "EMAIL", "other"]),
        _ => draw.pick(&["GCM", "GCM", "GCM", "GCM", "APNS", "APNS", "APNS", "SMS", "EMAIL", "other"]),
    };
    if likely == "other" {
        draw.pick(&[
            "VOICE",
            "VOICE",
            "CUSTOM",
            "CUSTOM",
            "IN_APP",
            "ADM",
            "BAIDU",
            "APNS_SANDBOX",
            "APNS_VOIP",
            "APNS_VOIP_SANDBOX",
            "PUSH",
        ])
    } else {
        likely
    }
}

/// How the endpoint came into Pinpoint.
fn kind(membership: Membership, person: &Person, channel: &str, draw: &mut Draw) -> Kind {
    let decision = draw.below(1_000);
    match membership.user {
        None if decision < 80 => Kind::Ghost,
        None if decision < 180 => Kind::Bare,
        Some(_) if person.has_cognito_identity() && matches!(channel, "APNS" | "GCM") => Kind::Amplify,
        _ if decision < 520 && !is_push(channel) => Kind::Imported,
        _ => Kind::Ordinary,
    }
}

/// Creation and effective date: `OLDEST <= created <= effective <= EXPORTED`.
fn dates(seed: u64, kind: Kind, draw: &mut Draw) -> (Millis, Millis) {
    let span = (EXPORTED - OLDEST).unsigned_abs();
    let age = match kind {
        // The whole batch has one moment.
        Kind::Bare => span - Draw::new(seed, Stream::Batch, BATCHES).below(400 * DAY),
        Kind::Imported => Draw::new(seed, Stream::Batch, draw.below(BATCHES)).below(span),
        // The product of two draws makes recent days likelier: audiences grow.
        _ => draw.below(span) / 1_000 * draw.below(1_000),
    };
    let created = EXPORTED - signed(age.min(span));
    let effective = match kind {
        Kind::Bare => created,
        _ if draw.chance(400) => created + signed(draw.below(4)),
        _ => {
            // Each recency from a day to five years is as likely as the next one.
            let reach = DAY << draw.below(12);
            EXPORTED - signed(draw.below(reach))
        }
    };
    (created, effective.clamp(created, EXPORTED))
}

/// Milliseconds as the difference of two dates.
fn signed(millis: u64) -> Millis {
    i64::try_from(millis).unwrap_or(0)
}

/// One row of a table.
fn pick<T>(table: &'static [T], draw: &mut Draw) -> &'static T {
    let row = draw.below(table.len() as u64);
    &table[usize::try_from(row).unwrap_or(0)]
}
