//! Tells `Attributes`: the usual ones of an application, of an import and of Amplify, and those that were asked for beyond.

use super::super::profile::Kind;
use super::super::sink::Sink;
use super::super::{catalogue, digits, identifier};
use super::{Record, set_attribute};

impl Record<'_> {
    /// `Attributes`: what an application, an import or Amplify keeps on an endpoint.
    pub(super) fn tell_attributes(&mut self, sink: &mut impl Sink) {
        let absent = match self.profile.kind {
            Kind::Bare => true,
            _ if self.is_sparse() => true,
            _ if self.is_rich() => false,
            Kind::Amplify => false,
            _ => self.draw.chance(60),
        };
        let has_further = self.options.further_attributes > 0 && self.profile.kind != Kind::Bare;
        if absent && !has_further {
            return;
        }
        sink.open("Attributes", |endpoint| {
            endpoint.attributes_mut();
        });
        if !absent {
            self.tell_usual_attributes(sink);
        }
        if self.is_rich() {
            self.further.tell_rich_attributes(sink);
        }
        if has_further {
            self.further.tell_attributes(self.options.further_attributes, sink);
        }
        sink.close();
    }

    /// The attributes of most audiences.
    fn tell_usual_attributes(&mut self, sink: &mut impl Sink) {
        match self.profile.kind {
            Kind::Amplify => self.tell_amplify_attributes(sink),
            Kind::Imported => self.tell_imported_attributes(sink),
            _ => {}
        }
        self.tell_interests(sink);
        if self.draw.chance(420) {
            sink.list("note", &[self.draw.pick(&catalogue::NOTES)], set_attribute);
        }
        // Names are case-sensitive, and somebody always mixes them.
        let name = if self.draw.chance(8) { "Plan" } else { "plan" };
        sink.list(name, &[self.draw.pick(&catalogue::PLANS)], set_attribute);
        if self.draw.chance(10) {
            sink.list("app:theme/#1", &["dark?", ""], set_attribute);
        }
    }

    /// The three attributes that Amplify writes.
    fn tell_amplify_attributes(&mut self, sink: &mut impl Sink) {
        sink.list("appVersion", &[self.draw.pick(&catalogue::APP_VERSIONS)], set_attribute);
        let device = [self.draw.bits(), self.draw.bits()];
        sink.composed_list("deviceId", |text| identifier::push_uuid(device, text), set_attribute);
        sink.list("isEmulator", &[if self.draw.chance(15) { "true" } else { "false" }], set_attribute);
    }

    /// What import files brought along.
    fn tell_imported_attributes(&mut self, sink: &mut impl Sink) {
        sink.list("FavoriteTeam", &[self.draw.pick(&catalogue::TEAMS)], set_attribute);
        if self.draw.chance(200) {
            let year = 2_026 - self.profile.person.age;
            let (month, day) = (1 + self.draw.below(12), 1 + self.draw.below(28));
            let japanese = self.profile.person.country.alpha2 == "JP" && self.draw.chance(300);
            sink.composed_list(
                "Birthday",
                |text| push_birthday([year, month, day], japanese, text),
                set_attribute,
            );
        }
    }

    /// `Attributes.interests`: none to four, in no order, without repetition.
    fn tell_interests(&mut self, sink: &mut impl Sink) {
        let count = usize::try_from(self.draw.below(5)).unwrap_or(0);
        let first = usize::try_from(self.draw.below(14)).unwrap_or(0);
        let mut interests = [""; 4];
        for (place, interest) in interests.iter_mut().enumerate() {
            // A step of 5 is coprime to the 14 words.
            *interest = catalogue::INTERESTS[(first + 5 * place) % catalogue::INTERESTS.len()];
        }
        if count > 0 {
            sink.list("interests", &interests[..count], set_attribute);
        }
    }
}

/// A birthday as imports write it: a moment, or the form of a migration script in Japan.
fn push_birthday([year, month, day]: [u64; 3], japanese: bool, text: &mut Vec<u8>) {
    if japanese {
        for (number, unit) in [(year, "年"), (month, "月"), (day, "日 0:00")] {
            digits::push_number(text, number);
            text.extend_from_slice(unit.as_bytes());
        }
    } else {
        for (number, width, after) in [(year, 4, "-"), (month, 2, "-"), (day, 2, "T00:00:00Z")] {
            digits::push_padded(text, number, width);
            text.extend_from_slice(after.as_bytes());
        }
    }
}
