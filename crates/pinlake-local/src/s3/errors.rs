//! Errors in S3's form: what s3s leaves out of them (a message, the bucket and the key, the request's id) is put in.

use std::fmt::Write;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use hyper::{Method, Response, StatusCode};

use crate::listener::ResponseBody;

/// What is known of a request when it is refused.
pub(super) struct Refused<'request> {
    /// The request's id.
    pub(super) request_id: &'request str,
    /// `/bucket/key`, decoded.
    pub(super) path: &'request str,
    /// Whether an answer has a body: the answer to HEAD has none.
    pub(super) method: &'request Method,
}

/// Messages of errors that s3s tells without one.
const MESSAGES: [(&str, &str); 8] = [
    (
        "SignatureDoesNotMatch",
        "The request signature we calculated does not match the signature you provided. \
                               Check your key and signing method.",
    ),
    ("AccessDenied", "Access Denied"),
    ("NoSuchKey", "The specified key does not exist."),
    ("NoSuchBucket", "The specified bucket does not exist"),
    ("InvalidBucketName", "The specified bucket is not valid."),
    ("KeyTooLongError", "Your key is too long"),
    (
        "MalformedXML",
        "The XML you provided was not well-formed or did not validate against our published schema",
    ),
    ("IncompleteBody", "You did not provide the number of bytes specified by the Content-Length HTTP header"),
];

/// S3's code and message for a body that is not the signed one.
pub(super) const ALTERED: (&str, &str) = (
    "XAmzContentSHA256Mismatch",
    "The provided 'x-amz-content-sha256' header does not match what was computed.",
);

/// The answer to a request whose body came whole. s3s fails without a word where the XML in it is not the signed one; errors
/// of ours have a message.
pub(super) async fn with_altered_body(response: Response<ResponseBody>) -> Response<ResponseBody> {
    if response.status() != StatusCode::INTERNAL_SERVER_ERROR {
        return response;
    }
    let (head, body) = response.into_parts();
    let bytes = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    if text.contains("<Code>InternalError</Code>") && !text.contains("<Message>") {
        let mut refused = with_body(head, Bytes::from(error_xml(ALTERED.0, ALTERED.1)));
        *refused.status_mut() = StatusCode::BAD_REQUEST;
        return refused;
    }
    with_body(head, bytes)
}

/// The answer as it is, or, where it is an error with a body, with all that S3's errors have.
pub(super) async fn complete(
    response: Response<ResponseBody>,
    refused: &Refused<'_>,
) -> Response<ResponseBody> {
    let status = response.status();
    let is_error = status.is_client_error() || status.is_server_error();
    if status == StatusCode::NOT_MODIFIED {
        return with_body(response.into_parts().0, Bytes::new());
    }
    if !is_error || refused.method == Method::HEAD {
        return response;
    }
    let (head, body) = response.into_parts();
    let bytes = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let completed = std::str::from_utf8(&bytes).ok().and_then(|text| completed(text, refused));
    with_body(head, completed.map_or(bytes, Bytes::from))
}

/// The error's XML with its members.
fn completed(xml: &str, refused: &Refused<'_>) -> Option<String> {
    let end = xml.rfind("</Error>")?;
    let code = xml.split_once("<Code>")?.1.split_once("</Code>")?.0;
    let mut text = xml[..end].to_owned();
    let mut add = |name: &str, value: &str| {
        if !value.is_empty() && !xml.contains(&format!("<{name}>")) {
            // Writing to a String cannot fail.
            let _ = write!(text, "<{name}>{}</{name}>", escaped(value));
        }
    };
    let message = MESSAGES.iter().find(|(known, _)| *known == code).map_or(code, |(_, message)| message);
    add("Message", message);
    let (bucket, key) = refused.path.trim_start_matches('/').split_once('/').unwrap_or((refused.path, ""));
    match code {
        "NoSuchBucket" => add("BucketName", bucket.trim_start_matches('/')),
        "NoSuchKey" => add("Key", key),
        _ => {}
    }
    add("Resource", refused.path);
    add("RequestId", refused.request_id);
    text.push_str(&xml[end..]);
    Some(text)
}

/// Text as XML has it. What no XML may hold is left out.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            character if character.is_control() => {}
            character => escaped.push(character),
        }
    }
    escaped
}

fn with_body(mut head: hyper::http::response::Parts, bytes: Bytes) -> Response<ResponseBody> {
    head.headers.remove(CONTENT_LENGTH);
    Response::from_parts(head, Full::new(bytes).map_err(|never| match never {}).boxed_unsync())
}

/// An error of our own. `code` is a plain word.
pub(super) fn failure(status: StatusCode, code: &str) -> Response<ResponseBody> {
    let body = error_xml(code, status.canonical_reason().unwrap_or("error"));
    let mut response =
        Response::new(Full::new(Bytes::from(body)).map_err(|never| match never {}).boxed_unsync());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    response
}

/// An error's XML.
fn error_xml(code: &str, message: &str) -> String {
    let (code, message) = (escaped(code), escaped(message));
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_tell_what_they_are_about() {
        let method = Method::GET;
        let refused = Refused { request_id: "4442587FB7D0A2F9", path: "/bucket/a <&> b", method: &method };
        let xml = "<?xml?><Error><Code>NoSuchKey</Code></Error>";
        let expected = "<?xml?><Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message>\
                        <Key>a &lt;&amp;&gt; b</Key><Resource>/bucket/a &lt;&amp;&gt; b</Resource>\
                        <RequestId>4442587FB7D0A2F9</RequestId></Error>";
        assert_eq!(completed(xml, &refused).as_deref(), Some(expected));
        assert_eq!(completed(expected, &refused).as_deref(), Some(expected), "nothing is told twice");
        assert_eq!(completed("no XML", &refused), None);
    }
}
