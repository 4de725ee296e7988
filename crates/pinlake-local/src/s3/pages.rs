//! Pages of a listing that are not what they should be. Their XML is changed as text: the page has to be one that no writer
//! of correct XML would make.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Response;
use hyper::header::CONTENT_LENGTH;

use super::reading;
use crate::faults::Fault;
use crate::listener::ResponseBody;

/// The page with the fault in it. Faults that are not about pages change nothing.
pub(super) async fn spoil(response: Response<ResponseBody>, fault: &Fault) -> Response<ResponseBody> {
    if !matches!(fault, Fault::RepeatedToken | Fault::LostKey | Fault::RepeatedKey) {
        return response;
    }
    let (mut head, body) = response.into_parts();
    let bytes = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let spoiled = match fault {
        Fault::RepeatedToken => with_token(&text),
        Fault::LostKey => with_first_key(&text, 0),
        _ => with_first_key(&text, 2),
    };
    head.headers.remove(CONTENT_LENGTH);
    let body = Full::new(Bytes::from(spoiled.unwrap_or_else(|| text.into_owned())));
    Response::from_parts(head, body.map_err(|never| match never {}).boxed_unsync())
}

/// The page with the same token as any other, and more to come.
fn with_token(page: &str) -> Option<String> {
    // Behind no key at all, so that the listing goes round.
    let token = reading::token("");
    let page = without(page, "NextContinuationToken").unwrap_or_else(|| page.to_owned());
    let page = without(&page, "IsTruncated")?;
    let end = page.rfind("</ListBucketResult>")?;
    let more = format!(
        "<IsTruncated>true</IsTruncated><NextContinuationToken>{token}</NextContinuationToken></ListBucketResult>"
    );
    Some(format!("{}{more}", &page[..end]))
}

/// The page with its first key told so many times. What it says of their number fits only where one is told again: a key
/// that a client cannot know of must be missed, and a repeated one is no error.
fn with_first_key(page: &str, times: usize) -> Option<String> {
    let (start, end) = element(page, "Contents")?;
    let (before, first, behind) = (&page[..start], &page[start..end], &page[end..]);
    let page = format!("{before}{}{behind}", first.repeat(times));
    if times == 0 {
        return Some(page);
    }
    let (start, end) = element(&page, "KeyCount")?;
    let count = page.matches("<Contents>").count();
    Some(format!("{}<KeyCount>{count}</KeyCount>{}", &page[..start], &page[end..]))
}

/// The page without the first element of this name.
fn without(page: &str, name: &str) -> Option<String> {
    let (start, end) = element(page, name)?;
    Some(format!("{}{}", &page[..start], &page[end..]))
}

/// Where the first element of this name begins and ends.
fn element(page: &str, name: &str) -> Option<(usize, usize)> {
    let start = page.find(&format!("<{name}>"))?;
    let closing = format!("</{name}>");
    Some((start, start + page[start..].find(&closing)? + closing.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "<ListBucketResult><IsTruncated>false</IsTruncated><KeyCount>2</KeyCount>\
                        <Contents><Key>a</Key></Contents><Contents><Key>b</Key></Contents></ListBucketResult>";

    #[test]
    fn pages_are_spoiled_as_asked() {
        let lost = with_first_key(PAGE, 0).unwrap_or_default();
        assert!(
            !lost.contains("<Key>a") && lost.contains("<Key>b") && lost.contains("<KeyCount>2"),
            "{lost}"
        );
        let repeated = with_first_key(PAGE, 2).unwrap_or_default();
        assert!(repeated.matches("<Key>a").count() == 2 && repeated.contains("<KeyCount>3"), "{repeated}");
        let token = with_token(PAGE).unwrap_or_default();
        assert!(token.contains("<IsTruncated>true") && token.contains("<NextContinuationToken>"), "{token}");
    }
}
