//! Tells an endpoint's members, in the order of real exports: `ChannelType`, `Address`, `EndpointStatus`, `OptOut`,
//! `Location`, `Demographic`, `EffectiveDate`, `Attributes`, `Metrics`, `User`, `ApplicationId`, `Id`, `CreationDate`.
//!
//! What an endpoint does not have is not told, and a sparse record has little (`further` tells what a rich one has more). `CohortId` and `RequestId` are never told: no real export has them.

mod attributes;

use super::address;
use super::catalogue::{self, Country};
use super::digits;
use super::draw::{Draw, Stream};
use super::endpoint::Endpoint;
use super::further::Further;
use super::identifier;
use super::odd::Odd;
use super::options::{PopulationOptions, RecordSize};
use super::profile::{Kind, Profile};
use super::sink::{Decimal, Sink};

/// Tells the endpoint with this index. Whether it is the same endpoint in any order of its members: what goes to `extra`
/// is kept in the order in which it came.
pub(super) fn describe(options: &PopulationOptions, index: u64, sink: &mut impl Sink) -> bool {
    let mut draw = Draw::new(options.seed, Stream::Endpoint, index);
    let profile = Profile::draw(options, index, &mut draw);
    let further = Further::new(options, index);
    let mut record = Record { options, profile, draw, further };
    let ids_first = profile.odd == Some(Odd::OtherOrder);
    if ids_first {
        record.tell_ids(sink);
    }
    sink.text("ChannelType", profile.channel, |endpoint, channel| endpoint.channel_type = Some(channel));
    record.tell_address(sink);
    let status = if profile.active { "ACTIVE" } else { "INACTIVE" };
    sink.text("EndpointStatus", status, |endpoint, status| endpoint.endpoint_status = Some(status));
    let opt_out = if profile.opted_out { "ALL" } else { "NONE" };
    sink.text("OptOut", opt_out, |endpoint, opt_out| endpoint.opt_out = Some(opt_out));
    if profile.kind != Kind::Ghost {
        record.tell_traits(sink);
    }
    if !ids_first {
        record.tell_ids(sink);
    }
    if profile.kind != Kind::Ghost {
        sink.date("CreationDate", profile.created, |endpoint, date| endpoint.creation_date = Some(date));
    }
    if let Some(odd) = profile.odd {
        odd.tell_rest(sink);
    }
    profile.odd != Some(Odd::UnknownMembers)
}

/// A record in the telling. The order of draws is the order of members: each choice takes its numbers when its turn
/// comes, so both sinks see the same record.
struct Record<'options> {
    options: &'options PopulationOptions,
    profile: Profile,
    draw: Draw,
    further: Further,
}

impl Record<'_> {
    fn is_sparse(&self) -> bool {
        self.options.records == RecordSize::Sparse
    }

    fn is_rich(&self) -> bool {
        self.options.records == RecordSize::Rich
    }

    /// `Address`, where the endpoint has one.
    fn tell_address(&mut self, sink: &mut impl Sink) {
        let absent = match self.profile.kind {
            Kind::Ghost => true,
            Kind::Bare => false,
            _ => self.profile.channel == "IN_APP" || self.draw.chance(4),
        };
        if !absent {
            let (profile, draw) = (&self.profile, &mut self.draw);
            sink.composed(
                "Address",
                |text| address::compose(profile, draw, text),
                |endpoint, address| endpoint.address = Some(address),
            );
        }
    }

    /// The members between `OptOut` and the ids.
    fn tell_traits(&mut self, sink: &mut impl Sink) {
        let odd = self.profile.odd;
        if !odd.is_some_and(|odd| odd.tell_location(sink)) {
            self.tell_location(sink);
        }
        self.tell_demographic(sink);
        if !odd.is_some_and(|odd| odd.tell_effective_date(sink)) {
            let effective = self.profile.effective;
            sink.date("EffectiveDate", effective, |endpoint, date| endpoint.effective_date = Some(date));
        }
        if !odd.is_some_and(|odd| odd.tell_attributes(sink)) {
            self.tell_attributes(sink);
        }
        if !odd.is_some_and(|odd| odd.tell_metrics(sink)) {
            self.tell_metrics(sink);
        }
        self.tell_user(sink);
    }

    /// `Location`: nothing, an empty object (Amplify), a country alone, or a place.
    fn tell_location(&mut self, sink: &mut impl Sink) {
        let detail = match self.profile.kind {
            Kind::Bare => return,
            _ if self.is_sparse() => return,
            _ if self.is_rich() => 6,
            Kind::Amplify => 0,
            _ if self.draw.chance(110) => return,
            _ => 1 + self.draw.below(6),
        };
        sink.open("Location", |endpoint| {
            endpoint.location_mut();
        });
        if detail > 0 {
            self.tell_place(detail, sink);
        }
        sink.close();
    }

    /// The members of `Location`: 1 is a country alone, from 4 on there is a position.
    fn tell_place(&mut self, detail: u64, sink: &mut impl Sink) {
        let person = self.profile.person;
        let city = person.city;
        if detail > 1 {
            sink.text("City", city.name, |endpoint, name| endpoint.location_mut().city = Some(name));
        }
        let country = if self.profile.kind == Kind::Imported && self.draw.chance(600) {
            person.country.alpha3
        } else {
            person.country.alpha2
        };
        sink.text("Country", country, |endpoint, code| endpoint.location_mut().country = Some(code));
        if detail > 3 {
            let degrees = |tenths: i64| Decimal { hundredths: tenths * 10, bare: false };
            sink.number("Latitude", degrees(city.latitude_tenths), |endpoint, degrees| {
                endpoint.location_mut().latitude = Some(degrees);
            });
            sink.number("Longitude", degrees(city.longitude_tenths), |endpoint, degrees| {
                endpoint.location_mut().longitude = Some(degrees);
            });
        }
        if detail > 2 {
            let draw = &mut self.draw;
            sink.composed(
                "PostalCode",
                |text| address::fill_digits(city.postal_code, draw, text),
                |endpoint, code| endpoint.location_mut().postal_code = Some(code),
            );
            sink.text("Region", city.region, |endpoint, region| {
                endpoint.location_mut().region = Some(region);
            });
        }
    }

    /// `Demographic`: a device on push channels, sometimes a make and a platform elsewhere.
    fn tell_demographic(&mut self, sink: &mut impl Sink) {
        if self.is_sparse() || self.profile.kind == Kind::Bare {
            return;
        }
        let on_device = self.is_rich() || self.profile.is_push() || self.profile.channel == "IN_APP";
        if !on_device && self.draw.chance(420) {
            return;
        }
        let device = self.profile.device;
        let country = self.profile.person.country;
        sink.open("Demographic", |endpoint| {
            endpoint.demographic_mut();
        });
        if on_device {
            self.tell_app_version(sink);
        }
        sink.text("Locale", country.locale, |endpoint, locale| {
            endpoint.demographic_mut().locale = Some(locale);
        });
        sink.text("Make", device.make, |endpoint, make| endpoint.demographic_mut().make = Some(make));
        if on_device {
            sink.text("Model", device.model, |endpoint, model| {
                endpoint.demographic_mut().model = Some(model);
            });
            sink.text("ModelVersion", device.model_version, |endpoint, version| {
                endpoint.demographic_mut().model_version = Some(version);
            });
        }
        sink.text("Platform", device.platform, |endpoint, platform| {
            endpoint.demographic_mut().platform = Some(platform);
        });
        if on_device {
            let version = self.draw.pick(&device.platform_versions);
            sink.text("PlatformVersion", version, |endpoint, version| {
                endpoint.demographic_mut().platform_version = Some(version);
            });
        }
        self.tell_timezone(country, sink);
        sink.close();
    }

    /// `Demographic.AppVersion`; Amplify's form is `ios/12.1`.
    fn tell_app_version(&mut self, sink: &mut impl Sink) {
        let platform = (self.profile.kind == Kind::Amplify).then_some(self.profile.device.platform);
        let version = self.draw.pick(&catalogue::APP_VERSIONS);
        sink.composed(
            "AppVersion",
            |text| {
                if let Some(platform) = platform {
                    text.extend_from_slice(platform.as_bytes());
                    text.push(b'/');
                }
                text.extend_from_slice(version.as_bytes());
            },
            |endpoint, version| endpoint.demographic_mut().app_version = Some(version),
        );
    }

    /// `Demographic.Timezone`, one in a hundred of them a name that is in no database.
    fn tell_timezone(&mut self, country: &Country, sink: &mut impl Sink) {
        let timezone =
            if self.draw.chance(10) { self.draw.pick(&catalogue::ODD_TIMEZONES) } else { country.timezone };
        sink.text("Timezone", timezone, |endpoint, name| endpoint.demographic_mut().timezone = Some(name));
    }

    /// `Metrics`: sessions and money spent, refunds included; empty where Amplify made it.
    fn tell_metrics(&mut self, sink: &mut impl Sink) {
        let absent = match self.profile.kind {
            Kind::Bare => true,
            _ if self.is_sparse() => true,
            _ if self.is_rich() => false,
            Kind::Amplify => false,
            _ => self.draw.chance(130),
        };
        if absent {
            return;
        }
        sink.open("Metrics", |endpoint| {
            endpoint.metrics_mut();
        });
        if self.profile.kind != Kind::Amplify {
            let bare = self.draw.chance(120);
            let sessions = i64::try_from(self.draw.below(30) * self.draw.below(30)).unwrap_or(0);
            sink.number("sessions", Decimal { hundredths: sessions * 100, bare }, |endpoint, value| {
                endpoint.metrics_mut().insert("sessions".to_owned(), value);
            });
            let cents = i64::try_from(self.draw.below(700) * self.draw.below(70)).unwrap_or(0);
            let refund = self.draw.chance(10);
            let hundredths = if refund { -cents } else { cents };
            sink.number("spend", Decimal { hundredths, bare }, |endpoint, value| {
                endpoint.metrics_mut().insert("spend".to_owned(), value);
            });
        }
        if self.is_rich() {
            self.further.tell_rich_metrics(sink);
        }
        sink.close();
    }

    /// `User`: absent or empty for an endpoint without a user.
    fn tell_user(&mut self, sink: &mut impl Sink) {
        let Some(user) = self.profile.user else {
            if self.profile.kind == Kind::Bare || self.draw.chance(40) {
                sink.open("User", |endpoint| {
                    endpoint.user_mut();
                });
                sink.close();
            }
            return;
        };
        sink.open("User", |endpoint| {
            endpoint.user_mut();
        });
        let person = self.profile.person;
        sink.composed(
            "UserId",
            |text| identifier::push_user_id(user, &person, text),
            |endpoint, id| endpoint.user_mut().user_id = Some(id),
        );
        let is_told = self.profile.odd.is_some_and(|odd| odd.tell_user_attributes(sink));
        if !is_told && !self.is_sparse() && (self.is_rich() || !self.draw.chance(120)) {
            self.tell_user_attributes(sink);
        }
        sink.close();
    }

    /// `User.UserAttributes`: the same on all of a user's endpoints, but for a few that were never brought up to date.
    fn tell_user_attributes(&mut self, sink: &mut impl Sink) {
        let person = self.profile.person;
        let age = if self.draw.chance(15) { person.age - 1 } else { person.age };
        sink.open("UserAttributes", |endpoint| {
            endpoint.user_attributes_mut();
        });
        sink.composed_list("Age", |text| digits::push_number(text, age), set_user_attribute);
        sink.list("FirstName", &[person.first_name.0], set_user_attribute);
        sink.list("LastName", &[person.last_name.0], set_user_attribute);
        sink.list("Segment", &[person.segment], set_user_attribute);
        if self.is_rich() {
            self.further.tell_rich_user_attributes(sink);
        }
        sink.close();
    }

    /// `ApplicationId` and `Id`.
    fn tell_ids(&mut self, sink: &mut impl Sink) {
        sink.text("ApplicationId", &self.options.application_id, |endpoint, id| {
            endpoint.application_id = Some(id);
        });
        let options = self.options;
        // An odd record can have the id of the one before it, whose form only its own profile tells.
        let before =
            (self.profile.odd == Some(Odd::RepeatedId)).then(|| self.profile.index.checked_sub(1)).flatten();
        let profile = before.map_or(self.profile, |index| {
            Profile::draw(options, index, &mut Draw::new(options.seed, Stream::Endpoint, index))
        });
        sink.composed(
            "Id",
            |text| identifier::push_endpoint_id(options.seed, &profile, text),
            |endpoint, id| endpoint.id = Some(id),
        );
    }
}

/// Files an attribute.
pub(super) fn set_attribute(endpoint: &mut Endpoint, name: String, values: Vec<Option<String>>) {
    endpoint.attributes_mut().insert(name, values);
}

/// Files a user attribute.
pub(super) fn set_user_attribute(endpoint: &mut Endpoint, name: String, values: Vec<Option<String>>) {
    endpoint.user_attributes_mut().insert(name, values);
}
