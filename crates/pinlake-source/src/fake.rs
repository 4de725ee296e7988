//! Servers on loopback for the tests of this crate: answers by a function, and a bucket with faults.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::response::Response;
use md5::{Digest, Md5};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::aws::{Aws, AwsOptions, StaticCredentials};
use crate::fetch::hex;

/// What S3 leaves as it is in a URL-encoded key.
const KEY_SET: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_');

/// A request as the answering function sees it.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: HashMap<String, String>,
    pub(crate) range: Option<String>,
    pub(crate) if_match: Option<String>,
}

/// Serves until the test's runtime ends; returns the URL.
pub(crate) async fn serve<F>(answer: F) -> String
where
    F: Fn(Asked) -> Response + Clone + Send + Sync + 'static,
{
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let app = axum::Router::new().fallback(move |request: Request| {
        let answer = answer.clone();
        async move { answer(asked(&request)) }
    });
    tokio::spawn(async move { axum::serve(listener, app).await });
    url
}

fn asked(request: &Request) -> Asked {
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let pairs = request.uri().query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
    let query = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let header = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    Asked {
        method: request.method().to_string(),
        path: decoded(request.uri().path()),
        query: query.map(|(name, value)| (name.to_owned(), decoded(value))).collect(),
        range: header("range"),
        if_match: header("if-match"),
    }
}

pub(crate) fn respond(status: u16, headers: &[(&str, &str)], body: impl Into<Body>) -> Response {
    let mut response = http::Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response.body(body.into()).unwrap()
}

/// Both clients for a server on loopback, with short bounds so that tests end soon.
pub(crate) async fn connect(url: &str) -> Aws {
    connect_within(url, Duration::from_secs(2), Duration::from_millis(250)).await
}

pub(crate) async fn connect_within(url: &str, retry_for: Duration, stall_timeout: Duration) -> Aws {
    let options = AwsOptions {
        region: Some("us-east-1".to_owned()),
        pinpoint_endpoint_url: Some(url.to_owned()),
        s3_endpoint_url: Some(url.to_owned()),
        static_credentials: Some(StaticCredentials {
            access_key_id: "AKIDTEST".to_owned(),
            secret_access_key: "canary-secret".to_owned(),
        }),
        retry_for,
        stall_timeout,
        profile: None,
    };
    Aws::connect(&options).await
}

/// What a bucket does to the next request for a key.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// An error with this status and S3 code.
    Status(u16, &'static str),
    /// The connection breaks after so many bytes.
    Reset(usize),
    /// Nothing comes after so many bytes.
    Stall(usize),
    /// One byte is another.
    Flip(usize),
    /// Status 200 with an error document.
    ErrorPage,
    /// `Range` is overlooked.
    NoRange,
    /// The length is told and kept, but too small by so many bytes.
    Short(usize),
}

/// A bucket named `bucket`, in memory.
#[derive(Debug, Clone, Default)]
pub(crate) struct FakeBucket {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    objects: BTreeMap<String, Bytes>,
    faults: HashMap<String, VecDeque<Fault>>,
    gets: Vec<Asked>,
    page_size: usize,
    is_token_repeated: bool,
}

impl FakeBucket {
    pub(crate) fn new(page_size: usize) -> Self {
        let bucket = Self::default();
        bucket.state.lock().unwrap().page_size = page_size;
        bucket
    }

    pub(crate) fn put(&self, key: &str, bytes: impl AsRef<[u8]>) {
        let bytes = Bytes::copy_from_slice(bytes.as_ref());
        self.state.lock().unwrap().objects.insert(key.to_owned(), bytes);
    }

    pub(crate) fn remove(&self, key: &str) {
        self.state.lock().unwrap().objects.remove(key);
    }

    /// Faults for the next requests for `key`, one each; the key `?list` is the listing.
    pub(crate) fn fail(&self, key: &str, faults: impl IntoIterator<Item = Fault>) {
        self.state.lock().unwrap().faults.insert(key.to_owned(), faults.into_iter().collect());
    }

    pub(crate) fn repeat_tokens(&self) {
        self.state.lock().unwrap().is_token_repeated = true;
    }

    /// The GETs of objects so far.
    pub(crate) fn gets(&self) -> Vec<Asked> {
        self.state.lock().unwrap().gets.clone()
    }

    pub(crate) async fn serve(&self) -> String {
        let state = Arc::clone(&self.state);
        serve(move |asked| state.lock().unwrap().answer(&asked)).await
    }
}

impl State {
    fn answer(&mut self, asked: &Asked) -> Response {
        let rest = asked.path.trim_start_matches('/');
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket != "bucket" {
            return error(404, "NoSuchBucket");
        }
        let name = if key.is_empty() { "?list" } else { key };
        let fault = self.faults.get_mut(name).and_then(VecDeque::pop_front);
        if let Some(Fault::Status(status, code)) = fault {
            if !key.is_empty() {
                self.gets.push(asked.clone());
            }
            return error(status, code);
        }
        if key.is_empty() { self.page(asked) } else { self.object(asked, key, fault.as_ref()) }
    }

    fn page(&self, asked: &Asked) -> Response {
        use std::fmt::Write;
        let prefix = asked.query.get("prefix").map_or("", String::as_str);
        let after = asked.query.get("continuation-token").map_or("", String::as_str);
        let max = asked.query.get("max-keys").and_then(|max| max.parse().ok()).unwrap_or(self.page_size);
        let mut keys = self
            .objects
            .iter()
            .filter(|(key, _)| key.starts_with(prefix) && (self.is_token_repeated || key.as_str() > after));
        let page: Vec<_> = keys.by_ref().take(max).collect();
        let mut xml = String::from("<?xml version=\"1.0\"?><ListBucketResult><Name>bucket</Name>");
        for (key, bytes) in &page {
            let key = utf8_percent_encode(key, KEY_SET).to_string().replace("%20", "+");
            let (etag, size) = (etag_of(bytes), bytes.len());
            let etag = etag.replace('"', "&quot;");
            write!(xml, "<Contents><Key>{key}</Key><Size>{size}</Size><ETag>{etag}</ETag></Contents>")
                .unwrap();
        }
        if keys.next().is_some() {
            let token = page.last().unwrap().0;
            write!(
                xml,
                "<IsTruncated>true</IsTruncated><NextContinuationToken>{token}</NextContinuationToken>"
            )
            .unwrap();
        }
        xml.push_str("<EncodingType>url</EncodingType></ListBucketResult>");
        respond(200, &[("content-type", "application/xml")], xml)
    }

    fn object(&mut self, asked: &Asked, key: &str, fault: Option<&Fault>) -> Response {
        self.gets.push(asked.clone());
        let Some(bytes) = self.objects.get(key) else { return error(404, "NoSuchKey") };
        let etag = etag_of(bytes);
        if asked.if_match.as_ref().is_some_and(|wanted| *wanted != etag) {
            return error(412, "PreconditionFailed");
        }
        let range = asked.range.as_deref().filter(|_| !matches!(fault, Some(Fault::NoRange)));
        let (from, to) = range.map_or((0, bytes.len()), |range| {
            let (from, last) = range.strip_prefix("bytes=").unwrap().split_once('-').unwrap();
            (from.parse().unwrap(), last.parse::<usize>().unwrap() + 1)
        });
        let part = bytes.slice(from..to);
        let length = part.len().to_string();
        let content_range = format!("bytes {from}-{}/{}", to.saturating_sub(1), bytes.len());
        let mut headers = vec![("etag", etag.as_str()), ("content-length", length.as_str())];
        if range.is_some() {
            headers.push(("content-range", &content_range));
        }
        let status = if range.is_some() { 206 } else { 200 };
        match fault {
            Some(Fault::Reset(after)) => respond(status, &headers, broken(&part.slice(..*after), false)),
            Some(Fault::Stall(after)) => respond(status, &headers, broken(&part.slice(..*after), true)),
            Some(Fault::Flip(at)) => {
                let mut flipped = part.to_vec();
                flipped[*at] ^= 1;
                respond(status, &headers, flipped)
            }
            Some(Fault::Short(by)) => {
                respond(status, &[("etag", etag.as_str())], part.slice(..part.len() - by))
            }
            Some(Fault::ErrorPage) => respond(200, &[], "<Error><Code>InternalError</Code></Error>"),
            _ => respond(status, &headers, part),
        }
    }
}

/// A body that ends early: by a reset, or by never going on.
fn broken(start: &Bytes, is_stalled: bool) -> Body {
    Body::from_stream(Broken { start: Some(start.clone()), is_stalled, pauses: 3 })
}

struct Broken {
    start: Option<Bytes>,
    is_stalled: bool,
    /// How often the server finds nothing before the end, so that it sends what it has.
    pauses: u32,
}

impl futures::Stream for Broken {
    type Item = std::io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(start) = self.start.take() {
            return Poll::Ready(Some(Ok(start)));
        }
        if self.is_stalled {
            return Poll::Pending;
        }
        if self.pauses > 0 {
            self.pauses -= 1;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Some(Err(std::io::Error::other("cut"))))
    }
}

fn error(status: u16, code: &str) -> Response {
    let xml = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>said so</Message></Error>");
    respond(status, &[("content-type", "application/xml")], xml)
}

pub(crate) fn etag_of(bytes: &[u8]) -> String {
    format!("\"{}\"", hex(&Md5::digest(bytes)))
}
