//! Ids in the forms that exports show. An endpoint's id is a function of its profile and its own stream, so that
//! another record can repeat it.

use super::address::push_hex;
use super::digits;
use super::draw::{Draw, Stream};
use super::profile::{Kind, Person, Profile};

/// Base64 in lower case: what an id of an import job is made of. Letters come twice, as both cases fall together.
const IMPORTED: &[u8; 64] = b"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Writes the endpoint's id: unique in the population, also when case is ignored.
pub(super) fn push_endpoint_id(seed: u64, profile: &Profile, text: &mut Vec<u8>) {
    let mut draw = Draw::new(seed, Stream::Identifier, profile.index);
    let form = draw.below(1_000);
    match profile.kind {
        Kind::Bare => digits::push_number(text, profile.index + 1),
        Kind::Imported | Kind::Ghost => push_imported_id(&mut draw, text),
        _ if form < 5 => {
            text.extend_from_slice(b"testendpoint-");
            digits::push_number(text, profile.index);
        }
        Kind::Ordinary if form < 30 && profile.channel == "SMS" => {
            digits::push_padded(text, profile.index + 81_900_000_000, 11);
        }
        Kind::Ordinary if form < 300 => push_imported_id(&mut draw, text),
        _ => push_uuid([draw.bits(), draw.bits()], text),
    }
}

/// Writes a user's id, the same for all of the user's endpoints.
pub(super) fn push_user_id(number: u64, person: &Person, text: &mut Vec<u8>) {
    if person.has_cognito_identity() {
        text.extend_from_slice(b"ap-southeast-1:");
        push_uuid(person.id_bits, text);
        return;
    }
    match person.id_form {
        120..160 => {
            text.extend_from_slice(person.first_name.0.as_bytes());
            text.extend_from_slice(person.last_name.0.as_bytes());
            digits::push_number(text, number);
        }
        160..400 => push_uuid(person.id_bits, text),
        _ => {
            text.extend_from_slice(b"u-");
            digits::push_number(text, number);
        }
    }
}

/// Writes a version 4 UUID of these bits.
pub(super) fn push_uuid([high, low]: [u64; 2], text: &mut Vec<u8>) {
    let start = text.len();
    push_hex((high & !0xF000) | 0x4000, text);
    push_hex((low & !(3 << 62)) | (1 << 63), text);
    // Hyphens go in from the right, so that the places on the left stay.
    for place in [20, 16, 12, 8] {
        text.insert(start + place, b'-');
    }
}

/// Writes 27 characters, as SHA-1 in unpadded base64 has.
fn push_imported_id(draw: &mut Draw, text: &mut Vec<u8>) {
    for _ in 0..3 {
        let mut bits = draw.bits();
        for _ in 0..9 {
            text.push(IMPORTED[usize::try_from(bits & 63).unwrap_or(0)]);
            bits >>= 6;
        }
    }
}
