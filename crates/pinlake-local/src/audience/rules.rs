//! What Pinpoint accepts of an endpoint and what it makes of it: limits, defaults, and how an update meets what is there.
//!
//! Limits are those of Pinpoint's quotas and of the model's own words. Nothing here touches the state.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use thiserror::Error;

use super::directory::id_key;
use crate::model::{self, EndpointDemographic, EndpointLocation, EndpointResponse, EndpointUser, TextLists};

/// `ChannelType` of the model.
const CHANNELS: [&str; 13] = [
    "PUSH",
    "GCM",
    "APNS",
    "APNS_SANDBOX",
    "APNS_VOIP",
    "APNS_VOIP_SANDBOX",
    "ADM",
    "SMS",
    "VOICE",
    "EMAIL",
    "BAIDU",
    "CUSTOM",
    "IN_APP",
];

/// Channels whose oldest endpoint gives way where a user has too many.
const PUSH_CHANNELS: [&str; 7] =
    ["ADM", "GCM", "APNS", "APNS_SANDBOX", "APNS_VOIP", "APNS_VOIP_SANDBOX", "BAIDU"];

/// Endpoints that a user may have.
pub(crate) const ENDPOINTS_PER_USER: usize = 15;

/// Names of attributes, metrics and user attributes together that an application may have.
pub(crate) const ATTRIBUTE_NAMES: usize = 250;

/// Endpoints in a batch.
pub(crate) const BATCH_ITEMS: usize = 100;

/// Bytes of an endpoint, as its line in an export.
const ENDPOINT_BYTES: usize = 15 * 1_024;

/// Characters of an attribute's name, and of a metric's.
const NAME_CHARACTERS: usize = 50;

/// Characters of an attribute's value.
const VALUE_CHARACTERS: usize = 100;

/// Values of an attribute.
const VALUES: usize = 50;

/// Why an endpoint is not accepted, in words for whoever sent it. It quotes no values.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub(crate) struct Refusal(pub(crate) String);

impl Refusal {
    fn new(message: impl Into<String>) -> Self {
        Refusal(message.into())
    }
}

/// When, where and by which request an endpoint is changed.
#[derive(Debug, Clone)]
pub(crate) struct Stamp {
    pub(crate) now: DateTime<Utc>,
    pub(crate) application_id: String,
    pub(crate) request_id: String,
}

/// Whether the channel is one of push messages.
pub(super) fn is_push(channel: Option<&str>) -> bool {
    channel.is_some_and(|channel| PUSH_CHANNELS.contains(&channel))
}

/// The cohort of an endpoint: each of a hundred has about one percent.
pub(crate) fn cohort(id: &str) -> String {
    (id_key(id) % 100).to_string()
}

/// The endpoint that an update leaves.
pub(super) fn updated(
    before: Option<EndpointResponse>,
    id: &str,
    request: EndpointResponse,
    stamp: &Stamp,
) -> Result<EndpointResponse, Refusal> {
    check_id(id)?;
    check(&request)?;
    let is_new = before.is_none();
    let mut endpoint = before.unwrap_or_default();
    if is_new {
        endpoint.creation_date = Some(model::date(stamp.now));
        endpoint.application_id = Some(stamp.application_id.clone());
        endpoint.id = Some(id.to_owned());
        endpoint.opt_out = Some("NONE".to_owned());
    }
    replace(&mut endpoint.channel_type, request.channel_type);
    replace(&mut endpoint.address, request.address);
    replace(&mut endpoint.opt_out, request.opt_out);
    // An update makes an endpoint active again, unless it says otherwise.
    endpoint.endpoint_status = Some(request.endpoint_status.unwrap_or_else(|| "ACTIVE".to_owned()));
    endpoint.effective_date = Some(request.effective_date.unwrap_or_else(|| model::date(stamp.now)));
    endpoint.request_id = Some(request.request_id.unwrap_or_else(|| stamp.request_id.clone()));
    merge_location(&mut endpoint.location, request.location);
    merge_demographic(&mut endpoint.demographic, request.demographic);
    merge_map(&mut endpoint.attributes, request.attributes);
    merge_map(&mut endpoint.metrics, request.metrics);
    merge_user(&mut endpoint.user, request.user);
    if endpoint.channel_type.is_none() {
        return Err(Refusal::new("Missing ChannelType"));
    }
    if endpoint.address.is_none() {
        return Err(Refusal::new("Missing Address"));
    }
    check_size(&endpoint)?;
    Ok(endpoint)
}

/// Refuses an id that no endpoint may have.
fn check_id(id: &str) -> Result<(), Refusal> {
    if id.is_empty() || id.len() > 1_024 || id.contains(['$', '{', '}']) || id.chars().any(char::is_control) {
        return Err(Refusal::new(
            "The endpoint's Id must have 1 to 1024 bytes, none of them $, { or } or a control character.",
        ));
    }
    Ok(())
}

/// Refuses what no endpoint may have.
fn check(request: &EndpointResponse) -> Result<(), Refusal> {
    one_of("ChannelType", request.channel_type.as_deref(), &CHANNELS)?;
    one_of("EndpointStatus", request.endpoint_status.as_deref(), &["ACTIVE", "INACTIVE"])?;
    one_of("OptOut", request.opt_out.as_deref(), &["ALL", "NONE"])?;
    if request.address.as_deref() == Some("") {
        return Err(Refusal::new("Missing Address"));
    }
    if request.effective_date.as_deref().is_some_and(|date| DateTime::parse_from_rfc3339(date).is_err()) {
        return Err(Refusal::new("EffectiveDate must be a date and time in ISO 8601 format."));
    }
    if let Some(location) = &request.location {
        within("Latitude", location.latitude, 90.0)?;
        within("Longitude", location.longitude, 180.0)?;
    }
    check_lists("Attributes", request.attributes.as_ref())?;
    check_lists("UserAttributes", request.user.as_ref().and_then(|user| user.user_attributes.as_ref()))?;
    request.metrics.iter().flatten().try_for_each(|(name, _)| check_name("Metrics", name))
}

fn one_of(member: &str, value: Option<&str>, allowed: &[&str]) -> Result<(), Refusal> {
    match value {
        Some(value) if !allowed.contains(&value) => {
            Err(Refusal(format!("{member} must be one of {}.", allowed.join(", "))))
        }
        _ => Ok(()),
    }
}

fn within(member: &str, degrees: Option<f64>, limit: f64) -> Result<(), Refusal> {
    match degrees {
        Some(degrees) if degrees.abs() > limit => {
            Err(Refusal(format!("{member} must be within -{limit} and {limit} degrees.")))
        }
        _ => Ok(()),
    }
}

fn check_name(member: &str, name: &str) -> Result<(), Refusal> {
    if name.is_empty() || name.chars().count() > NAME_CHARACTERS {
        return Err(Refusal(format!("A name in {member} must have 1 to {NAME_CHARACTERS} characters.")));
    }
    Ok(())
}

fn check_lists(member: &str, lists: Option<&TextLists>) -> Result<(), Refusal> {
    for (name, values) in lists.into_iter().flatten() {
        check_name(member, name)?;
        if values.len() > VALUES {
            return Err(Refusal(format!("{name} in {member} has more than {VALUES} values.")));
        }
        if values.iter().any(|value| value.chars().count() > VALUE_CHARACTERS) {
            return Err(Refusal(format!(
                "A value of {name} in {member} has more than {VALUE_CHARACTERS} characters."
            )));
        }
    }
    Ok(())
}

/// Refuses an endpoint that is too large as a whole.
fn check_size(endpoint: &EndpointResponse) -> Result<(), Refusal> {
    let bytes = serde_json::to_vec(endpoint).map_or(usize::MAX, |line| line.len());
    if bytes > ENDPOINT_BYTES {
        return Err(Refusal(format!("The endpoint has more than {ENDPOINT_BYTES} bytes.")));
    }
    Ok(())
}

fn replace<T>(member: &mut Option<T>, with: Option<T>) {
    if with.is_some() {
        *member = with;
    }
}

fn merge_map<V>(map: &mut Option<BTreeMap<String, V>>, with: Option<BTreeMap<String, V>>) {
    if let Some(with) = with {
        map.get_or_insert_default().extend(with);
    }
}

fn merge_location(location: &mut Option<EndpointLocation>, with: Option<EndpointLocation>) {
    let Some(with) = with else { return };
    let location = location.get_or_insert_default();
    replace(&mut location.city, with.city);
    replace(&mut location.country, with.country);
    replace(&mut location.latitude, with.latitude.map(to_one_decimal));
    replace(&mut location.longitude, with.longitude.map(to_one_decimal));
    replace(&mut location.postal_code, with.postal_code);
    replace(&mut location.region, with.region);
}

/// Pinpoint keeps coordinates to one decimal, some 11 km.
fn to_one_decimal(degrees: f64) -> f64 {
    (degrees * 10.0).round() / 10.0
}

fn merge_demographic(demographic: &mut Option<EndpointDemographic>, with: Option<EndpointDemographic>) {
    let Some(with) = with else { return };
    let demographic = demographic.get_or_insert_default();
    replace(&mut demographic.app_version, with.app_version);
    replace(&mut demographic.locale, with.locale);
    replace(&mut demographic.make, with.make);
    replace(&mut demographic.model, with.model);
    replace(&mut demographic.model_version, with.model_version);
    replace(&mut demographic.platform, with.platform);
    replace(&mut demographic.platform_version, with.platform_version);
    replace(&mut demographic.timezone, with.timezone);
}

fn merge_user(user: &mut Option<EndpointUser>, with: Option<EndpointUser>) {
    let Some(with) = with else { return };
    let user = user.get_or_insert_default();
    replace(&mut user.user_id, with.user_id);
    merge_map(&mut user.user_attributes, with.user_attributes);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp() -> Stamp {
        Stamp {
            now: DateTime::from_timestamp(1_700_000_000, 0).unwrap_or_default(),
            application_id: "app".to_owned(),
            request_id: "r".to_owned(),
        }
    }

    fn request(json: &str) -> EndpointResponse {
        serde_json::from_str(json).expect("a test's own JSON is sound")
    }

    #[test]
    fn a_new_endpoint_gets_what_it_was_not_given() -> Result<(), Refusal> {
        let sent = request(
            r#"{"ChannelType":"EMAIL","Address":"a@b.c","Location":{"Latitude":47.61,"Longitude":-122.349}}"#,
        );
        let made = updated(None, "e1", sent, &stamp())?;
        let expected = request(
            r#"{"ChannelType":"EMAIL","Address":"a@b.c","EndpointStatus":"ACTIVE","OptOut":"NONE",
                "Location":{"Latitude":47.6,"Longitude":-122.3},"EffectiveDate":"2023-11-14T22:13:20.000Z",
                "ApplicationId":"app","Id":"e1","CreationDate":"2023-11-14T22:13:20.000Z","RequestId":"r"}"#,
        );
        assert_eq!(made, expected);
        Ok(())
    }

    #[test]
    fn an_update_replaces_what_it_names_and_leaves_the_rest() -> Result<(), Refusal> {
        let before = request(
            r#"{"ChannelType":"SMS","Address":"1","EndpointStatus":"INACTIVE","OptOut":"ALL","Id":"e","CreationDate":"then",
                "Location":{"City":"Oslo","Country":"NO"},"Attributes":{"a":["1","2"],"b":["3"]},"Metrics":{"m":1},
                "User":{"UserId":"u","UserAttributes":{"p":["q"]}}}"#,
        );
        let sent = request(
            r#"{"EffectiveDate":"2024-01-01T00:00:00Z","Location":{"City":"Bergen"},"Attributes":{"a":["9"]},"Metrics":{"n":2},
                "User":{"UserAttributes":{"r":["s"]}}}"#,
        );
        let after = updated(Some(before), "e", sent, &stamp())?;
        let expected = request(
            r#"{"ChannelType":"SMS","Address":"1","EndpointStatus":"ACTIVE","OptOut":"ALL","Id":"e","CreationDate":"then",
                "EffectiveDate":"2024-01-01T00:00:00Z","Location":{"City":"Bergen","Country":"NO"},
                "Attributes":{"a":["9"],"b":["3"]},"Metrics":{"m":1,"n":2},
                "User":{"UserId":"u","UserAttributes":{"p":["q"],"r":["s"]}},"RequestId":"r"}"#,
        );
        assert_eq!(after, expected);
        Ok(())
    }

    #[test]
    fn what_pinpoint_does_not_take_is_refused() {
        let long_name = "n".repeat(51);
        let long_value = "v".repeat(101);
        let many: Vec<String> = (0..51).map(|number| format!("\"{number}\"")).collect();
        let large: Vec<String> =
            (0..45).map(|name| format!("\"{name}\":[{}]", vec!["\"12345\""; 50].join(","))).collect();
        for (sent, told) in [
            (r#"{"Address":"a"}"#.to_owned(), "Missing ChannelType"),
            (r#"{"ChannelType":"SMS"}"#.to_owned(), "Missing Address"),
            (r#"{"ChannelType":"FAX","Address":"a"}"#.to_owned(), "ChannelType must be"),
            (r#"{"ChannelType":"SMS","Address":"a","OptOut":"SOME"}"#.to_owned(), "OptOut must be"),
            (
                r#"{"ChannelType":"SMS","Address":"a","EndpointStatus":"ON"}"#.to_owned(),
                "EndpointStatus must be",
            ),
            (
                r#"{"ChannelType":"SMS","Address":"a","EffectiveDate":"today"}"#.to_owned(),
                "EffectiveDate must be",
            ),
            (
                r#"{"ChannelType":"SMS","Address":"a","Location":{"Latitude":91}}"#.to_owned(),
                "Latitude must be",
            ),
            (
                format!(r#"{{"ChannelType":"SMS","Address":"a","Attributes":{{"{long_name}":["x"]}}}}"#),
                "A name in Attributes",
            ),
            (
                format!(r#"{{"ChannelType":"SMS","Address":"a","Metrics":{{"{long_name}":1}}}}"#),
                "A name in Metrics",
            ),
            (
                format!(
                    r#"{{"ChannelType":"SMS","Address":"a","User":{{"UserAttributes":{{"x":["{long_value}"]}}}}}}"#
                ),
                "A value of x",
            ),
            (
                format!(r#"{{"ChannelType":"SMS","Address":"a","Attributes":{{"x":[{}]}}}}"#, many.join(",")),
                "x in Attributes",
            ),
            (
                format!(r#"{{"ChannelType":"SMS","Address":"a","Attributes":{{{}}}}}"#, large.join(",")),
                "The endpoint has more",
            ),
        ] {
            let refused = updated(None, "e", request(&sent), &stamp()).err().map(|refusal| refusal.0);
            assert!(
                refused.as_deref().is_some_and(|message| message.starts_with(told)),
                "{sent}: {refused:?}"
            );
        }
        let sound = request(r#"{"ChannelType":"SMS","Address":"a"}"#);
        assert!(updated(None, "a{b}", sound.clone(), &stamp()).is_err());
        assert!(updated(None, "goy4ne0a7/jv+", sound, &stamp()).is_ok());
    }

    #[test]
    fn cohorts_are_a_hundred_and_about_equal() {
        let mut counts = BTreeMap::<String, u32>::new();
        for number in 0..10_000 {
            *counts.entry(cohort(&format!("endpoint-{number}"))).or_default() += 1;
        }
        assert_eq!(counts.len(), 100);
        assert!(counts.values().all(|count| (60..140).contains(count)), "{counts:?}");
        assert_eq!(cohort("ABC"), cohort("abc"));
    }
}
