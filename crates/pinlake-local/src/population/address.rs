//! Addresses as exports have them: most of them right, and each kind of wrong that real ones show.

use super::catalogue;
use super::digits;
use super::draw::Draw;
use super::profile::Profile;

/// The alphabet of push tokens.
const TOKEN: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";

/// Writes the endpoint's address.
pub(super) fn compose(profile: &Profile, draw: &mut Draw, text: &mut Vec<u8>) {
    match profile.channel {
        "EMAIL" => compose_email(profile, draw, text),
        "SMS" | "VOICE" => compose_phone(profile, draw, text),
        "CUSTOM" => {
            text.extend_from_slice(b"https://hooks.example.com/pinpoint/");
            digits::push_number(text, profile.index);
        }
        "GCM" | "PUSH" => {
            push_token(22, draw, text);
            text.extend_from_slice(b":APA91b");
            push_token(134, draw, text);
        }
        "ADM" => {
            text.extend_from_slice(b"amzn1.adm-registration.v3.");
            push_token(96, draw, text);
        }
        "BAIDU" => push_padded_bits(draw, 19, text),
        // APNS and its variants: 32 bytes in hex.
        _ => {
            for _ in 0..4 {
                push_hex(draw.bits(), text);
            }
        }
    }
}

/// Copies a pattern, each `#` in it a digit.
pub(super) fn fill_digits(pattern: &str, draw: &mut Draw, text: &mut Vec<u8>) {
    for byte in pattern.bytes() {
        if byte == b'#' {
            digits::push_number(text, draw.below(10));
        } else {
            text.push(byte);
        }
    }
}

/// Writes 64 bits as 16 hex digits.
pub(super) fn push_hex(bits: u64, text: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    for byte in bits.to_be_bytes() {
        text.extend_from_slice(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
    }
}

/// `first.lastN@domain`; without an `@` now and then, in mixed case, or the address of somebody in the family.
fn compose_email(profile: &Profile, draw: &mut Draw, text: &mut Vec<u8>) {
    let person = &profile.person;
    let form = draw.below(1_000);
    let shared = form < 25;
    let number = if shared { person.number - person.number % 64 } else { person.number };
    let start = text.len();
    text.extend_from_slice(if shared { b"family" } else { person.first_name.1.as_bytes() });
    text.push(b'.');
    if !shared {
        text.extend_from_slice(person.last_name.1.as_bytes());
    }
    digits::push_number(text, number);
    if (990..993).contains(&form) {
        text[start..].make_ascii_uppercase();
    }
    text.push(if (993..998).contains(&form) { b'.' } else { b'@' });
    let domain = if shared { "example.com" } else { draw.pick(&catalogue::EMAIL_DOMAINS) };
    text.extend_from_slice(domain.as_bytes());
}

/// E.164 in most cases; national without a code, in brackets, or with 16 digits in the others.
fn compose_phone(profile: &Profile, draw: &mut Draw, text: &mut Vec<u8>) {
    let country = profile.person.country;
    match draw.below(1_000) {
        0..60 => push_padded_bits(draw, country.phone_digits, text),
        60..66 => {
            text.extend_from_slice(b"(202) 555-01");
            digits::push_padded(text, draw.below(100), 2);
        }
        66..72 => push_padded_bits(draw, 16, text),
        _ => {
            text.push(b'+');
            text.extend_from_slice(country.calling_code.as_bytes());
            // The first digit of a subscriber's number is no zero.
            digits::push_number(text, 1 + draw.below(9));
            push_padded_bits(draw, country.phone_digits - 1, text);
        }
    }
}

/// Writes this many random digits.
fn push_padded_bits(draw: &mut Draw, width: usize, text: &mut Vec<u8>) {
    digits::push_padded(text, draw.bits(), width);
}

/// Writes this many random characters of a push token, ten from each number of the stream.
fn push_token(length: usize, draw: &mut Draw, text: &mut Vec<u8>) {
    let mut bits = 0;
    for place in 0..length {
        if place % 10 == 0 {
            bits = draw.bits();
        }
        text.push(TOKEN[usize::try_from(bits & 63).unwrap_or(0)]);
        bits >>= 6;
    }
}
