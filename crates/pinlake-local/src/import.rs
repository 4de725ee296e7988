//! Import files: JSON lines or CSV, plain or gzip, to endpoints with the line that each came from.
//!
//! A line that is no endpoint is a failure with its reason, which quotes no values; a file that cannot be read at all is an
//! error. Bounds: [`FILE_BYTES`] of a file when it is unpacked, and a batch of endpoints at a time.

mod csv_file;

use std::borrow::Cow;
use std::io::Read;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use flate2::read::MultiGzDecoder;
use md5::{Digest as _, Md5};
use rayon::prelude::*;
use thiserror::Error;

use crate::model::EndpointResponse;

/// Bytes of a file when it is unpacked; Pinpoint takes imports of 1 GB.
const FILE_BYTES: u64 = 2 << 30;

/// Endpoints in a batch.
const BATCH: usize = 5_000;

/// The format of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// A header with the paths of members, and a line an endpoint.
    Csv,
    /// A JSON object a line.
    Json,
}

/// Why a file cannot be read at all.
#[derive(Debug, Error)]
pub enum ImportError {
    /// The gzip is damaged or cut short.
    #[error("the gzip is damaged")]
    Gzip(#[source] std::io::Error),
    /// It is too large.
    #[error("it has more than {FILE_BYTES} bytes")]
    TooLarge,
    /// Its first line is no header.
    #[error("its header cannot be read: {reason}")]
    Header {
        /// What is wrong with it.
        reason: String,
    },
}

/// A line of a file.
#[derive(Debug, PartialEq)]
pub(crate) struct Item {
    /// Its number, from 1; of CSV the line that the record begins on.
    pub(crate) line: u64,
    /// The endpoint, or why it is none.
    pub(crate) endpoint: Result<EndpointResponse, String>,
}

/// A file's bytes without their gzip, if they have one.
pub(crate) fn unpacked(bytes: &[u8]) -> Result<Cow<'_, [u8]>, ImportError> {
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return if bytes.len() as u64 > FILE_BYTES { Err(ImportError::TooLarge) } else { Ok(bytes.into()) };
    }
    let mut plain = Vec::with_capacity(bytes.len().saturating_mul(4));
    MultiGzDecoder::new(bytes).take(FILE_BYTES + 1).read_to_end(&mut plain).map_err(ImportError::Gzip)?;
    if plain.len() as u64 > FILE_BYTES { Err(ImportError::TooLarge) } else { Ok(plain.into()) }
}

/// Calls `take` with the file's endpoints, batch by batch, in order, until it fails.
pub(crate) fn each_batch<E: From<ImportError>>(
    format: Format,
    bytes: &[u8],
    mut take: impl FnMut(Vec<Item>) -> Result<(), E>,
) -> Result<(), E> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match format {
        Format::Csv => csv_file::each_batch(bytes, BATCH, take),
        Format::Json => {
            let lines: Vec<(u64, &[u8])> = lines(bytes).collect();
            lines.chunks(BATCH).try_for_each(|batch| take(batch.par_iter().map(|line| json(*line)).collect()))
        }
    }
}

/// Whether a file of this name is CSV.
pub(crate) fn is_csv(name: &str) -> bool {
    let name = name.strip_suffix(".gz").unwrap_or(name);
    std::path::Path::new(name).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"))
}

/// The lines that are not blank, with their numbers.
pub(crate) fn lines(bytes: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    (1..).zip(bytes.split(|byte| *byte == b'\n')).filter(|(_, line)| !line.trim_ascii().is_empty())
}

fn json((number, line): (u64, &[u8])) -> Item {
    // A derived reader takes a list for a structure, too.
    let endpoint = if line.trim_ascii_start().first() == Some(&b'{') {
        serde_json::from_slice(line).map_err(|error| {
            let what = if error.is_data() { "a member is not of its type" } else { "it is no JSON object" };
            format!("{what}, at byte {}", error.column())
        })
    } else {
        Err("it is no JSON object".to_owned())
    };
    Item { line: number, endpoint }
}

/// The endpoint's own id, or one that follows from its channel and address, so that the same import twice updates rather
/// than doubles. It has the form of those that Pinpoint made: 27 characters of base64 in lower case.
pub(crate) fn id_of(endpoint: &EndpointResponse) -> Result<String, &'static str> {
    if let Some(id) = endpoint.id.as_ref().filter(|id| !id.is_empty()) {
        return Ok(id.clone());
    }
    let channel = endpoint.channel_type.as_deref().ok_or("Missing ChannelType")?;
    let address =
        endpoint.address.as_deref().filter(|address| !address.is_empty()).ok_or("Missing Address")?;
    let digest = |salt: &str| -> [u8; 16] {
        Md5::new()
            .chain_update(salt)
            .chain_update(channel)
            .chain_update([0])
            .chain_update(address)
            .finalize()
            .into()
    };
    let bytes = [&digest("")[..], &digest("further")[..4]].concat();
    Ok(STANDARD_NO_PAD.encode(bytes).to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(format: Format, bytes: &[u8]) -> Result<Vec<Item>, ImportError> {
        let mut items = Vec::new();
        each_batch(format, bytes, |batch| {
            items.extend(batch);
            Ok::<(), ImportError>(())
        })?;
        Ok(items)
    }

    fn shown(items: &[Item]) -> Vec<(u64, String)> {
        let show = |item: &Item| match &item.endpoint {
            Ok(endpoint) => serde_json::to_string(endpoint).unwrap_or_default(),
            Err(reason) => reason.clone(),
        };
        items.iter().map(|item| (item.line, show(item))).collect()
    }

    #[test]
    fn json_lines_are_endpoints_or_failures() -> Result<(), ImportError> {
        let text = "\u{feff}{\"Id\":\"1\",\"Attributes\":{\"a\":\"x\"}}\r\n\n[]\n{\"Metrics\":{\"m\":\"many\"}}\n{\"Id\"";
        let expected = [
            (1, r#"{"Attributes":{"a":["x"]},"Id":"1"}"#),
            (3, "it is no JSON object"),
            (4, "a member is not of its type, at byte 22"),
            (5, "it is no JSON object, at byte 5"),
        ];
        let items = shown(&read(Format::Json, text.as_bytes())?);
        assert_eq!(items, expected.map(|(line, text)| (line, text.to_owned())));
        Ok(())
    }

    #[test]
    fn csv_has_dotted_and_repeated_headers() -> Result<(), ImportError> {
        let text = "\u{feff}ChannelType,Address,Location.Country,Location.Latitude,User.UserAttributes.f,User.UserAttributes.f,Metrics.m,Unknown.Header,User.UserId\r\n\
            SMS,+1555,NO,59.91,test10,test20,6,x,u\r\n\
            EMAIL,\"a \"\"b\"\", c@example.com\",,,,,,,\r\n\
            SMS,+1\r\n\
            SMS,+2,,north,,,,,\r\n";
        let expected = [
            (
                2,
                r#"{"ChannelType":"SMS","Address":"+1555","Location":{"Country":"NO","Latitude":59.91},"Metrics":{"m":6.0},"User":{"UserId":"u","UserAttributes":{"f":["test10","test20"]}}}"#,
            ),
            (3, r#"{"ChannelType":"EMAIL","Address":"a \"b\", c@example.com"}"#),
            (4, "it has 2 cells, and the header 9"),
            (5, "Location.Latitude is no number"),
        ];
        let items = shown(&read(Format::Csv, text.as_bytes())?);
        assert_eq!(items, expected.map(|(line, text)| (line, text.to_owned())));
        Ok(())
    }

    #[test]
    fn a_file_without_a_header_of_members_is_refused() {
        for text in ["", "a,b\n1,2\n", "+1555,SMS\n"] {
            assert!(matches!(read(Format::Csv, text.as_bytes()), Err(ImportError::Header { .. })), "{text}");
        }
    }

    #[test]
    fn gzip_is_unpacked_whole_or_refused() -> Result<(), ImportError> {
        use std::io::Write as _;
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        let packed = encoder.write_all(b"{}").and_then(|()| encoder.finish()).expect("memory takes all");
        assert_eq!(unpacked(&[packed.clone(), packed.clone()].concat())?.as_ref(), b"{}{}");
        assert!(matches!(unpacked(&packed[..packed.len() - 1]), Err(ImportError::Gzip(_))));
        assert_eq!(unpacked(b"plain")?.as_ref(), b"plain");
        Ok(())
    }

    #[test]
    fn no_bytes_make_it_panic() {
        let seed = b"Id,Address,Attributes.a,Metrics.m\n1,\"x\"\"y\",a,2\n{\"Id\":\"1\",\"User\":{\"UserAttributes\":{}}}\n";
        let mut dice = 7_u64;
        for _ in 0..20_000 {
            let mut bytes = seed.to_vec();
            for _ in 0..3 {
                dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let place = usize::try_from(dice >> 33).unwrap_or(0) % bytes.len();
                bytes[place] = (dice >> 25).to_le_bytes()[0];
            }
            let _ = read(Format::Json, &bytes);
            let _ = read(Format::Csv, &bytes);
        }
    }
}
