//! `pinlake demo`: the whole pipeline against an embedded Pinpoint and S3, then the reports.

use std::path::Path;
use std::time::Duration;

use pinlake_decode::unpack;
use pinlake_ingest::MaxRejects;
use pinlake_lake::Compression;
use pinlake_local::{LocalOptions, LocalServer, PopulationOptions};
use pinlake_source::{Aws, AwsOptions, ExportRequest, StaticCredentials, WaitOptions};

use super::Context;
use super::convert::{Wanted, tell};
use super::output;
use super::run::{convert_export, export_and_wait, report};
use crate::args::{ConvertOptions, DemoArgs};
use crate::ui;

/// About how many pieces the demo's export has.
const PIECES: u64 = 20;

/// Populates, exports, converts and reports.
pub(crate) async fn run(context: &Context, args: &DemoArgs) -> anyhow::Result<()> {
    output::make(&args.out)?;
    let mut context = context.clone();
    context.settings.lake = args.out.join("lake");
    let server = start(args.endpoints).await?;
    context.ui.note(format!(
        "a local Pinpoint on {} holds {} endpoints; its S3 is on {}",
        server.pinpoint_url(),
        ui::count(args.endpoints),
        server.s3_url()
    ));

    let export = ExportRequest {
        application_id: server.application_id().to_owned(),
        s3_url_prefix: format!("s3://{}/exports/demo/", server.bucket()),
        role_arn: "arn:aws:iam::123456789012:role/pinlake-demo".to_owned(),
        segment_id: None,
        segment_version: None,
    };
    let aws = connect(&server).await;
    let wait = WaitOptions { first_interval: Duration::from_millis(100), ..WaitOptions::default() };
    let job = export_and_wait(&context, &aws, &export, &wait).await?;
    let options = ConvertOptions {
        snapshot: None,
        replace: false,
        expect_rows: Some(args.endpoints),
        max_rejects: MaxRejects::Count(0),
        compression: Compression::default(),
        max_line: unpack::DEFAULT_MAX_LINE_BYTES,
        max_ratio: unpack::DEFAULT_MAX_RATIO,
        max_piece: unpack::DEFAULT_MAX_PIECE_BYTES,
        checkpoint: None,
        redact: Vec::new(),
        redact_key_file: None,
        rejects_raw: None,
        keep_pieces: args.keep_pieces.then(|| args.out.join("pieces")),
        dry_run: false,
    };
    let wanted = Wanted::new(&context, &options)?;
    let Some(outcome) = convert_export(&context, aws, job, &export, wanted).await? else { return Ok(()) };
    tell(context.ui, &outcome, &context.settings.lake);
    let page = args.out.join("report.html");
    report(&context, &context.settings.lake, Some(&page)).await?;
    server.stop().await;
    tell_next(&context, &args.out);
    Ok(())
}

async fn start(endpoints: u64) -> anyhow::Result<LocalServer> {
    let options = LocalOptions {
        population: Some(PopulationOptions { endpoints, ..PopulationOptions::default() }),
        endpoints_per_piece: endpoints.div_ceil(PIECES).clamp(1, 50_000),
        ..LocalOptions::default()
    };
    Ok(LocalServer::start(options).await?)
}

async fn connect(server: &LocalServer) -> Aws {
    let keys = server.credentials();
    Aws::connect(&AwsOptions {
        region: Some(server.region().to_owned()),
        pinpoint_endpoint_url: Some(server.pinpoint_url()),
        s3_endpoint_url: Some(server.s3_url()),
        static_credentials: Some(StaticCredentials {
            access_key_id: keys.access_key_id.clone(),
            secret_access_key: keys.secret_access_key.clone(),
        }),
        ..AwsOptions::default()
    })
    .await
}

fn tell_next(context: &Context, out: &Path) {
    // As it was called, so that the lines can be pasted: `cargo run` calls target/release/pinlake.
    let program = std::env::args().next().unwrap_or_else(|| "pinlake".to_owned());
    let (lake, page) = (context.settings.lake.display(), out.join("report.html"));
    context.ui.note(format!(
        "
Next:
  open {page}
  {program} --lake {lake} report --list
  {program} --lake {lake} sql 'SELECT country, count(*) FROM endpoints GROUP BY 1'

An export of your own, from S3 with your AWS credentials or from a folder, into ./lake:
  {program} convert s3://BUCKET/PREFIX/
  {program} convert OLD-EXPORTS/

This same run against a Pinpoint of your own:
  {program} run --application-id ID --s3-url-prefix s3://BUCKET/PREFIX/ --role-arn ARN",
        page = page.display(),
    ));
}
