//! Export jobs against scripted answers.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::*;
use crate::aws::{AwsOptions, StaticCredentials};
use crate::fake::{Asked, connect, respond, serve};

/// A status, an error type (or nothing) and a body.
type Answer = (u16, &'static str, String);

/// A Pinpoint that gives prepared answers, one a request, and remembers what it was asked.
#[derive(Clone, Default)]
struct Script {
    answers: Arc<Mutex<VecDeque<Answer>>>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Script {
    async fn jobs(answers: &[(u16, &'static str, &str)]) -> (Self, ExportJobs) {
        let script = Self::default();
        let owned = answers.iter().map(|(status, error, body)| (*status, *error, (*body).to_owned()));
        script.answers.lock().unwrap().extend(owned);
        let server = script.clone();
        let url = serve(move |asked| {
            server.asked.lock().unwrap().push(asked);
            let next = server.answers.lock().unwrap().pop_front();
            let (status, error, body) = next.unwrap_or((500, "OutOfAnswers", String::new()));
            respond(status, &[("content-type", "application/json"), ("x-amzn-errortype", error)], body)
        })
        .await;
        (script, ExportJobs::new(connect(&url).await))
    }

    fn calls(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        asked.iter().map(|asked| format!("{} {}", asked.method, asked.path)).collect()
    }
}

fn request() -> ExportRequest {
    ExportRequest {
        application_id: "app".to_owned(),
        s3_url_prefix: "s3://b/p/".to_owned(),
        role_arn: "arn:role".to_owned(),
        segment_id: None,
        segment_version: None,
    }
}

fn job(status: &str, done: i32) -> String {
    format!(
        r#"{{"ApplicationId":"app","Id":"j1","JobStatus":"{status}","CompletedPieces":{done},"TotalPieces":3,
        "CreationDate":"2126-10-29T12:00:00.000Z","Type":"EXPORT","Failures":["canary@example.com"],
        "Definition":{{"RoleArn":"arn:role","S3UrlPrefix":"s3://b/p/"}}}}"#
    )
}

fn quick() -> WaitOptions {
    WaitOptions {
        timeout: Duration::from_secs(20),
        first_interval: Duration::from_millis(1),
        max_interval: Duration::from_millis(5),
    }
}

#[tokio::test]
async fn gaps_in_answers_are_absent_members() {
    let (script, jobs) = Script::jobs(&[
        (202, "", r#"{"Id":"j1","JobStatus":"CREATED","Type":"EXPORT"}"#),
        (200, "", r#"{"Id":"j1","JobStatus":"BRAND_NEW","Definition":{}}"#),
    ])
    .await;
    let made = jobs.create(&request()).await.unwrap();
    assert_eq!((made.status(), &made.application_id, &made.creation_date), ("CREATED", &None, &None));
    let seen = jobs.get("app", "j1").await.unwrap();
    assert_eq!(seen.status(), "BRAND_NEW");
    assert_eq!(script.calls(), ["POST /v1/apps/app/jobs/export", "GET /v1/apps/app/jobs/export/j1"]);
}

#[tokio::test]
async fn waiting_ends_when_the_job_does_and_outlives_faults() {
    let (_, jobs) = Script::jobs(&[
        (200, "", &job("CREATED", 0)),
        (500, "InternalServerErrorException", "{}"),
        (429, "TooManyRequestsException", "{}"),
        (200, "", &job("PROCESSING", 1)),
        (200, "", &job("COMPLETED", 3)),
    ])
    .await;
    let mut heard = Vec::new();
    let done = jobs.wait("app", "j1", &quick(), |job| heard.push(job.completed_pieces)).await.unwrap();
    assert!(done.is_completed());
    assert_eq!(heard, [Some(0), Some(1), Some(3)]);
}

#[tokio::test]
async fn a_failed_job_is_an_error_that_holds_it_and_quotes_no_data() {
    let (_, jobs) = Script::jobs(&[(200, "", &job("FAILED", 1))]).await;
    let error = jobs.wait("app", "j1", &quick(), |_| {}).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::JobFailed);
    assert!(error.to_string().contains("j1") && !error.to_string().contains("canary"), "{error}");
    let SourceError::Export(ExportError::JobFailed { job }) = error else { panic!() };
    assert_eq!(job.failures.unwrap().len(), 1);
}

#[tokio::test]
async fn a_job_that_takes_too_long_says_how_far_it_is() {
    let (_, jobs) = Script::jobs(&[(200, "", &job("PROCESSING", 2))]).await;
    let options = WaitOptions { timeout: Duration::ZERO, ..quick() };
    let error = jobs.wait("app", "j1", &options, |_| {}).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::JobFailed);
    assert!(error.to_string().contains("PROCESSING, 2 of 3 pieces"), "{error}");
}

#[tokio::test]
async fn lists_follow_pages_and_refuse_to_go_round() {
    let page = |token: &str| format!(r#"{{"Item":[{}],"NextToken":{token}}}"#, job("COMPLETED", 3));
    let (script, jobs) = Script::jobs(&[
        (200, "", &page("\"t1\"")),
        (500, "", "{}"),
        (200, "", &page("\"t2\"")),
        (200, "", &page("null")),
        (200, "", &page("\"t1\"")),
        (200, "", &page("\"t1\"")),
    ])
    .await;
    assert_eq!(jobs.list("app").await.unwrap().len(), 3);
    let tokens: Vec<_> =
        script.asked.lock().unwrap().iter().map(|asked| asked.query.get("token").cloned()).collect();
    assert_eq!(tokens, [None, Some("t1".into()), Some("t1".into()), Some("t2".into())]);
    let error = jobs.list_of_segment("app", "seg").await.unwrap_err();
    assert!(matches!(error, SourceError::Export(ExportError::RepeatedToken { .. })), "{error}");
    assert_eq!(script.calls().last().unwrap(), "GET /v1/apps/app/segments/seg/jobs/export");
}

#[tokio::test]
async fn a_create_of_unknown_outcome_does_not_make_two_jobs() {
    let listed = format!(r#"{{"Item":[{}]}}"#, job("CREATED", 0));
    let (script, jobs) = Script::jobs(&[(500, "", "{}"), (200, "", &listed)]).await;
    assert_eq!(jobs.create(&request()).await.unwrap().id.as_deref(), Some("j1"));
    assert_eq!(script.calls().len(), 2);

    // Nothing of the kind is there: the request is sent again. A throttled one needs no look.
    let empty = r#"{"Item":[]}"#;
    let created = job("CREATED", 0);
    let (script, jobs) = Script::jobs(&[
        (500, "", "{}"),
        (200, "", empty),
        (429, "TooManyRequestsException", "{}"),
        (202, "", &created),
    ])
    .await;
    jobs.create(&request()).await.unwrap();
    assert_eq!(script.calls().len(), 4);

    // The jobs may not be seen: better one error than two jobs.
    let (script, jobs) =
        Script::jobs(&[(500, "", "{}"), (403, "ForbiddenException", "{}"), (202, "", &created)]).await;
    let error = jobs.create(&request()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Network);
    assert_eq!(script.calls().len(), 2);
}

#[tokio::test]
async fn refusals_at_a_custom_endpoint_are_not_the_end_of_pinpoint() {
    let (_, jobs) = Script::jobs(&[
        (404, "NotFoundException", r#"{"Message":"Resource not found"}"#),
        (403, "ForbiddenException", r#"{"Message":"no"}"#),
        (400, "BadRequestException", r#"{"Message":"Missing RoleArn"}"#),
    ])
    .await;
    let error = jobs.get("app", "nope").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
    assert_eq!(error.to_string(), "no such export job nope of application app");
    assert_eq!(jobs.get("app", "j").await.unwrap_err().kind(), ErrorKind::Network);
    let error = jobs.create(&request()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
    assert!(std::error::Error::source(&error).is_some());
    assert!(jobs.get("", "j").await.unwrap_err().to_string().contains("application id"));
}

#[tokio::test]
async fn nothing_at_a_custom_endpoint_is_told_with_its_url() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let jobs = ExportJobs::new(
        crate::fake::connect_within(&url, Duration::from_millis(200), Duration::from_millis(100)).await,
    );
    let error = jobs.list("app").await.unwrap_err();
    assert!(matches!(error, SourceError::Export(ExportError::Unreachable { .. })));
    assert!(error.to_string().contains(&url) && !error.to_string().contains("2026"), "{error}");
}

#[tokio::test]
async fn awss_own_pinpoint_has_ended() {
    // Nothing is sent: what is under test is how a failure is told.
    let options = AwsOptions {
        region: Some("us-east-1".to_owned()),
        pinpoint_endpoint_url: Some("http://127.0.0.1:9".to_owned()),
        s3_endpoint_url: Some("http://127.0.0.1:9".to_owned()),
        static_credentials: Some(StaticCredentials {
            access_key_id: "AKIDTEST".to_owned(),
            secret_access_key: "canary-secret".to_owned(),
        }),
        ..AwsOptions::default()
    };
    let mut aws = Aws::connect(&options).await;
    aws.pretend_pinpoint_is_aws();
    let jobs = ExportJobs::new(aws);
    let retry = jobs.aws.retry();
    for (kind, is_gone) in [
        (FailureKind::Unconnected, true),
        (FailureKind::Denied, true),
        (FailureKind::NotFound, true),
        (FailureKind::Gone, true),
        (FailureKind::CredentialsExpired, false),
        (FailureKind::NoCredentials, false),
        (FailureKind::ServerFault, false),
        (FailureKind::Rejected, false),
    ] {
        let error = jobs.failed("application app".to_owned(), RequestFailure::new(kind, "the cause"), &retry);
        assert_eq!(matches!(error, ExportError::ServiceGone { .. }), is_gone, "{kind:?}");
        if is_gone {
            let text = error.to_string();
            for part in ["2026-10-30", "pinlake convert s3://", "pinlake local"] {
                assert!(text.contains(part), "{text}");
            }
            assert!(std::error::Error::source(&error).unwrap().to_string().contains("the cause"));
        }
    }
}

#[test]
fn a_password_in_an_endpoint_is_not_shown() {
    assert_eq!(without_user("http://me:secret@host:1/x"), "http://host:1/x");
    assert_eq!(without_user("http://host:1"), "http://host:1");
}
