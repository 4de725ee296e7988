//! Endpoints and users through AWS's own SDK: what is kept, what is merged, what is refused, and what an export then has.

use std::collections::HashMap;

use aws_sdk_pinpoint::error::ProvideErrorMetadata;
use aws_sdk_pinpoint::types::{
    ChannelType, EndpointBatchItem, EndpointBatchRequest, EndpointLocation, EndpointRequest,
    EndpointResponse, EndpointUser,
};
use pinlake_local::{LocalOptions, Population, PopulationOptions};

use crate::export::{export, lines};
use crate::world::{TestResult, World};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// The code and message that an update is refused with, or nothing.
async fn update(world: &World, id: &str, request: EndpointRequest) -> Outcome<Option<(String, String)>> {
    let sent = world
        .pinpoint
        .update_endpoint()
        .application_id(world.server.application_id())
        .endpoint_id(id)
        .endpoint_request(request)
        .send()
        .await;
    Ok(sent.err().map(|error| {
        let (code, message) = (error.code().unwrap_or_default(), error.message().unwrap_or_default());
        (code.to_owned(), message.to_owned())
    }))
}

async fn get(world: &World, id: &str) -> Outcome<Option<EndpointResponse>> {
    let sent = world
        .pinpoint
        .get_endpoint()
        .application_id(world.server.application_id())
        .endpoint_id(id)
        .send()
        .await;
    match sent {
        Ok(answer) => Ok(answer.endpoint_response),
        Err(error) => {
            assert_eq!(error.code(), Some("NotFoundException"));
            Ok(None)
        }
    }
}

/// The ids of a user's endpoints; none where there is no such user.
async fn ids_of(world: &World, user_id: &str) -> Outcome<Vec<String>> {
    let sent = world
        .pinpoint
        .get_user_endpoints()
        .application_id(world.server.application_id())
        .user_id(user_id)
        .send()
        .await;
    let Ok(answer) = sent else { return Ok(Vec::new()) };
    let endpoints = answer.endpoints_response.and_then(|answer| answer.item).ok_or("no answer")?;
    Ok(endpoints.into_iter().filter_map(|endpoint| endpoint.id).collect())
}

fn sms(address: &str) -> EndpointRequest {
    EndpointRequest::builder().channel_type(ChannelType::Sms).address(address).build()
}

fn of_user(request: EndpointRequest, user_id: &str) -> EndpointRequest {
    let mut request = request;
    request.user = Some(EndpointUser::builder().user_id(user_id).build());
    request
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_is_made_with_defaults_and_merged_with_what_comes() -> TestResult {
    let world = World::start(LocalOptions::default()).await?;
    let request = EndpointRequest::builder()
        .channel_type(ChannelType::Email)
        .address("a.b@example.com")
        .attributes("team", vec!["Angels".to_owned()])
        .location(EndpointLocation::builder().city("Seattle").latitude(47.61).longitude(-122.349).build())
        .build();
    assert_eq!(update(&world, "goy4/ne+0", request).await?, None);
    let made = get(&world, "GOY4/ne+0").await?.ok_or("not found, though ids have no case")?;
    assert_eq!(made.id.as_deref(), Some("goy4/ne+0"));
    assert_eq!(made.application_id.as_deref(), Some(world.server.application_id()));
    assert_eq!((made.endpoint_status.as_deref(), made.opt_out.as_deref()), (Some("ACTIVE"), Some("NONE")));
    assert!(made.cohort_id.is_some_and(|cohort| cohort.parse::<u8>().is_ok_and(|cohort| cohort < 100)));
    assert!(made.request_id.is_some_and(|request_id| request_id.len() == 36));
    assert_eq!(made.creation_date, made.effective_date);
    let location = made.location.ok_or("no location")?;
    assert_eq!((location.latitude, location.longitude), (Some(47.6), Some(-122.3)));

    let request = EndpointRequest::builder()
        .opt_out("ALL")
        .attributes("team", vec!["Mariners".to_owned(), "Carp".to_owned()])
        .attributes("plan", vec!["gold".to_owned()])
        .metrics("visits", 3.0)
        .location(EndpointLocation::builder().country("US").build())
        .build();
    assert_eq!(update(&world, "goy4/ne+0", request).await?, None);
    let merged = get(&world, "goy4/ne+0").await?.ok_or("not found")?;
    assert_eq!(merged.creation_date, made.creation_date);
    assert_eq!(
        (merged.address.as_deref(), merged.opt_out.as_deref()),
        (Some("a.b@example.com"), Some("ALL"))
    );
    let expected = HashMap::from([
        ("team".to_owned(), vec!["Mariners".to_owned(), "Carp".to_owned()]),
        ("plan".to_owned(), vec!["gold".to_owned()]),
    ]);
    assert_eq!(merged.attributes, Some(expected));
    let location = merged.location.ok_or("no location")?;
    assert_eq!((location.city.as_deref(), location.country.as_deref()), (Some("Seattle"), Some("US")));

    let job = export(&world, "s3://pinlake-local/one/").await?;
    assert_eq!((job.total_pieces, job.total_processed), (Some(1), Some(1)));
    let line = &lines(&world, "one/")?[0];
    assert!(
        line.starts_with(
            r#"{"ChannelType":"EMAIL","Address":"a.b@example.com","EndpointStatus":"ACTIVE","OptOut":"ALL""#
        ),
        "{line}"
    );
    assert!(!line.contains("CohortId") && !line.contains("RequestId"), "{line}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_taken_wholly_or_not_at_all() -> TestResult {
    let world = World::start(LocalOptions::default()).await?;
    let item = |id: &str, address: &str| {
        EndpointBatchItem::builder().id(id).channel_type(ChannelType::Sms).address(address).build()
    };
    let send = |items: Vec<EndpointBatchItem>| {
        world
            .pinpoint
            .update_endpoints_batch()
            .application_id(world.server.application_id())
            .endpoint_batch_request(EndpointBatchRequest::builder().set_item(Some(items)).build())
            .send()
    };
    send((0..100).map(|number| item(&number.to_string(), &format!("+1{number}"))).collect()).await?;
    assert!(get(&world, "99").await?.is_some());
    // The third is no endpoint; the first had been one, and the address of an earlier one.
    let broken = EndpointBatchItem::builder().id("third").address("+2").build();
    let refused = send(vec![item("first", "+11"), item("1", "+3"), broken]).await.err().ok_or("taken")?;
    assert_eq!(refused.code(), Some("BadRequestException"));
    assert_eq!(refused.message(), Some("Item 2: Missing ChannelType"));
    assert!(get(&world, "first").await?.is_none());
    let kept = get(&world, "1").await?.ok_or("lost")?;
    assert_eq!((kept.address.as_deref(), kept.endpoint_status.as_deref()), (Some("+11"), Some("ACTIVE")));
    for items in [Vec::new(), (0..101).map(|number| item(&number.to_string(), "+1")).collect()] {
        let refused = send(items).await.err().ok_or("taken")?;
        assert_eq!(refused.message(), Some("Item must have 1 to 100 endpoints."));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_older_endpoint_of_an_equal_address_becomes_inactive() -> TestResult {
    let world = World::start(LocalOptions::default()).await?;
    let status = async |id: &str| {
        Ok::<_, Box<dyn std::error::Error>>(
            get(&world, id).await?.and_then(|endpoint| endpoint.endpoint_status),
        )
    };
    for id in ["old", "new"] {
        assert_eq!(update(&world, id, sms("+15550100")).await?, None);
    }
    assert_eq!(
        (status("old").await?.as_deref(), status("new").await?.as_deref()),
        (Some("INACTIVE"), Some("ACTIVE"))
    );
    assert_eq!(update(&world, "old", EndpointRequest::builder().build()).await?, None);
    assert_eq!(
        (status("old").await?.as_deref(), status("new").await?.as_deref()),
        (Some("ACTIVE"), Some("INACTIVE"))
    );
    // The same number for calls is another address.
    let call = EndpointRequest::builder().channel_type(ChannelType::Voice).address("+15550100").build();
    assert_eq!(update(&world, "voice", call).await?, None);
    assert_eq!(status("old").await?.as_deref(), Some("ACTIVE"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_has_fifteen_endpoints_at_most() -> TestResult {
    let world = World::start(LocalOptions::default()).await?;
    for number in 0..15 {
        let channel = if number < 2 { ChannelType::Gcm } else { ChannelType::Sms };
        let request = EndpointRequest::builder()
            .channel_type(channel)
            .address(format!("a{number}"))
            .effective_date(format!("2026-01-{:02}T00:00:00.000Z", 20 - number))
            .build();
        assert_eq!(update(&world, &format!("e{number}"), of_user(request, "u")).await?, None);
    }
    let refused = update(&world, "e15", of_user(sms("x"), "u")).await?;
    let told = ("BadRequestException".to_owned(), "Exceeded maximum endpoint per user count 15".to_owned());
    assert_eq!(refused, Some(told));
    assert!(get(&world, "e15").await?.is_none());
    // One that is the user's already can be updated.
    assert_eq!(update(&world, "e3", of_user(sms("y"), "u")).await?, None);
    // Of push endpoints the oldest gives way: e1, a day older than e0.
    let push = EndpointRequest::builder().channel_type(ChannelType::Apns).address("token").build();
    assert_eq!(update(&world, "e16", of_user(push, "u")).await?, None);
    let oldest = get(&world, "e1").await?.ok_or("lost")?;
    assert_eq!(oldest.endpoint_status.as_deref(), Some("INACTIVE"));
    assert_eq!(oldest.user.and_then(|user| user.user_id), None);
    let ids = ids_of(&world, "u").await?;
    assert!(ids.len() == 15 && ids.contains(&"e16".to_owned()) && !ids.contains(&"e1".to_owned()), "{ids:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_has_250_names_of_attributes_at_most() -> TestResult {
    let world = World::start(LocalOptions::default()).await?;
    for start in (0..250).step_by(50) {
        let names = (start..start + 50).map(|number| (format!("n{number}"), vec!["v".to_owned()]));
        let mut request = sms(&format!("+{start}"));
        request.attributes = Some(names.collect());
        assert_eq!(update(&world, &start.to_string(), request).await?, None);
    }
    let mut known = sms("+7");
    known.attributes = Some(HashMap::from([("n249".to_owned(), vec!["w".to_owned()])]));
    assert_eq!(update(&world, "known", known).await?, None);
    let mut further = sms("+8");
    further.metrics = Some(HashMap::from([("n249".to_owned(), 1.0)]));
    let (code, message) = update(&world, "further", further).await?.ok_or("taken")?;
    assert_eq!(code, "BadRequestException");
    assert!(message.contains("250 names"), "{message}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn endpoints_and_users_are_deleted_and_returned() -> TestResult {
    let world = World::start(LocalOptions::default()).await?;
    for id in ["a", "b", "c"] {
        assert_eq!(update(&world, id, of_user(sms(id), if id == "c" { "v" } else { "u" })).await?, None);
    }
    let application_id = world.server.application_id();
    let deleted =
        world.pinpoint.delete_endpoint().application_id(application_id).endpoint_id("a").send().await?;
    assert_eq!(deleted.endpoint_response.and_then(|endpoint| endpoint.id).as_deref(), Some("a"));
    assert!(get(&world, "a").await?.is_none());
    assert_eq!(ids_of(&world, "u").await?, ["b"]);
    let deleted =
        world.pinpoint.delete_user_endpoints().application_id(application_id).user_id("u").send().await?;
    assert_eq!(deleted.endpoints_response.and_then(|answer| answer.item).map(|item| item.len()), Some(1));
    let again =
        world.pinpoint.delete_user_endpoints().application_id(application_id).user_id("u").send().await;
    assert_eq!(again.err().as_ref().and_then(ProvideErrorMetadata::code), Some("NotFoundException"));
    export(&world, "s3://pinlake-local/left/").await?;
    let left = lines(&world, "left/")?;
    assert!(left.len() == 1 && left[0].contains(r#""Id":"c""#), "{left:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seeded_audience_can_be_asked_for_and_changed() -> TestResult {
    let world = World::with_audience(3_000, 1_000).await?;
    let population = Population::new(PopulationOptions { endpoints: 3_000, ..PopulationOptions::default() });
    export(&world, "s3://pinlake-local/before/").await?;
    let before = lines(&world, "before/")?;
    for expected in population.iter().step_by(97) {
        let id = expected.id.as_deref().ok_or("no id")?;
        let found = get(&world, id).await?.ok_or("not found")?;
        assert_eq!(found.address, expected.address);
        assert_eq!(found.user.and_then(|user| user.user_id).as_deref(), expected.user_id());
    }
    let user_id =
        population.iter().find_map(|endpoint| endpoint.user_id().map(str::to_owned)).ok_or("no user")?;
    let expected: Vec<_> = population
        .iter()
        .filter(|endpoint| endpoint.user_id() == Some(&user_id))
        .filter_map(|endpoint| endpoint.id)
        .collect();
    assert_eq!(ids_of(&world, &user_id).await?, expected);
    // Asking changes nothing: the same lines in the same order.
    export(&world, "s3://pinlake-local/asked/").await?;
    assert!(lines(&world, "asked/")? == before);
    let first = population.endpoint(0).id.ok_or("no id")?;
    world
        .pinpoint
        .delete_endpoint()
        .application_id(world.server.application_id())
        .endpoint_id(&first)
        .send()
        .await?;
    assert_eq!(update(&world, "new", sms("+15550199")).await?, None);
    let job = export(&world, "s3://pinlake-local/after/").await?;
    assert_eq!((job.total_processed, job.total_pieces), (Some(3_000), Some(3)));
    let after = lines(&world, "after/")?;
    assert!(after[..2_999] == before[1..] && after[2_999].contains(r#""Id":"new""#));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_in_a_folder_is_there_after_a_restart() -> TestResult {
    let folder = tempfile::tempdir()?;
    let options = || LocalOptions {
        data: Some(folder.path().join("data")),
        job_pace: std::time::Duration::ZERO,
        ..LocalOptions::default()
    };
    let population = PopulationOptions { endpoints: 500, ..PopulationOptions::default() };
    let world = World::start(LocalOptions { population: Some(population.clone()), ..options() }).await?;
    assert_eq!(update(&world, "mine", of_user(sms("+15550111"), "me")).await?, None);
    let request = aws_sdk_pinpoint::types::CreateApplicationRequest::builder().name("second").build();
    let made = world.pinpoint.create_app().create_application_request(request).send().await?;
    let second = made.application_response.and_then(|application| application.id).ok_or("no id")?;
    let job = export(&world, "s3://pinlake-local/one/").await?;
    // The state is one server's.
    assert!(pinlake_local::LocalServer::start(options()).await.is_err());
    world.server.stop().await;

    let world = World::start(options()).await?;
    assert_eq!(ids_of(&world, "me").await?, ["mine"]);
    let known = Population::new(population).endpoint(7).id.ok_or("no id")?;
    assert!(get(&world, &known).await?.is_some());
    let jobs = world.pinpoint.get_export_jobs().application_id(world.server.application_id()).send().await?;
    let jobs = jobs.export_jobs_response.ok_or("no jobs")?.item;
    assert_eq!(jobs, Some(vec![job]));
    let apps = world.pinpoint.get_apps().send().await?.applications_response.ok_or("no apps")?;
    let ids: Vec<_> =
        apps.item.unwrap_or_default().into_iter().filter_map(|application| application.id).collect();
    assert_eq!(ids, [world.server.application_id().to_owned(), second]);
    let job = export(&world, "s3://pinlake-local/two/").await?;
    assert_eq!(job.total_processed, Some(501));
    Ok(())
}
