//! The pieces under a prefix of a bucket.
//!
//! Pages are followed to the end. Keys come URL-encoded, because XML cannot carry every character a key may
//! have. A URL that ends like a piece is looked for as a key first, with one small request.

use std::collections::HashSet;

use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use aws_sdk_s3::types::{EncodingType, Object};
use percent_encoding::percent_decode_str;

use super::{ListingError, no_pieces};
use crate::aws::Aws;
use crate::error::SourceError;
use crate::failure::{FailureKind, RequestFailure};
use crate::filter::{Filter, PIECE_SUFFIXES};
use crate::piece::{Listing, Location, Piece, Skipped};
use crate::s3url::S3Url;

/// An object as a page tells it, its key decoded.
struct Listed {
    key: String,
    size: u64,
    etag: Option<String>,
}

/// The bucket and prefix that requests and errors are about.
struct Place<'a> {
    aws: &'a Aws,
    bucket: &'a str,
    prefix: &'a str,
}

/// Lists the one object at `url`, or what lies under it.
pub(super) async fn list(aws: &Aws, url: &S3Url, filter: &Filter) -> Result<Listing, SourceError> {
    if PIECE_SUFFIXES.iter().any(|suffix| url.prefix().ends_with(suffix)) {
        let place = Place { aws, bucket: url.bucket(), prefix: url.prefix() };
        if let Some(object) = place.exact().await? {
            return Ok(single(url, object, filter)?);
        }
    }
    let prefix = url.folder_prefix();
    let place = Place { aws, bucket: url.bucket(), prefix: &prefix };
    let objects = place.all().await?;
    Ok(sorted_out(&place, objects, filter)?)
}

/// The listing of an object that was named itself.
fn single(url: &S3Url, object: Listed, filter: &Filter) -> Result<Listing, ListingError> {
    let prefix = object.key.rfind('/').map_or("", |slash| &object.key[..=slash]).to_owned();
    if let Some(reason) = filter.reason_against_chosen(&object.key[prefix.len()..]) {
        let reason = reason.to_owned();
        return Err(ListingError::NotAPiece { path: url.to_string().into(), reason });
    }
    let pieces = vec![piece(url.bucket(), object)];
    Ok(Listing { source: url.to_string(), prefix, pieces, skipped: Vec::new() })
}

/// Tells pieces from what lies beside them.
fn sorted_out(place: &Place<'_>, objects: Vec<Listed>, filter: &Filter) -> Result<Listing, ListingError> {
    let source = format!("s3://{}/{}", place.bucket, place.prefix);
    if objects.is_empty() {
        return Err(ListingError::NothingUnderPrefix { place: source });
    }
    let (mut pieces, mut skipped) = (Vec::new(), Vec::new());
    for object in objects {
        let relative =
            object.key.strip_prefix(place.prefix).ok_or_else(|| place.unsound("a key outside it"))?;
        match filter.reason_against(relative) {
            None => pieces.push(piece(place.bucket, object)),
            Some(reason) => {
                skipped.push(Skipped { size: object.size, reason: reason.to_owned(), name: object.key });
            }
        }
    }
    if pieces.is_empty() {
        return Err(no_pieces(source, &skipped, filter));
    }
    Ok(Listing { source, prefix: place.prefix.to_owned(), pieces, skipped })
}

fn piece(bucket: &str, object: Listed) -> Piece {
    Piece {
        name: object.key.clone(),
        size: object.size,
        etag: object.etag,
        location: Location::S3 { bucket: bucket.to_owned(), key: object.key },
    }
}

impl Place<'_> {
    /// The object whose key is the prefix itself: a key sorts before every longer one it begins.
    async fn exact(&self) -> Result<Option<Listed>, SourceError> {
        let page = self.page(None, Some(1)).await?;
        let mut objects = self.objects(&page)?;
        objects.retain(|object| object.key == self.prefix);
        Ok(objects.pop())
    }

    /// Every object under the prefix, each once, in the order of keys.
    async fn all(&self) -> Result<Vec<Listed>, SourceError> {
        let mut objects = Vec::new();
        let mut seen_tokens = HashSet::new();
        let mut token = None;
        loop {
            let page = self.page(token.take(), None).await?;
            objects.extend(self.objects(&page)?);
            if !page.is_truncated().unwrap_or(false) {
                break;
            }
            let next = page
                .next_continuation_token()
                .filter(|next| !next.is_empty())
                .ok_or_else(|| self.unsound("it is cut short, without a continuation token"))?;
            if !seen_tokens.insert(next.to_owned()) {
                return Err(ListingError::RepeatedToken {
                    bucket: self.bucket.to_owned(),
                    prefix: self.prefix.to_owned(),
                }
                .into());
            }
            token = Some(next.to_owned());
        }
        Ok(self.each_once(objects)?)
    }

    /// Sorts by key. The same object on two pages is one; two versions of it mean that it changed meanwhile.
    fn each_once(&self, mut objects: Vec<Listed>) -> Result<Vec<Listed>, ListingError> {
        objects.sort_by(|a, b| a.key.cmp(&b.key));
        let is_changed = |pair: &[Listed]| {
            pair[0].key == pair[1].key && (pair[0].size != pair[1].size || pair[0].etag != pair[1].etag)
        };
        if objects.windows(2).any(is_changed) {
            return Err(self.unsound("an object changed while it was listed"));
        }
        objects.dedup_by(|a, b| a.key == b.key);
        Ok(objects)
    }

    /// One page, tried until it comes or cannot come.
    async fn page(
        &self,
        token: Option<String>,
        max: Option<i32>,
    ) -> Result<ListObjectsV2Output, SourceError> {
        let client = self.aws.s3()?;
        let mut retry = self.aws.retry();
        if token.is_none() {
            retry = retry.first_contact();
        }
        loop {
            let answer = client
                .list_objects_v2()
                .bucket(self.bucket)
                .prefix(self.prefix)
                .encoding_type(EncodingType::Url)
                .set_continuation_token(token.clone())
                .set_max_keys(max)
                .send()
                .await;
            let failure = match answer {
                Ok(page) => {
                    retry.succeeded();
                    return Ok(page);
                }
                Err(error) => RequestFailure::from_sdk(&error),
            };
            if !retry.again(&failure).await {
                return Err(self.refused(failure, retry.attempts()).into());
            }
        }
    }

    fn refused(&self, cause: RequestFailure, attempts: u32) -> ListingError {
        let (bucket, prefix) = (self.bucket.to_owned(), self.prefix.to_owned());
        match cause.kind() {
            FailureKind::NotFound => ListingError::NoSuchBucket { bucket, prefix },
            FailureKind::Denied => ListingError::Denied { bucket, prefix, cause },
            _ => ListingError::Request { bucket, prefix, attempts, cause },
        }
    }

    /// A page's objects with their keys decoded.
    fn objects(&self, page: &ListObjectsV2Output) -> Result<Vec<Listed>, ListingError> {
        let is_encoded = page.encoding_type() == Some(&EncodingType::Url);
        let told = page.contents().len() + page.common_prefixes().len();
        if page.key_count().is_some_and(|count| usize::try_from(count) != Ok(told)) {
            return Err(self.unsound("a page that counts other keys than it tells"));
        }
        page.contents().iter().map(|object| self.object(object, is_encoded)).collect()
    }

    fn object(&self, object: &Object, is_encoded: bool) -> Result<Listed, ListingError> {
        let key = object.key().ok_or_else(|| self.unsound("an object without a key"))?;
        let key = if is_encoded {
            // S3 writes a space as `+` and a plus as `%2B`.
            let spaced = key.replace('+', " ");
            let decoded = percent_decode_str(&spaced).decode_utf8();
            decoded.map_err(|_| self.unsound("a key that is not UTF-8"))?.into_owned()
        } else {
            key.to_owned()
        };
        let size = object.size().and_then(|size| u64::try_from(size).ok());
        let size = size.ok_or_else(|| self.unsound("an object without a size"))?;
        Ok(Listed { key, size, etag: object.e_tag().map(str::to_owned) })
    }

    fn unsound(&self, fault: &'static str) -> ListingError {
        ListingError::Unsound { bucket: self.bucket.to_owned(), prefix: self.prefix.to_owned(), fault }
    }
}

#[cfg(test)]
mod tests;
