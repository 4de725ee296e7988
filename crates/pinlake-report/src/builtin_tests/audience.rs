//! How big the audience is, on which channels, and who can be reached.

use super::{awkward, lake};

#[tokio::test]
async fn audience_summary() {
    assert_eq!(
        lake().csv("audience-summary", &[]).await,
        "endpoints,distinct_ids,addresses,users,anonymous_endpoints,targetable,opted_out,inactive,\
         first_created,last_effective\n\
         8,6,5,3,3,3,2,2,2025-12-31T23:59:59Z,2026-10-29T12:00:00Z\n"
    );
}

#[tokio::test]
async fn channel_mix() {
    assert_eq!(
        lake().csv("channel-mix", &[]).await,
        "channel_type,endpoint_status,opt_out,endpoints,share\n\
         APNS,INACTIVE,ALL,1,0.125\n\
         CUSTOM,ACTIVE,NONE,1,0.125\n\
         CUSTOM,ACTIVE,,1,0.125\n\
         EMAIL,ACTIVE,ALL,1,0.125\n\
         EMAIL,ACTIVE,NONE,1,0.125\n\
         EMAIL,INACTIVE,NONE,1,0.125\n\
         SMS,ACTIVE,NONE,1,0.125\n\
         ,,,1,0.125\n"
    );
}

#[tokio::test]
async fn targetable() {
    assert_eq!(
        lake().csv("targetable", &[]).await,
        "channel_type,endpoints,targetable,targetable_share\n\
         EMAIL,3,1,0.3333333333333333\n\
         CUSTOM,2,1,0.5\n\
         APNS,1,0,0.0\n\
         SMS,1,1,1.0\n\
         ,1,0,0.0\n"
    );
}

#[tokio::test]
async fn opt_out() {
    assert_eq!(
        lake().csv("opt-out", &[]).await,
        "channel_type,country,endpoints,opted_out,opt_out_share\n\
         EMAIL,US,2,1,0.5\n\
         APNS,,1,1,1.0\n\
         CUSTOM,Atlantis,1,0,0.0\n\
         CUSTOM,,1,0,0.0\n\
         EMAIL,JP,1,0,0.0\n\
         SMS,JP,1,0,0.0\n\
         ,,1,0,0.0\n"
    );
    assert_eq!(
        lake().csv("opt-out", &[("since", "2026-02-01"), ("min_endpoints", "2")]).await,
        "channel_type,country,endpoints,opted_out,opt_out_share\nEMAIL,US,2,1,0.5\n"
    );
}

#[tokio::test]
async fn an_awkward_audience_is_counted() {
    assert_eq!(
        awkward().csv("audience-summary", &[]).await,
        "endpoints,distinct_ids,addresses,users,anonymous_endpoints,targetable,opted_out,inactive,\
         first_created,last_effective\n\
         10,7,6,4,2,3,4,3,0001-01-01T00:00:00Z,9999-12-31T23:59:59.999999Z\n"
    );
    assert_eq!(
        awkward().csv("targetable", &[]).await,
        "channel_type,endpoints,targetable,targetable_share\n\
         APNS,2,0,0.0\n\
         EMAIL,2,1,0.5\n\
         GCM,2,2,1.0\n\
         SMS,2,0,0.0\n\
         IN_APP,1,0,0.0\n\
         VOICE,1,0,0.0\n"
    );
    assert_eq!(
        awkward().csv("opt-out", &[("min_endpoints", "2")]).await,
        "channel_type,country,endpoints,opted_out,opt_out_share\n\
         APNS,,2,2,1.0\n\
         EMAIL,GB,2,1,0.5\n\
         GCM,,2,0,0.0\n"
    );
}
