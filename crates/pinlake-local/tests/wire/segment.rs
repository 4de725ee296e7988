//! Segments through AWS's own SDK: criteria over a seeded audience against the oracle, versions, groups, refusals.

use aws_sdk_pinpoint::error::ProvideErrorMetadata;
use aws_sdk_pinpoint::types::{
    AttributeDimension, AttributeType, ExportJobRequest, Include, JobStatus, SegmentDemographics,
    SegmentDimensions, SegmentGroup, SegmentGroupList, SegmentReference, SegmentResponse, SetDimension,
    SourceType, WriteSegmentRequest,
};
use pinlake_local::{Endpoint, LocalOptions, Population, PopulationOptions};

use crate::export::lines;
use crate::world::{ROLE_ARN, TestResult, World};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

async fn create(world: &World, request: WriteSegmentRequest) -> Outcome<SegmentResponse> {
    let created = world
        .pinpoint
        .create_segment()
        .application_id(world.server.application_id())
        .write_segment_request(request)
        .send()
        .await?;
    created.segment_response.ok_or_else(|| "no segment".into())
}

/// Exports a segment, and returns the ids in order of the export.
pub(crate) async fn export_segment(
    world: &World,
    segment_id: &str,
    version: Option<i32>,
    prefix: &str,
) -> Outcome<Vec<String>> {
    let application_id = world.server.application_id();
    let mut request = ExportJobRequest::builder()
        .role_arn(ROLE_ARN)
        .s3_url_prefix(format!("s3://pinlake-local/{prefix}"))
        .segment_id(segment_id);
    if let Some(version) = version {
        request = request.segment_version(version);
    }
    let created = world
        .pinpoint
        .create_export_job()
        .application_id(application_id)
        .export_job_request(request.build())
        .send()
        .await?;
    let id = created.export_job_response.and_then(|job| job.id).ok_or("no job")?;
    let polling = async {
        loop {
            let answer =
                world.pinpoint.get_export_job().application_id(application_id).job_id(&id).send().await?;
            match answer.export_job_response.and_then(|job| job.job_status) {
                Some(JobStatus::Completed) => return Ok::<_, Box<dyn std::error::Error>>(()),
                Some(JobStatus::Failed) => return Err("the job failed".into()),
                _ => {}
            }
        }
    };
    tokio::time::timeout(std::time::Duration::from_mins(1), polling).await??;
    let id_of = |line: String| {
        serde_json::from_str::<serde_json::Value>(&line).ok()?["Id"].as_str().map(str::to_owned)
    };
    Ok(lines(world, prefix)?.into_iter().filter_map(id_of).collect())
}

fn channel(values: &[&str]) -> SegmentDimensions {
    let set = SetDimension::builder()
        .set_values(Some(values.iter().map(|value| (*value).to_owned()).collect()))
        .build();
    SegmentDimensions::builder().demographic(SegmentDemographics::builder().channel(set).build()).build()
}

/// The ids of those that `wanted` is true of, in order.
fn expected(population: &Population, wanted: impl Fn(&Endpoint) -> bool) -> Vec<String> {
    population.iter().filter(|endpoint| wanted(endpoint)).filter_map(|endpoint| endpoint.id).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_of_a_segment_holds_exactly_its_members() -> TestResult {
    let world = World::with_audience(2_000, 300).await?;
    let population = Population::new(PopulationOptions { endpoints: 2_000, ..PopulationOptions::default() });
    let sms =
        create(&world, WriteSegmentRequest::builder().name("sms").dimensions(channel(&["SMS"])).build())
            .await?;
    assert_eq!(sms.version, Some(1));
    assert!(sms.arn.as_deref().is_some_and(|arn| arn.contains("/segments/")));
    let sms_id = sms.id.ok_or("no id")?;
    let is_sms = |endpoint: &Endpoint| endpoint.channel_type.as_deref() == Some("SMS");
    let exported = export_segment(&world, &sms_id, None, "sms/").await?;
    assert_eq!(exported, expected(&population, is_sms));
    assert!(!exported.is_empty() && exported.len() < 2_000);

    // An attribute that some have, and the segment above, and neither of both.
    let (name, value) = population
        .iter()
        .find_map(|endpoint| {
            let (name, values) = endpoint.attributes?.into_iter().next()?;
            Some((name, values.into_iter().next()??))
        })
        .ok_or("nobody has attributes")?;
    let has = |endpoint: &Endpoint| {
        let values = endpoint.attributes.as_ref().and_then(|attributes| attributes.get(&name));
        values.is_some_and(|values| values.contains(&Some(value.clone())))
    };
    let attribute =
        AttributeDimension::builder().attribute_type(AttributeType::Inclusive).values(&value).build();
    let with_attribute = SegmentDimensions::builder().attributes(&name, attribute).build();
    let source = SegmentReference::builder().id(&sms_id).build();
    let groups = |include: Include| {
        SegmentGroupList::builder()
            .include(include)
            .groups(
                SegmentGroup::builder().source_segments(source.clone()).source_type(SourceType::All).build(),
            )
            .groups(SegmentGroup::builder().dimensions(with_attribute.clone()).build())
            .build()
    };
    for (include, prefix) in [(Include::All, "all/"), (Include::Any, "any/"), (Include::None, "none/")] {
        let wanted = |endpoint: &Endpoint| match include {
            Include::All => is_sms(endpoint) && has(endpoint),
            Include::Any => is_sms(endpoint) || has(endpoint),
            _ => !is_sms(endpoint) && !has(endpoint),
        };
        let segment =
            create(&world, WriteSegmentRequest::builder().segment_groups(groups(include.clone())).build())
                .await?;
        let exported = export_segment(&world, &segment.id.ok_or("no id")?, None, prefix).await?;
        assert_eq!(exported, expected(&population, wanted), "{include}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn updates_make_versions_and_a_deleted_segment_is_gone() -> TestResult {
    let world = World::with_audience(500, 500).await?;
    let population = Population::new(PopulationOptions { endpoints: 500, ..PopulationOptions::default() });
    let application_id = world.server.application_id();
    let made =
        create(&world, WriteSegmentRequest::builder().name("one").dimensions(channel(&["SMS"])).build())
            .await?;
    let id = made.id.ok_or("no id")?;
    let request = WriteSegmentRequest::builder().dimensions(channel(&["EMAIL"])).build();
    let updated = world
        .pinpoint
        .update_segment()
        .application_id(application_id)
        .segment_id(&id)
        .write_segment_request(request)
        .send()
        .await?;
    let updated = updated.segment_response.ok_or("no segment")?;
    assert_eq!((updated.version, updated.name.as_deref()), (Some(2), Some("one")));
    assert_eq!(updated.creation_date, made.creation_date);
    let of = |channel: &'static str| {
        expected(&population, move |endpoint| endpoint.channel_type.as_deref() == Some(channel))
    };
    assert_eq!(export_segment(&world, &id, Some(1), "v1/").await?, of("SMS"));
    assert_eq!(export_segment(&world, &id, None, "v2/").await?, of("EMAIL"));
    assert!(export_segment(&world, &id, Some(3), "v3/").await.is_err());
    let versions = world
        .pinpoint
        .get_segment_versions()
        .application_id(application_id)
        .segment_id(&id)
        .page_size("1")
        .send()
        .await?;
    let versions = versions.segments_response.ok_or("no versions")?;
    assert_eq!(versions.item.as_deref().map(|item| (item.len(), item[0].version)), Some((1, Some(1))));
    assert!(versions.next_token.is_some());
    let first = world
        .pinpoint
        .get_segment_version()
        .application_id(application_id)
        .segment_id(&id)
        .version("1")
        .send()
        .await?;
    assert_eq!(first.segment_response.and_then(|segment| segment.version), Some(1));
    let jobs = world
        .pinpoint
        .get_segment_export_jobs()
        .application_id(application_id)
        .segment_id(&id)
        .send()
        .await?;
    assert_eq!(jobs.export_jobs_response.and_then(|jobs| jobs.item).map(|jobs| jobs.len()), Some(2));

    let deleted =
        world.pinpoint.delete_segment().application_id(application_id).segment_id(&id).send().await?;
    assert_eq!(deleted.segment_response.and_then(|segment| segment.version), Some(2));
    let gone = world.pinpoint.get_segment().application_id(application_id).segment_id(&id).send().await;
    assert_eq!(gone.err().as_ref().and_then(ProvideErrorMetadata::code), Some("NotFoundException"));
    // The one that is there from the start is left.
    let all = world.pinpoint.get_segments().application_id(application_id).send().await?;
    let all = all.segments_response.and_then(|segments| segments.item).unwrap_or_default();
    assert_eq!(
        all.iter().filter_map(|segment| segment.id.as_deref()).collect::<Vec<_>>(),
        world.server.segment_ids()
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn segments_are_kept_in_a_folder_and_nonsense_is_refused() -> TestResult {
    let folder = tempfile::tempdir()?;
    let options = || LocalOptions { data: Some(folder.path().join("data")), ..LocalOptions::default() };
    let world = World::start(options()).await?;
    let made =
        create(&world, WriteSegmentRequest::builder().name("kept").dimensions(channel(&["SMS"])).build())
            .await?;
    let application_id = world.server.application_id();
    let refused = |request: WriteSegmentRequest| async {
        let sent = world
            .pinpoint
            .create_segment()
            .application_id(application_id)
            .write_segment_request(request)
            .send()
            .await;
        sent.err().and_then(|error| error.message().map(str::to_owned)).unwrap_or_default()
    };
    let both = WriteSegmentRequest::builder()
        .dimensions(channel(&["SMS"]))
        .segment_groups(SegmentGroupList::builder().build());
    assert_eq!(refused(both.build()).await, "A segment has either Dimensions or SegmentGroups.");
    let stranger = SegmentReference::builder().id("stranger").build();
    let group = SegmentGroup::builder().source_segments(stranger).build();
    let groups = SegmentGroupList::builder().groups(group).build();
    assert_eq!(
        refused(WriteSegmentRequest::builder().segment_groups(groups).build()).await,
        "Segment stranger was not found."
    );
    assert!(
        refused(WriteSegmentRequest::builder().dimensions(channel(&[])).build())
            .await
            .contains("at least one value")
    );
    // A segment cannot be made to stand on itself.
    let id = made.id.clone().ok_or("no id")?;
    let itself = SegmentGroup::builder().source_segments(SegmentReference::builder().id(&id).build()).build();
    let request = WriteSegmentRequest::builder()
        .segment_groups(SegmentGroupList::builder().groups(itself).build())
        .build();
    let sent = world
        .pinpoint
        .update_segment()
        .application_id(application_id)
        .segment_id(&id)
        .write_segment_request(request)
        .send()
        .await;
    let told = sent.err().and_then(|error| error.message().map(str::to_owned)).unwrap_or_default();
    assert!(told.contains("one on itself"), "{told}");
    world.server.stop().await;

    let world = World::start(options()).await?;
    let kept = world
        .pinpoint
        .get_segment()
        .application_id(world.server.application_id())
        .segment_id(&id)
        .send()
        .await?;
    let kept = kept.segment_response.ok_or("lost")?;
    assert_eq!((kept.name.as_deref(), kept.creation_date), (Some("kept"), made.creation_date));
    Ok(())
}
