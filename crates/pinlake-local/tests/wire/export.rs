//! AWS's page on exporting endpoints, step by step: create a job, ask for it, list what it wrote, read that.

use std::io::Read;
use std::time::Duration;

use aws_sdk_pinpoint::error::ProvideErrorMetadata;
use aws_sdk_pinpoint::types::{CreateApplicationRequest, ExportJobRequest, ExportJobResponse, JobStatus};
use flate2::read::MultiGzDecoder;
use pinlake_local::{LocalOptions, Population, PopulationOptions};

use crate::world::{ROLE_ARN, TestResult, World};

fn job_request(s3_url_prefix: &str) -> ExportJobRequest {
    ExportJobRequest::builder().role_arn(ROLE_ARN).s3_url_prefix(s3_url_prefix).build()
}

/// Creates a job and returns its id.
async fn create(
    world: &World,
    application_id: &str,
    request: ExportJobRequest,
) -> Result<String, Box<dyn std::error::Error>> {
    let created = world
        .pinpoint
        .create_export_job()
        .application_id(application_id)
        .export_job_request(request)
        .send()
        .await?;
    let job = created.export_job_response.ok_or("no job")?;
    assert_eq!(job.job_status, Some(JobStatus::Created));
    assert_eq!(job.r#type.as_deref(), Some("EXPORT"));
    Ok(job.id.ok_or("no id")?)
}

/// Asks for a job until it has ended, and returns every answer.
async fn follow(
    world: &World,
    application_id: &str,
    job_id: &str,
) -> Result<Vec<ExportJobResponse>, Box<dyn std::error::Error>> {
    let polling = async {
        let mut answers = Vec::new();
        loop {
            let answer =
                world.pinpoint.get_export_job().application_id(application_id).job_id(job_id).send().await?;
            let job = answer.export_job_response.ok_or("no job")?;
            let ended = matches!(job.job_status, Some(JobStatus::Completed | JobStatus::Failed));
            answers.push(job);
            if ended {
                return Ok(answers);
            }
        }
    };
    tokio::time::timeout(Duration::from_mins(1), polling).await?
}

/// Creates a job for everybody and returns its last answer.
pub(crate) async fn export(
    world: &World,
    s3_url_prefix: &str,
) -> Result<ExportJobResponse, Box<dyn std::error::Error>> {
    let application_id = world.server.application_id();
    let job_id = create(world, application_id, job_request(s3_url_prefix)).await?;
    Ok(follow(world, application_id, &job_id).await?.pop().ok_or("no answer")?)
}

/// The lines of all objects under a prefix, read past S3.
pub(crate) fn lines(world: &World, prefix: &str) -> Result<Vec<String>, Box<dyn std::error::Error>> {
    let (store, bucket) = (world.server.store(), world.server.bucket());
    let mut lines = Vec::new();
    for key in store.keys(bucket, prefix)? {
        let mut text = String::new();
        MultiGzDecoder::new(store.get(bucket, &key)?.bytes()?.as_ref()).read_to_string(&mut text)?;
        lines.extend(text.split('\n').map(str::to_owned));
    }
    Ok(lines)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_writes_every_endpoint_once_over_more_than_a_page_of_keys() -> TestResult {
    let world = World::with_audience(2_500, 2).await?;
    let job = export(&world, "s3://pinlake-local/exports/2026").await?;
    assert_eq!(job.job_status, Some(JobStatus::Completed));
    assert_eq!(
        (job.total_pieces, job.completed_pieces, job.failed_pieces),
        (Some(1_250), Some(1_250), Some(0))
    );
    assert_eq!((job.total_processed, job.total_failures), (Some(2_500), Some(0)));
    assert!(job.completion_date >= job.creation_date && job.failures.is_none());
    let definition = job.definition.ok_or("no definition")?;
    assert_eq!(definition.s3_url_prefix.as_deref(), Some("s3://pinlake-local/exports/2026"));

    let mut keys = Vec::new();
    let mut pages =
        world.s3.list_objects_v2().bucket("pinlake-local").prefix("exports/2026/").into_paginator().send();
    let mut page_sizes = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page?;
        page_sizes.push(page.contents().len());
        for object in page.contents() {
            assert!(object.e_tag().is_some() && object.size().is_some_and(|size| size > 0));
            keys.extend(object.key().map(str::to_owned));
        }
    }
    assert_eq!(page_sizes, [1_000, 250]);
    let names = format!("exports/2026/{}/{}-", world.server.application_id(), job.id.unwrap_or_default());
    assert!(keys.iter().all(|key| key.starts_with(&names)), "{names}");

    let population = Population::new(PopulationOptions { endpoints: 2_500, ..PopulationOptions::default() });
    let mut expected = Vec::new();
    for index in 0..2_500 {
        let mut line = Vec::new();
        population.write_line(index, &mut line);
        expected.push(String::from_utf8(line)?);
    }
    let mut found = lines(&world, "exports/2026/")?;
    found.sort();
    expected.sort();
    assert!(found == expected);

    for key in keys.iter().step_by(250) {
        let object = world.s3.get_object().bucket("pinlake-local").key(key).send().await?;
        let stored = world.server.store().get("pinlake-local", key)?;
        assert_eq!(object.e_tag(), Some(format!("\"{}\"", stored.etag()).as_str()));
        assert_eq!(object.body.collect().await?.into_bytes(), stored.bytes()?);
    }
    let requests = world.server.requests();
    assert_eq!(
        (requests.of("CreateExportJob"), requests.of("ListObjectsV2"), requests.of("GetObject")),
        (1, 2, 5)
    );
    world.server.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn statuses_come_in_order_and_pieces_grow() -> TestResult {
    let world = World::start(LocalOptions {
        population: Some(PopulationOptions { endpoints: 400, ..PopulationOptions::default() }),
        endpoints_per_piece: 10,
        job_pace: Duration::from_millis(50),
        ..LocalOptions::default()
    })
    .await?;
    let application_id = world.server.application_id();
    let job_id = create(&world, application_id, job_request("s3://pinlake-local/paced/")).await?;
    let answers = follow(&world, application_id, &job_id).await?;
    let order = [
        JobStatus::Created,
        JobStatus::PreparingForInitialization,
        JobStatus::Initializing,
        JobStatus::Processing,
        JobStatus::Completing,
        JobStatus::Completed,
    ];
    let place =
        |job: &ExportJobResponse| order.iter().position(|status| job.job_status.as_ref() == Some(status));
    assert!(answers.iter().all(|job| place(job).is_some()));
    assert!(answers.is_sorted_by_key(place));
    assert!(answers.is_sorted_by_key(|job| job.completed_pieces));
    let growing = answers.iter().filter(|job| matches!(job.completed_pieces, Some(1..40))).count();
    assert!(growing > 0, "nobody saw the job in its middle");
    assert!(answers.iter().filter(|job| job.total_pieces.is_some()).all(|job| job.total_pieces == Some(40)));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_cannot_write_fails_and_says_why() -> TestResult {
    let world = World::with_audience(30, 10).await?;
    let job = export(&world, "s3://no-such-bucket/exports/").await?;
    assert_eq!(job.job_status, Some(JobStatus::Failed));
    assert_eq!((job.total_pieces, job.completed_pieces, job.failed_pieces), (Some(3), Some(0), Some(3)));
    assert_eq!((job.total_processed, job.total_failures), (Some(0), Some(30)));
    assert!(job.failures.unwrap_or_default().iter().all(|failure| failure.contains("no-such-bucket")));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_without_endpoints_completes_without_pieces() -> TestResult {
    let world = World::with_audience(30, 10).await?;
    let request = CreateApplicationRequest::builder().name("empty").tags("team", "crm").build();
    let created = world.pinpoint.create_app().create_application_request(request).send().await?;
    let application = created.application_response.ok_or("no application")?;
    let id = application.id.ok_or("no id")?;
    assert_eq!(application.arn, Some(format!("arn:aws:mobiletargeting:us-east-1:000000000000:apps/{id}")));
    assert_eq!(application.tags.unwrap_or_default().get("team").map(String::as_str), Some("crm"));

    let job_id = create(&world, &id, job_request("s3://pinlake-local/empty/")).await?;
    let job = follow(&world, &id, &job_id).await?.pop().ok_or("no answer")?;
    assert_eq!(job.job_status, Some(JobStatus::Completed));
    assert_eq!((job.total_pieces, job.total_processed), (Some(0), Some(0)));
    assert!(world.server.store().keys("pinlake-local", "empty/")?.is_empty());

    let apps =
        world.pinpoint.get_apps().page_size("1").send().await?.applications_response.ok_or("no apps")?;
    let token = apps.next_token.ok_or("no token")?;
    assert_eq!(
        apps.item.unwrap_or_default().first().and_then(|app| app.id.as_deref()),
        Some(world.server.application_id())
    );
    let apps = world.pinpoint.get_apps().page_size("1").token(token).send().await?;
    let apps = apps.applications_response.ok_or("no apps")?;
    assert_eq!((apps.item.unwrap_or_default().len(), apps.next_token), (1, None));

    world.pinpoint.delete_app().application_id(&id).send().await?;
    let gone = world.pinpoint.get_app().application_id(&id).send().await.err().ok_or("still there")?;
    assert!(gone.into_service_error().is_not_found_exception());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_listed_in_pages_and_by_segment() -> TestResult {
    let world = World::with_audience(12, 5).await?;
    let (application_id, segment_id) = (world.server.application_id(), world.server.segment_ids()[0].clone());
    for _ in 0..3 {
        export(&world, "s3://pinlake-local/everybody/").await?;
    }
    let request = ExportJobRequest::builder()
        .role_arn(ROLE_ARN)
        .s3_url_prefix("s3://pinlake-local/segment/")
        .segment_id(&segment_id)
        .segment_version(1)
        .build();
    let segment_job_id = create(&world, application_id, request).await?;
    let job = follow(&world, application_id, &segment_job_id).await?.pop().ok_or("no answer")?;
    assert_eq!(job.total_processed, Some(12));
    let keys = world.server.store().keys("pinlake-local", "segment/")?;
    assert!(
        keys.iter().all(|key| key.starts_with(&format!("segment/{segment_id}/{segment_job_id}"))),
        "{keys:?}"
    );

    let (mut ids, mut token) = (Vec::new(), None);
    loop {
        let page = world
            .pinpoint
            .get_export_jobs()
            .application_id(application_id)
            .page_size("3")
            .set_token(token)
            .send()
            .await?
            .export_jobs_response
            .ok_or("no jobs")?;
        ids.extend(page.item.unwrap_or_default().into_iter().filter_map(|job| job.id));
        token = page.next_token;
        if token.is_none() {
            break;
        }
    }
    assert_eq!((ids.len(), ids.last()), (4, Some(&segment_job_id)));

    let jobs =
        world.pinpoint.get_segment_export_jobs().application_id(application_id).segment_id(&segment_id);
    let jobs = jobs.send().await?.export_jobs_response.ok_or("no jobs")?.item.unwrap_or_default();
    assert_eq!(jobs.iter().filter_map(|job| job.id.as_deref()).collect::<Vec<_>>(), [segment_job_id]);
    let unknown = world.pinpoint.get_segment_export_jobs().application_id(application_id).segment_id("none");
    let unknown = unknown.send().await.err().ok_or("a segment that is not there")?;
    assert!(unknown.into_service_error().is_not_found_exception());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_requests_get_the_models_exceptions() -> TestResult {
    let world = World::with_audience(1, 1).await?;
    let application_id = world.server.application_id();
    let send = async |application_id: &str, role_arn: &str, s3_url_prefix: &str| {
        let request = ExportJobRequest::builder().role_arn(role_arn).s3_url_prefix(s3_url_prefix).build();
        let sent =
            world.pinpoint.create_export_job().application_id(application_id).export_job_request(request);
        let error = sent.send().await.err().ok_or("accepted")?.into_service_error();
        Ok::<_, Box<dyn std::error::Error>>(error)
    };
    assert!(send("0123", ROLE_ARN, "s3://pinlake-local/").await?.is_not_found_exception());
    assert!(send(application_id, "", "s3://pinlake-local/").await?.is_bad_request_exception());
    assert!(send(application_id, "my-role", "s3://pinlake-local/").await?.is_bad_request_exception());
    assert!(send(application_id, ROLE_ARN, "").await?.is_bad_request_exception());
    let error = send(application_id, ROLE_ARN, "https://pinlake-local/").await?;
    assert!(error.is_bad_request_exception());
    assert_eq!(error.message(), Some("S3UrlPrefix must be s3://bucket-name/folder-name/."));

    let unknown = world.pinpoint.get_export_job().application_id(application_id).job_id("none").send().await;
    assert!(unknown.err().ok_or("a job that is not there")?.into_service_error().is_not_found_exception());
    let page = world.pinpoint.get_export_jobs().application_id(application_id).page_size("x").send().await;
    assert!(page.err().ok_or("a page of x")?.into_service_error().is_bad_request_exception());
    // An operation of the model that is not served is told as such, in the model's form.
    let campaigns = world.pinpoint.get_campaigns().application_id(application_id).send().await;
    let error = campaigns.err().ok_or("campaigns")?.into_service_error();
    assert!(
        error.is_not_found_exception() && error.message().is_some_and(|text| text.contains("not served"))
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_a_stop_left_in_the_middle_has_failed_after_the_restart() -> TestResult {
    let folder = tempfile::tempdir()?;
    let options = |job_pace| LocalOptions {
        data: Some(folder.path().join("data")),
        population: Some(PopulationOptions { endpoints: 50, ..PopulationOptions::default() }),
        job_pace,
        ..LocalOptions::default()
    };
    // A pace at which the job is at its first step for as long as the test takes.
    let world = World::start(options(Duration::from_mins(10))).await?;
    let application_id = world.server.application_id().to_owned();
    let job_id = create(&world, &application_id, job_request("s3://pinlake-local/left/")).await?;
    world.server.stop().await;

    let world = World::start(options(Duration::ZERO)).await?;
    let answers = follow(&world, &application_id, &job_id).await?;
    let job = answers.first().ok_or("no answer")?;
    assert_eq!(job.job_status, Some(JobStatus::Failed));
    assert!(job.completion_date.is_some() && !job.failures().is_empty(), "{job:?}");
    // The next one does what that one was to do.
    let job = export(&world, "s3://pinlake-local/left/").await?;
    assert_eq!((job.job_status, job.total_processed), (Some(JobStatus::Completed), Some(50)));
    world.server.stop().await;
    Ok(())
}
