//! Clients that take their time: what they are given of the server's, and that others are served meanwhile.
//!
//! The limits are short here, and what is expected to come is waited for far longer than it may take.

use std::fmt::Write as _;
use std::time::Duration;

use aws_sdk_s3::presigning::PresigningConfig;
use pinlake_local::{ClientLimits, LocalOptions};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::world::{TestResult, World};

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server that gives clients little time.
async fn hasty(options: LocalOptions) -> Result<World, Box<dyn std::error::Error>> {
    let limits = ClientLimits {
        header_time: Duration::from_millis(500),
        body_time: Duration::from_millis(500),
        ..ClientLimits::default()
    };
    World::start(LocalOptions { limits, ..options }).await
}

/// Sends this much of a request, and returns all that comes until the server closes.
async fn answer_to(url: &str, beginning: &str) -> Result<String, Box<dyn std::error::Error>> {
    let mut stream = TcpStream::connect(url.replace("http://", "")).await?;
    stream.write_all(beginning.as_bytes()).await?;
    let mut answer = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut answer)).await??;
    Ok(answer)
}

/// The first lines of a signed upload of this many bytes, up to the body.
async fn upload(world: &World, key: &str, bytes: usize) -> Result<String, Box<dyn std::error::Error>> {
    let minute = PresigningConfig::expires_in(Duration::from_mins(1))?;
    let put = world.s3.put_object().bucket(world.server.bucket()).key(key).presigned(minute).await?;
    let path = put.uri().replace(&world.server.s3_url(), "");
    let host = world.server.s3_url().replace("http://", "");
    let mut headers = String::new();
    for (name, value) in put.headers().filter(|(name, _)| !matches!(*name, "host" | "content-length")) {
        write!(headers, "{name}: {value}\r\n")?;
    }
    Ok(format!("PUT {path} HTTP/1.1\r\nhost: {host}\r\ncontent-length: {bytes}\r\n{headers}\r\n"))
}

async fn is_there(world: &World, key: &str) -> bool {
    world.s3.head_object().bucket(world.server.bucket()).key(key).send().await.is_ok()
}

#[tokio::test]
async fn an_upload_that_stops_coming_ends_and_leaves_nothing() -> TestResult {
    let folder = tempfile::tempdir()?;
    let world =
        hasty(LocalOptions { data: Some(folder.path().to_owned()), ..LocalOptions::default() }).await?;
    // More than is kept in memory before it goes to a file.
    let begun = upload(&world, "half", 30 << 20).await? + &"x".repeat(20 << 20);
    let answer = answer_to(&world.server.s3_url(), &begun).await?;
    assert!(
        answer.starts_with("HTTP/1.1 400 ") && answer.contains("<Code>RequestTimeout</Code>"),
        "{answer}"
    );
    assert!(answer.to_lowercase().contains("connection: close"), "{answer}");
    assert!(!is_there(&world, "half").await);
    let kept: Vec<_> = std::fs::read_dir(folder.path().join("objects"))?.collect();
    assert!(kept.is_empty(), "{kept:?}");
    world.server.stop().await;
    Ok(())
}

#[tokio::test]
async fn an_upload_may_be_slow_as_long_as_it_comes() -> TestResult {
    let world = hasty(LocalOptions::default()).await?;
    let mut stream = TcpStream::connect(world.server.s3_url().replace("http://", "")).await?;
    stream.write_all(upload(&world, "slow", 20).await?.as_bytes()).await?;
    // Twice the time that it may pause.
    for _ in 0..20 {
        stream.write_all(b"x").await?;
        sleep(Duration::from_millis(50)).await;
    }
    let mut answer = [0; 12];
    timeout(PATIENCE, stream.read_exact(&mut answer)).await??;
    assert_eq!(&answer, b"HTTP/1.1 200");
    assert!(is_there(&world, "slow").await);
    world.server.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_pinpoint_request_that_stops_coming_is_refused() -> TestResult {
    let world = hasty(LocalOptions::default()).await?;
    let url = world.server.pinpoint_url();
    let begun = "POST /v1/apps HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{\"Name\":";
    let answer = answer_to(&url, begun).await?;
    assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("did not arrive in time"), "{answer}");
    world.server.stop().await;
    Ok(())
}

#[tokio::test]
async fn headers_that_stop_coming_and_idle_connections_are_closed() -> TestResult {
    let world = hasty(LocalOptions::default()).await?;
    for url in [world.server.pinpoint_url(), world.server.s3_url()] {
        for begun in ["", "GET / HTTP/1.1\r\nhost: x\r\n", "GET / HTTP/1.1\r\nhost: x\r\n\r\n"] {
            let answer = answer_to(&url, begun).await?;
            assert!(!answer.starts_with("HTTP/1.1 2"), "{begun:?}: {answer}");
        }
    }
    world.server.stop().await;
    Ok(())
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_for_a_place() -> TestResult {
    let limits = ClientLimits { connections: 1, ..ClientLimits::default() };
    let world = World::start(LocalOptions { limits, ..LocalOptions::default() }).await?;
    let host = world.server.pinpoint_url().replace("http://", "");
    let mut first = TcpStream::connect(&host).await?;
    first.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await?;
    first.read_exact(&mut [0; 12]).await?;
    let mut second = TcpStream::connect(&host).await?;
    second.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await?;
    let mut answer = [0; 12];
    assert!(timeout(Duration::from_millis(300), second.read_exact(&mut answer)).await.is_err());
    drop(first);
    timeout(PATIENCE, second.read_exact(&mut answer)).await??;
    assert_eq!(&answer[..9], b"HTTP/1.1 ");
    world.server.stop().await;
    Ok(())
}
