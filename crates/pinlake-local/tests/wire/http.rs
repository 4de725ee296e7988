//! Plain HTTP: what no SDK would send, and the wire form that SDKs hide.

use std::fmt::Write;
use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use pinlake_local::{LocalCredentials, LocalError, LocalOptions, LocalServer};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::world::{ROLE_ARN, TestResult, World, pinpoint_client};

/// An answer: status, headers in lower case, body.
struct Answer {
    status: u16,
    headers: String,
    body: String,
}

impl Answer {
    fn json(&self) -> Result<Value, Box<dyn std::error::Error>> {
        Ok(serde_json::from_str(&self.body)?)
    }

    /// The exception in the header, after checking the form of the body.
    fn exception(&self) -> Result<String, Box<dyn std::error::Error>> {
        let json = self.json()?;
        assert!(json["Message"].is_string() && json["RequestID"].is_string(), "{json}");
        assert!(self.headers.contains("x-amzn-requestid: "), "{}", self.headers);
        let line = self.headers.lines().find_map(|line| line.strip_prefix("x-amzn-errortype: "));
        Ok(line.ok_or("no error type")?.to_owned())
    }
}

/// Sends a request over a connection of its own.
async fn send(
    server: &LocalServer,
    method: &str,
    path: &str,
    headers: &[(String, String)],
    body: &str,
) -> Result<Answer, Box<dyn std::error::Error>> {
    let host = server.pinpoint_url().replace("http://", "");
    let mut request = format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n");
    if !headers.iter().any(|(name, _)| name == "content-length") {
        write!(request, "content-length: {}\r\n", body.len())?;
    }
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

/// The headers that sign a request, as AWS's page on the HTTP route has them.
fn signed(
    server: &LocalServer,
    method: &str,
    path: &str,
    body: &str,
) -> Result<Vec<(String, String)>, Box<dyn std::error::Error>> {
    let keys = server.credentials();
    let identity = Credentials::new(&keys.access_key_id, &keys.secret_access_key, None, None, "test").into();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region("us-east-1")
        .name("mobiletargeting")
        .time(SystemTime::now())
        .settings(SigningSettings::default())
        .build()?;
    let headers = [("content-type", "application/json"), ("accept", "application/json")];
    let url = format!("{}{path}", server.pinpoint_url());
    let request =
        SignableRequest::new(method, url, headers.into_iter(), SignableBody::Bytes(body.as_bytes()))?;
    let (instructions, _) = sign(request, &parameters.into())?.into_parts();
    let signature = instructions.headers().map(|(name, value)| (name.to_owned(), value.to_owned()));
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Ok(signature.chain(headers).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_signed_http_route_has_the_inner_object_as_its_body() -> TestResult {
    let world = World::with_audience(3, 1).await?;
    let server = &world.server;
    let path = format!("/v1/apps/{}/jobs/export", server.application_id());
    let body = format!(r#"{{ "S3UrlPrefix": "s3://pinlake-local/prefix", "RoleArn": "{ROLE_ARN}" }}"#);
    let created = send(server, "POST", &path, &signed(server, "POST", &path, &body)?, &body).await?;
    assert_eq!(created.status, 202);
    let job = created.json()?;
    assert_eq!((&job["JobStatus"], &job["Type"]), (&Value::from("CREATED"), &Value::from("EXPORT")));
    assert_eq!(job["Definition"]["S3UrlPrefix"], "s3://pinlake-local/prefix");
    assert!(job.get("CompletionDate").is_none() && job.get("Failures").is_none());
    assert!(job["CreationDate"].as_str().is_some_and(|date| date.len() == 24 && date.ends_with('Z')));

    let path = format!("{path}/{}", job["Id"].as_str().ok_or("no id")?);
    let asked = send(server, "GET", &path, &signed(server, "GET", &path, "")?, "").await?;
    assert_eq!((asked.status, &asked.json()?["Id"]), (200, &job["Id"]));
    assert!(asked.headers.contains("content-type: application/json"));

    // The same signature does not hold for another body.
    let path = format!("/v1/apps/{}/jobs/export", server.application_id());
    let altered = body.replace("prefix\"", "Prefix\"");
    let refused = send(server, "POST", &path, &signed(server, "POST", &path, &body)?, &altered).await?;
    assert_eq!((refused.status, refused.exception()?.as_str()), (403, "InvalidSignatureException"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_have_awss_form() -> TestResult {
    let world = World::with_audience(1, 1).await?;
    let server = &world.server;
    let unsigned = send(server, "GET", "/v1/apps", &[], "").await?;
    assert_eq!(
        (unsigned.status, unsigned.exception()?.as_str()),
        (403, "MissingAuthenticationTokenException")
    );

    let path = "/v1/apps/a/jobs/export";
    for (method, path, status, code) in [
        ("PATCH", path, 405, "MethodNotAllowedException"),
        ("GET", "/v1/nothing", 404, "NotFoundException"),
        ("GET", "/", 404, "NotFoundException"),
        ("GET", path, 404, "NotFoundException"),
    ] {
        let answer = send(server, method, path, &signed(server, method, path, "")?, "").await?;
        assert_eq!((answer.status, answer.exception()?.as_str()), (status, code), "{method} {path}");
    }

    let path = format!("/v1/apps/{}/jobs/export", server.application_id());
    for body in ["", "{", "[]", r#"{"RoleArn": 5}"#, "{}"] {
        let answer = send(server, "POST", &path, &signed(server, "POST", &path, body)?, body).await?;
        assert_eq!((answer.status, answer.exception()?.as_str()), (400, "BadRequestException"), "{body}");
    }
    let huge = [("content-length".to_owned(), "7000001".to_owned())];
    let answer = send(server, "POST", &path, &huge, "").await?;
    assert_eq!((answer.status, answer.exception()?.as_str()), (413, "PayloadTooLargeException"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_keys_are_told_to_the_sdk() -> TestResult {
    use aws_sdk_pinpoint::error::ProvideErrorMetadata;
    let world = World::with_audience(1, 1).await?;
    let keys = world.server.credentials();
    for (keys, code) in [
        (
            LocalCredentials { secret_access_key: "wrong".to_owned(), ..keys.clone() },
            "InvalidSignatureException",
        ),
        (
            LocalCredentials { access_key_id: "AKIAWRONG".to_owned(), ..keys.clone() },
            "UnrecognizedClientException",
        ),
    ] {
        let refused = pinpoint_client(&world.server, &keys).get_apps().send().await.err().ok_or("let in")?;
        assert_eq!(refused.code(), Some(code));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn it_listens_on_loopback_only_and_closes_when_it_stops() -> TestResult {
    let everywhere = LocalOptions { pinpoint_address: "0.0.0.0:0".parse()?, ..LocalOptions::default() };
    let refused = LocalServer::start(everywhere.clone()).await;
    assert!(matches!(refused, Err(LocalError::NotLoopback { .. })));
    LocalServer::start(LocalOptions { beyond_loopback: true, ..everywhere }).await?.stop().await;

    let server = LocalServer::start(LocalOptions::default()).await?;
    let address = server.s3_url().replace("http://", "");
    let taken = LocalOptions { s3_address: address.parse()?, ..LocalOptions::default() };
    let error = LocalServer::start(taken).await.err().ok_or("two on one port")?;
    assert!(error.is_retryable() && error.to_string().contains(&address), "{error}");

    // A client that keeps its connection open does not hold up the stop.
    let idle = TcpStream::connect(&address).await?;
    server.stop().await;
    assert!(TcpStream::connect(&address).await.is_err());
    drop(idle);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn more_requests_than_the_server_takes_are_refused_and_a_patient_client_goes_on() -> TestResult {
    let options = LocalOptions { requests_per_second: Some(5), ..LocalOptions::default() };
    let world = World::start(options).await?;
    let (server, path) = (&world.server, format!("/v1/apps/{}", world.server.application_id()));
    let mut refused = 0;
    for _ in 0..20 {
        let answer = send(server, "GET", &path, &signed(server, "GET", &path, "")?, "").await?;
        if answer.status == 429 {
            assert_eq!(answer.exception()?, "TooManyRequestsException");
            assert!(!answer.headers.contains("retry-after"), "{}", answer.headers);
            refused += 1;
        }
    }
    assert!(refused > 0);
    // AWS's own client with its usual retries does not notice.
    let config = world.pinpoint.config().to_builder();
    let retry = aws_sdk_pinpoint::config::retry::RetryConfig::standard().with_max_attempts(10);
    let patient = aws_sdk_pinpoint::Client::from_conf(config.retry_config(retry).build());
    for _ in 0..8 {
        patient.get_app().application_id(server.application_id()).send().await?;
    }
    Ok(())
}
