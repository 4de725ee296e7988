//! Signatures against AWS's published vectors, and against everything that must be refused.

use hyper::Request;

use super::*;

/// The keys of AWS's signature test suite.
fn published_keys() -> LocalCredentials {
    LocalCredentials {
        access_key_id: "AKIDEXAMPLE".to_owned(),
        secret_access_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned(),
    }
}

/// A GET with these headers.
fn request(uri: &str, headers: &[(&str, &str)]) -> Parts {
    let mut builder = Request::get(uri);
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    builder.body(()).unwrap_or_default().into_parts().0
}

/// Verifies a published request for its own service, region and time.
fn verify_vector(head: &Parts) -> Result<(), Failure> {
    let header = head.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let date = head.headers.get("x-amz-date").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let time = signing_time(date).unwrap_or(SystemTime::UNIX_EPOCH);
    let authorization = Authorization::parse(header).ok_or_else(|| mismatch("unreadable"))?;
    authorization.check_signature(head, b"", &published_keys(), time)
}

#[test]
fn awss_published_vectors_hold() {
    // "get-vanilla" of AWS's signature test suite.
    let vanilla = request(
        "/",
        &[
            ("host", "example.amazonaws.com"),
            ("x-amz-date", "20150830T123600Z"),
            (
                "authorization",
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
             SignedHeaders=host;x-amz-date, \
             Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
            ),
        ],
    );
    assert_eq!(verify_vector(&vanilla), Ok(()));
    // The worked example of the IAM manual: a query, a signed content type.
    let list_users = request(
        "/?Action=ListUsers&Version=2010-05-08",
        &[
            ("host", "iam.amazonaws.com"),
            ("content-type", "application/x-www-form-urlencoded; charset=utf-8"),
            ("x-amz-date", "20150830T123600Z"),
            (
                "authorization",
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, \
             SignedHeaders=content-type;host;x-amz-date, \
             Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
            ),
        ],
    );
    assert_eq!(verify_vector(&list_users), Ok(()));
    let altered = request(
        "/?Action=ListUsers&Version=2010-05-09",
        &[
            ("host", "iam.amazonaws.com"),
            ("content-type", "application/x-www-form-urlencoded; charset=utf-8"),
            ("x-amz-date", "20150830T123600Z"),
            (
                "authorization",
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, \
             SignedHeaders=content-type;host;x-amz-date, \
             Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
            ),
        ],
    );
    assert!(verify_vector(&altered).is_err());
}

/// A request signed as a client would, with the header values told.
fn signed(service: &str, body: &[u8], keys: &LocalCredentials) -> Parts {
    let mut head = request(
        "/v1/apps/a%2Fb?page-size=5&token=x%2By",
        &[
            ("host", "127.0.0.1:4500"),
            ("content-type", "application/json"),
            ("user-agent", "test  client"),
            ("x-amz-date", "20261029T120000Z"),
        ],
    );
    let mut authorization = Authorization {
        access_key_id: &keys.access_key_id,
        date: "20261029",
        region: "eu-west-1",
        service,
        signed_headers: vec!["content-type", "host", "user-agent", "x-amz-date"],
        signature: "",
    };
    let signature = authorization.sign_again(&head, body, keys, noon()).unwrap_or_default();
    authorization.signature = &signature;
    let header = format!(
        "AWS4-HMAC-SHA256 Credential={}/20261029/eu-west-1/{service}/aws4_request, \
         SignedHeaders={}, Signature={signature}",
        keys.access_key_id,
        authorization.signed_headers.join(";"),
    );
    if let Ok(value) = header.parse() {
        head.headers.insert(AUTHORIZATION, value);
    }
    head
}

fn noon() -> SystemTime {
    signing_time("20261029T120000Z").unwrap_or(SystemTime::UNIX_EPOCH)
}

fn code(head: &Parts, body: &[u8], now: SystemTime) -> Option<String> {
    verify(head, body, &published_keys(), now).err().map(|failure| failure.code().to_owned())
}

#[test]
fn a_right_signature_passes_within_fifteen_minutes() {
    let head = signed("mobiletargeting", b"{}", &published_keys());
    assert_eq!(code(&head, b"{}", noon()), None);
    assert_eq!(code(&head, b"{}", noon() + CLOCK_SKEW), None);
    assert_eq!(code(&head, b"{}", noon() - CLOCK_SKEW), None);
    let late = noon() + CLOCK_SKEW + Duration::from_secs(1);
    assert_eq!(code(&head, b"{}", late).as_deref(), Some("InvalidSignatureException"));
    let early = noon() - CLOCK_SKEW - Duration::from_secs(1);
    assert_eq!(code(&head, b"{}", early).as_deref(), Some("InvalidSignatureException"));
}

#[test]
fn whatever_is_altered_is_refused_with_awss_codes() {
    let keys = published_keys();
    let head = signed("mobiletargeting", b"{}", &keys);
    assert_eq!(code(&head, b"{ }", noon()).as_deref(), Some("InvalidSignatureException"));

    let mut other_header = head.clone();
    other_header.headers.insert("content-type", hyper::header::HeaderValue::from_static("text/plain"));
    assert_eq!(code(&other_header, b"{}", noon()).as_deref(), Some("InvalidSignatureException"));

    let other_service = signed("s3", b"{}", &keys);
    assert_eq!(code(&other_service, b"{}", noon()).as_deref(), Some("InvalidSignatureException"));

    let wrong_secret = LocalCredentials { secret_access_key: "another".to_owned(), ..keys.clone() };
    let wrong_secret = signed("mobiletargeting", b"{}", &wrong_secret);
    assert_eq!(code(&wrong_secret, b"{}", noon()).as_deref(), Some("InvalidSignatureException"));

    let wrong_key = LocalCredentials { access_key_id: "AKIAOTHER".to_owned(), ..keys };
    let wrong_key = signed("mobiletargeting", b"{}", &wrong_key);
    assert_eq!(code(&wrong_key, b"{}", noon()).as_deref(), Some("UnrecognizedClientException"));

    let mut with_token = head.clone();
    with_token.headers.insert("x-amz-security-token", hyper::header::HeaderValue::from_static("t"));
    assert_eq!(code(&with_token, b"{}", noon()).as_deref(), Some("UnrecognizedClientException"));

    let mut unsigned = head.clone();
    unsigned.headers.remove(AUTHORIZATION);
    assert_eq!(code(&unsigned, b"{}", noon()).as_deref(), Some("MissingAuthenticationTokenException"));

    let mut broken = head;
    broken
        .headers
        .insert(AUTHORIZATION, hyper::header::HeaderValue::from_static("AWS4-HMAC-SHA256 Credential=x"));
    assert_eq!(code(&broken, b"{}", noon()).as_deref(), Some("IncompleteSignatureException"));
}
