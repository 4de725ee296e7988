//! Compressing pages, with contexts that are kept from page to page.

use parquet::basic::{Compression as ParquetCodec, ZstdLevel};
use parquet::errors::{ParquetError, Result};
use zstd::bulk::Compressor;

use crate::writer::properties::Compression;

/// The compressor of one file.
pub(super) enum Codec {
    /// zstd; one context for all columns, kept from page to page.
    Zstd(Box<Compressor<'static>>),
    /// Snappy.
    Snappy(Box<snap::raw::Encoder>),
    /// Pages as they are.
    None,
}

impl Codec {
    pub(super) fn new(compression: Compression) -> Result<Self> {
        Ok(match compression {
            Compression::Zstd => {
                let context = Compressor::new(super::super::properties::ZSTD_LEVEL);
                Self::Zstd(Box::new(context.map_err(|error| ParquetError::External(Box::new(error)))?))
            }
            Compression::Snappy => Self::Snappy(Box::new(snap::raw::Encoder::new())),
            Compression::None => Self::None,
        })
    }

    /// What the file calls it.
    pub(super) fn name(&self) -> ParquetCodec {
        match self {
            Self::Zstd(_) => ParquetCodec::ZSTD(ZstdLevel::default()),
            Self::Snappy(_) => ParquetCodec::SNAPPY,
            Self::None => ParquetCodec::UNCOMPRESSED,
        }
    }

    /// The most that so many bytes can become.
    pub(super) fn bound(&self, bytes: usize) -> usize {
        match self {
            Self::Zstd(_) => zstd::zstd_safe::compress_bound(bytes),
            Self::Snappy(_) => snap::raw::max_compress_len(bytes),
            Self::None => bytes,
        }
    }

    /// Compresses `raw` to the beginning of `out`, which is as long as [`bound`](Self::bound) says. The length of what
    /// is there then.
    pub(super) fn compress(&mut self, raw: &[u8], out: &mut [u8]) -> Result<usize> {
        match self {
            Self::Zstd(context) => {
                context.compress_to_buffer(raw, out).map_err(|error| ParquetError::External(Box::new(error)))
            }
            Self::Snappy(encoder) => {
                encoder.compress(raw, out).map_err(|error| ParquetError::External(Box::new(error)))
            }
            Self::None => {
                out[..raw.len()].copy_from_slice(raw);
                Ok(raw.len())
            }
        }
    }
}
