//! What no SDK would send, and the form of what is refused: plain HTTP.

use std::fmt::Write;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use pinlake_local::{LocalOptions, LocalServer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::BUCKET;
use crate::world::{TestResult, World};

type Failure = Box<dyn std::error::Error>;

/// Headers or members of a query, by name.
type Pairs = Vec<(String, String)>;

/// An answer: status, headers in lower case, body.
struct Answer {
    status: u16,
    headers: String,
    body: String,
}

impl Answer {
    /// A header's value.
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    /// The text of an XML element.
    fn element(&self, name: &str) -> Option<&str> {
        Some(self.body.split_once(&format!("<{name}>"))?.1.split_once(&format!("</{name}>"))?.0)
    }

    fn is(&self, status: u16, code: &str) -> bool {
        self.status == status
            && self.element("Code") == Some(code)
            && self.element("Message").is_some_and(|message| !message.is_empty())
            && self.element("RequestId").is_some_and(|id| Some(id) == self.header("x-amz-request-id"))
    }
}

/// Sends a request over a connection of its own.
async fn send(
    server: &LocalServer,
    method: &str,
    path: &str,
    headers: &[(String, String)],
    body: &str,
) -> Result<Answer, Failure> {
    let host = server.s3_url().replace("http://", "");
    let mut request = format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n");
    write!(request, "content-length: {}\r\n", body.len())?;
    for (name, value) in headers {
        write!(request, "{name}: {value}\r\n")?;
    }
    let mut stream = TcpStream::connect(&host).await?;
    stream.write_all(format!("{request}\r\n{body}").as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or("no answer")?;
    let status = head.split(' ').nth(1).ok_or("no status")?.parse()?;
    Ok(Answer { status, headers: head.replace("\r\n", "\n"), body: body.to_owned() })
}

/// The headers that sign a request at that time.
fn signed(
    server: &LocalServer,
    (method, path): (&str, &str),
    body: &str,
    time: SystemTime,
) -> Result<Pairs, Failure> {
    let keys = server.credentials();
    let identity = Credentials::new(&keys.access_key_id, &keys.secret_access_key, None, None, "test").into();
    let mut settings = SigningSettings::default();
    settings.percent_encoding_mode = PercentEncodingMode::Single;
    settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region("us-east-1")
        .name("s3")
        .time(time)
        .settings(settings)
        .build()?;
    let url = format!("{}{path}", server.s3_url());
    let request =
        SignableRequest::new(method, url, std::iter::empty(), SignableBody::Bytes(body.as_bytes()))?;
    let (instructions, _) = sign(request, &parameters.into())?.into_parts();
    Ok(instructions.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_have_s3s_form() -> TestResult {
    let world = World::start(LocalOptions::default()).await?;
    let server = &world.server;
    let now = SystemTime::now();
    let path = "/pinlake-local/a%20%3C%26%3E%20b";
    let missing = send(server, "GET", path, &signed(server, ("GET", path), "", now)?, "").await?;
    assert!(missing.is(404, "NoSuchKey"), "{}", missing.body);
    assert_eq!(missing.element("Key"), Some("a &lt;&amp;&gt; b"));
    assert_eq!(missing.header("content-type"), Some("application/xml"));
    let bucket = send(server, "GET", "/nobody", &signed(server, ("GET", "/nobody"), "", now)?, "").await?;
    assert!(
        bucket.is(404, "NoSuchBucket") && bucket.element("BucketName") == Some("nobody"),
        "{}",
        bucket.body
    );

    let unsigned = send(server, "GET", path, &[], "").await?;
    assert!(unsigned.is(403, "AccessDenied"), "{}", unsigned.body);
    for hours in [-1_i64, 1] {
        let hour = Duration::from_hours(hours.unsigned_abs());
        let then = if hours < 0 { now - hour } else { now + hour };
        let skewed = send(server, "GET", path, &signed(server, ("GET", path), "", then)?, "").await?;
        assert!(skewed.is(403, "RequestTimeTooSkewed"), "{}", skewed.body);
    }
    let headers = signed(server, ("PUT", path), "original", now)?;
    let altered = send(server, "PUT", path, &headers, "altered!").await?;
    assert!(altered.is(400, "XAmzContentSHA256Mismatch"), "{}", altered.body);
    assert!(server.store().keys(BUCKET, "")?.is_empty(), "nothing was put");
    assert_eq!(send(server, "PUT", path, &headers, "original").await?.status, 200);
    let elsewhere = send(server, "PUT", "/pinlake-local/else", &headers, "original").await?;
    assert!(elsewhere.is(403, "SignatureDoesNotMatch"), "{}", elsewhere.body);

    let path = "/pinlake-local?delete=";
    let delete = |key| format!("<Delete><Object><Key>{key}</Key></Object></Delete>");
    let headers = signed(server, ("POST", path), &delete("b"), now)?;
    let altered = send(server, "POST", path, &headers, &delete("a")).await?;
    assert!(altered.is(400, "XAmzContentSHA256Mismatch"), "{}", altered.body);

    let path = "/pinlake-local?versioning";
    let unknown = send(server, "GET", path, &signed(server, ("GET", path), "", now)?, "").await?;
    assert!(unknown.is(501, "NotImplemented"), "{}", unknown.body);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_known_is_told_without_a_body() -> TestResult {
    let world = World::start(LocalOptions::default()).await?;
    let server = &world.server;
    let etag = server.store().put(BUCKET, "a", "content")?.etag().to_owned();
    let path = "/pinlake-local/a";
    for method in ["GET", "HEAD"] {
        let mut headers = signed(server, (method, path), "", SystemTime::now())?;
        headers.push(("if-none-match".to_owned(), format!("\"{etag}\"")));
        let known = send(server, method, path, &headers, "").await?;
        assert_eq!((known.status, known.body.as_str()), (304, ""));
        assert_eq!(known.header("etag"), Some(format!("\"{etag}\"").as_str()));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn urls_are_signed_for_a_while() -> TestResult {
    let world = World::start(LocalOptions::default()).await?;
    let server = &world.server;
    let for_a_minute =
        |start| PresigningConfig::builder().start_time(start).expires_in(Duration::from_mins(1)).build();
    let path = |url: &str| url.replace(&server.s3_url(), "");
    let put = world.s3.put_object().bucket(BUCKET).key("ü x").presigned(for_a_minute(SystemTime::now())?);
    let put = send(server, "PUT", &path(put.await?.uri()), &[], "by url").await?;
    assert_eq!(put.status, 200, "{}", put.body);

    let get = || world.s3.get_object().bucket(BUCKET).key("ü x");
    let url = path(get().presigned(for_a_minute(SystemTime::now())?).await?.uri());
    let answer = send(server, "GET", &url, &[], "").await?;
    assert_eq!((answer.status, answer.body.as_str()), (200, "by url"));
    let longer = send(server, "GET", &url.replace("X-Amz-Expires=60", "X-Amz-Expires=61"), &[], "").await?;
    assert!(longer.is(403, "SignatureDoesNotMatch"), "{}", longer.body);
    let hour_ago = SystemTime::now() - Duration::from_hours(1);
    let expired = path(get().presigned(for_a_minute(hour_ago)?).await?.uri());
    let expired = send(server, "GET", &expired, &[], "").await?;
    assert!(expired.is(403, "AccessDenied") && expired.body.contains("expired"), "{}", expired.body);
    Ok(())
}
