//! What goes wrong on purpose reaches the client as it was meant.

use aws_sdk_s3::error::ProvideErrorMetadata;
use pinlake_local::{Fault, FaultRule, LocalOptions};

use crate::world::{TestResult, World};

const BUCKET: &str = "pinlake-local";

/// A world with one object of a megabyte, the rule for reading it, and what a client gets: its bytes, or nothing.
async fn read_with(fault: Fault) -> Result<(Vec<u8>, Option<Vec<u8>>), Box<dyn std::error::Error>> {
    let world = World::start(LocalOptions::default()).await?;
    let content: Vec<u8> = (0..1_000_000_u32).map(|place| (place % 251) as u8).collect();
    world.server.store().put(BUCKET, "exports/part-1.gz", content.clone())?;
    world.server.faults().add(FaultRule::s3("GetObject", fault).on_path("part-1"));
    let read = async || {
        let object = world.s3.get_object().bucket(BUCKET).key("exports/part-1.gz").send().await.ok()?;
        Some(object.body.collect().await.ok()?.into_bytes().to_vec())
    };
    let first = read().await;
    assert_eq!(world.server.faults().struck(), 1);
    // The rule was for one request; the next is well again.
    assert_eq!(read().await.as_deref(), Some(content.as_slice()));
    assert_eq!(world.server.requests().of("GetObject"), 2);
    Ok((content, first))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_reset_or_short_is_an_error() -> TestResult {
    assert_eq!(read_with(Fault::ResetMidBody).await?.1, None);
    assert_eq!(read_with(Fault::ShortBody).await?.1, None);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_truncated_or_altered_body_looks_well() -> TestResult {
    let (content, truncated) = read_with(Fault::TruncatedBody).await?;
    assert_eq!(truncated.as_deref(), Some(&content[..500_000]));
    let (content, altered) = read_with(Fault::FlipBit).await?;
    let altered = altered.ok_or("no body")?;
    assert_eq!(altered.len(), content.len());
    let differing: Vec<usize> =
        (0..content.len()).filter(|&place| content[place] != altered[place]).collect();
    assert_eq!(differing, [500_000]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_can_change_between_listing_and_reading() -> TestResult {
    let world = World::start(LocalOptions::default()).await?;
    world.server.store().put(BUCKET, "a b/part-1.gz", "content")?;
    world.server.faults().add(FaultRule::s3("GetObject", Fault::StaleETag));
    let list = world.s3.list_objects_v2().bucket(BUCKET).send().await?;
    let etag = list.contents()[0].e_tag().ok_or("no ETag")?.to_owned();
    let get = || world.s3.get_object().bucket(BUCKET).key("a b/part-1.gz").if_match(&etag).send();
    let error = get().await.err().ok_or("read an object that changed")?;
    assert_eq!(error.raw_response().map(|response| response.status().as_u16()), Some(412));
    assert!(get().await.is_err(), "the object stays changed");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn services_fail_with_codes() -> TestResult {
    let world = World::with_audience(1, 1).await?;
    let faults = world.server.faults();
    faults.add(FaultRule::s3("ListObjectsV2", Fault::status(503, "SlowDown")).after(1).times(2));
    faults.add(FaultRule::s3("HeadObject", Fault::status(403, "AccessDenied")));
    faults.add(FaultRule::pinpoint("GetApp", Fault::status(429, "TooManyRequestsException")));
    faults.add(FaultRule::pinpoint("GetApps", Fault::status(403, "ExpiredTokenException")));
    let mut codes = Vec::new();
    for _ in 0..4 {
        let list = world.s3.list_objects_v2().bucket(BUCKET).send().await;
        codes.push(list.err().and_then(|error| error.code().map(str::to_owned)));
    }
    let slow = Some("SlowDown".to_owned());
    assert_eq!(codes, [None, slow.clone(), slow, None]);
    let head = world.s3.head_object().bucket(BUCKET).key("a").send().await.err().ok_or("allowed")?;
    assert_eq!(head.raw_response().map(|response| response.status().as_u16()), Some(403));
    let app = world.pinpoint.get_app().application_id(world.server.application_id());
    let error = app.clone().send().await.err().ok_or("not throttled")?;
    assert!(error.into_service_error().is_too_many_requests_exception());
    app.send().await?;
    let apps = world.pinpoint.get_apps().send().await.err().ok_or("not expired")?;
    assert_eq!(apps.code(), Some("ExpiredTokenException"));
    Ok(())
}
