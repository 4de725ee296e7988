//! Import jobs through AWS's own SDK: files in the local S3 become endpoints and segments.

use aws_sdk_pinpoint::error::ProvideErrorMetadata;
use aws_sdk_pinpoint::types::{Format, ImportJobRequest, ImportJobResponse, JobStatus, SegmentType};
use pinlake_local::LocalOptions;

use crate::export::{export, lines};
use crate::world::{ROLE_ARN, TestResult, World};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

async fn world() -> Outcome<World> {
    World::start(LocalOptions { job_pace: std::time::Duration::ZERO, ..LocalOptions::default() }).await
}

fn request(format: Format, key: &str) -> ImportJobRequest {
    let url = format!("s3://pinlake-local/{key}");
    ImportJobRequest::builder().format(format).s3_url(url).role_arn(ROLE_ARN).build()
}

/// Runs a job and returns its last answer.
async fn import(world: &World, request: ImportJobRequest) -> Outcome<ImportJobResponse> {
    let application_id = world.server.application_id();
    let created = world
        .pinpoint
        .create_import_job()
        .application_id(application_id)
        .import_job_request(request)
        .send()
        .await?;
    let job = created.import_job_response.ok_or("no job")?;
    assert_eq!((job.job_status.as_ref(), job.r#type.as_deref()), (Some(&JobStatus::Created), Some("IMPORT")));
    let id = job.id.ok_or("no id")?;
    let polling = async {
        loop {
            let answer =
                world.pinpoint.get_import_job().application_id(application_id).job_id(&id).send().await?;
            let job = answer.import_job_response.ok_or("no job")?;
            if matches!(job.job_status, Some(JobStatus::Completed | JobStatus::Failed)) {
                return Ok(job);
            }
        }
    };
    tokio::time::timeout(std::time::Duration::from_mins(1), polling).await?
}

#[tokio::test(flavor = "multi_thread")]
async fn json_lines_become_endpoints_and_bad_ones_are_told() -> TestResult {
    let world = world().await?;
    world.server.store().put(
        "pinlake-local",
        "in/one.json",
        "{\"ChannelType\":\"SMS\",\"Address\":\"+1\",\"Attributes\":{\"Ride\":[\"Bus\"]}}\n{\"Id\":\"nobody\"}\nnonsense\n{\"Id\":\"mine\",\"ChannelType\":\"EMAIL\",\"Address\":\"a@b.c\"}",
    )?;
    world.server.store().put("pinlake-local", "in/deep/two.json", "{\"Id\":\"mine\",\"OptOut\":\"ALL\"}")?;
    world.server.store().put("pinlake-local", "in/other.csv", "Id,Address,ChannelType\nno,+9,SMS\n")?;
    let job = import(&world, request(Format::Json, "in/")).await?;
    assert_eq!(job.job_status, Some(JobStatus::Completed));
    assert_eq!((job.total_pieces, job.completed_pieces, job.failed_pieces), (Some(2), Some(2), Some(0)));
    // "in/deep/two.json" comes first: an endpoint of which nothing is known but its opt-out.
    assert_eq!((job.total_processed, job.total_failures), (Some(2), Some(3)));
    let told = [
        "in/deep/two.json, line 1: Missing ChannelType",
        "in/one.json, line 3: it is no JSON object",
        "in/one.json, line 2: Missing ChannelType",
    ];
    let mut failures = job.failures.unwrap_or_default();
    failures.sort();
    let mut told = told.map(str::to_owned);
    told.sort();
    assert_eq!(failures, told);
    // The same again updates: an id that was not given follows from the address.
    import(&world, request(Format::Json, "in/one.json")).await?;
    export(&world, "s3://pinlake-local/out/").await?;
    let exported = lines(&world, "out/")?;
    assert_eq!(exported.len(), 2, "{exported:?}");
    let id = exported[0].split("\"Id\":\"").nth(1).and_then(|rest| rest.split('"').next()).ok_or("no id")?;
    assert!(
        id.len() == 27
            && id
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"+/".contains(&byte)),
        "{id}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn csv_defines_a_segment_that_can_be_exported_and_added_to() -> TestResult {
    let world = world().await?;
    let (store, application_id) = (world.server.store(), world.server.application_id());
    store.put("pinlake-local", "a.csv", "Id,ChannelType,Address,User.UserId,User.UserAttributes.f,User.UserAttributes.f\ne1,SMS,+1,u,x,y\ne2,EMAIL,a@b.c,v,,\n")?;
    store.put("pinlake-local", "b.csv", "ChannelType,Address,Id\nSMS,+3,e3\n")?;
    store.put("pinlake-local", "users.csv", "User.UserId\nv\nnobody\n")?;
    let mut defining = request(Format::Csv, "a.csv");
    (defining.define_segment, defining.segment_name) = (Some(true), Some("imported".to_owned()));
    let job = import(&world, defining).await?;
    assert_eq!((job.job_status, job.total_processed), (Some(JobStatus::Completed), Some(2)));
    let segment_id = job.definition.and_then(|definition| definition.segment_id).ok_or("no segment")?;
    let get = || world.pinpoint.get_segment().application_id(application_id).segment_id(&segment_id).send();
    let segment = get().await?.segment_response.ok_or("no segment")?;
    assert_eq!(
        (segment.segment_type, segment.name.as_deref()),
        (Some(SegmentType::Import), Some("imported"))
    );
    let import_definition = segment.import_definition.ok_or("no import")?;
    assert_eq!(import_definition.size, Some(2));
    assert_eq!(import_definition.channel_counts.and_then(|counts| counts.get("SMS").copied()), Some(1));
    assert_eq!(lines_of(&world, &segment_id).await?, ["e1", "e2"]);

    let mut adding = request(Format::Csv, "b.csv");
    adding.segment_id = Some(segment_id.clone());
    import(&world, adding).await?;
    assert_eq!(get().await?.segment_response.and_then(|segment| segment.version), Some(2));
    assert_eq!(lines_of(&world, &segment_id).await?, ["e1", "e2", "e3"]);
    let jobs = world
        .pinpoint
        .get_segment_import_jobs()
        .application_id(application_id)
        .segment_id(&segment_id)
        .send()
        .await?;
    assert_eq!(jobs.import_jobs_response.and_then(|jobs| jobs.item).map(|jobs| jobs.len()), Some(2));

    // Without registration nobody is added.
    store.put("pinlake-local", "c.csv", "Id,ChannelType,Address\ne1,SMS,+1\nstranger,SMS,+9\n")?;
    let mut unregistered = request(Format::Csv, "c.csv");
    (unregistered.register_endpoints, unregistered.define_segment) = (Some(false), Some(true));
    let job = import(&world, unregistered).await?;
    assert_eq!((job.total_processed, job.total_failures), (Some(1), Some(1)));
    assert_eq!(job.failures.unwrap_or_default(), ["c.csv, line 3: the endpoint is not registered"]);
    let unregistered = job.definition.and_then(|definition| definition.segment_id).ok_or("no segment")?;
    assert_eq!(lines_of(&world, &unregistered).await?, ["e1"]);

    // Of a file with users alone all of their endpoints are members, and nothing is registered.
    let mut users = request(Format::Csv, "users.csv");
    users.define_segment = Some(true);
    let job = import(&world, users).await?;
    assert_eq!(job.failures.unwrap_or_default(), ["users.csv, line 3: the user has no endpoints"]);
    let of_users = job.definition.and_then(|definition| definition.segment_id).ok_or("no segment")?;
    assert_eq!(lines_of(&world, &of_users).await?, ["e2"]);
    Ok(())
}

/// The ids in an export of a segment.
async fn lines_of(world: &World, segment_id: &str) -> Outcome<Vec<String>> {
    let prefix = format!("of/{segment_id}/{}/", unused_number(world));
    crate::segment::export_segment(world, segment_id, None, &prefix).await
}

/// Something that no earlier export of this world was written under.
fn unused_number(world: &World) -> usize {
    world.server.store().keys("pinlake-local", "of/").map_or(0, |keys| keys.len())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_finds_nothing_or_damage_fails_and_says_so() -> TestResult {
    let world = world().await?;
    world.server.store().put("pinlake-local", "bad.csv", "this,that\n1,2\n")?;
    world.server.store().put("pinlake-local", "bad.json.gz", &b"\x1f\x8b\x08\0\0\0\0\0\0\xff"[..])?;
    let bucket = ImportJobRequest::builder()
        .format(Format::Json)
        .s3_url("s3://elsewhere/x")
        .role_arn(ROLE_ARN)
        .build();
    for (request, told) in [
        (request(Format::Json, "none/"), "Nothing to import lies under s3://pinlake-local/none/."),
        (request(Format::Csv, "bad.csv"), "bad.csv: the object cannot be read: its header"),
        (request(Format::Json, "bad.json.gz"), "bad.json.gz: the object cannot be read: the gzip"),
        (bucket, "there is no bucket"),
    ] {
        let job = import(&world, request).await?;
        assert_eq!(job.job_status, Some(JobStatus::Failed));
        let failures = job.failures.unwrap_or_default();
        assert!(failures.iter().any(|failure| failure.contains(told)), "{failures:?}");
    }
    let application_id = world.server.application_id();
    let refused = |request: ImportJobRequest| async {
        let sent = world
            .pinpoint
            .create_import_job()
            .application_id(application_id)
            .import_job_request(request)
            .send()
            .await;
        sent.err().and_then(|error| error.message().map(str::to_owned)).unwrap_or_default()
    };
    let mut wrong = request(Format::from("XML"), "x");
    assert_eq!(refused(wrong.clone()).await, "Format must be one of CSV, JSON.");
    (wrong.format, wrong.s3_url) = (Some(Format::Csv), Some("/x".to_owned()));
    assert_eq!(refused(wrong).await, "S3Url must be s3://bucket-name/folder-name/file-name.");
    let mut missing = request(Format::Csv, "x");
    missing.segment_id = Some("none".to_owned());
    assert_eq!(refused(missing).await, "Segment none was not found.");
    Ok(())
}
