//! Whether a page of a listing is there to its end.
//!
//! The SDK's reader of XML takes what ends early for what ends: a page of which no more than the beginning came, under the length that
//! its header states, is a page with fewer keys to it, or the last page of all where it ends ahead of `IsTruncated`. Keys would be
//! missing and nobody would know (seen under faults of this kind, 2026-11-25). So an answer that was taken and does not end as a listing ends is an
//! invalid one, and asked for again.

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::AfterDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

/// The operation whose answers are looked at.
const OPERATION: &str = "ListObjectsV2";

/// Refuses pages that end early.
#[derive(Debug)]
pub(super) struct WholePages;

#[dyn_dispatch_hint]
impl Intercept for WholePages {
    fn name(&self) -> &'static str {
        "pinlake's look at the ends of pages"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let is_page = bag.load::<Metadata>().is_some_and(|metadata| metadata.name() == OPERATION);
        let body = context.response().body().bytes().unwrap_or_default();
        if is_page && context.output_or_error().is_ok() && !is_whole(body) {
            return Err("the page ends before its last element".into());
        }
        Ok(())
    }
}

/// Whether the last that stands in a body closes its listing, under any prefix of a namespace.
fn is_whole(body: &[u8]) -> bool {
    let body = body.trim_ascii_end();
    let tag = body.iter().rposition(|&byte| byte == b'<').map_or(&[][..], |start| &body[start..]);
    tag.starts_with(b"</") && tag.ends_with(b"ListBucketResult>")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_page_ends_as_one() {
        let page =
            b"<?xml version=\"1.0\"?>\n<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>";
        assert!((0..page.len()).all(|end| !is_whole(&page[..end])) && is_whole(page));
        assert!(is_whole(b"<s3:ListBucketResult></s3:ListBucketResult>\r\n"));
        assert!(!is_whole(b""));
    }
}
