//! `pinlake bench`: how fast this machine is for an audience, stage by stage.

use std::io::{self, Write};
use std::time::Duration;

use pinlake_ingest::{
    BenchFacts, BenchRequest, BenchStep, ConvertRequest, Estimate, Limits, MaxRejects, Plan, Redaction, bench,
};
use pinlake_lake::{Compression, WriterOptions};
use pinlake_source::{Aws, Filter, Source};
use serde::Serialize;

use super::Context;
use super::convert::rate;
use super::fetch::tell_skipped;
use super::scratch::Scratch;
use crate::args::{BenchArgs, BenchFormat};
use crate::ui::{self, Unit};

/// Measures and prints.
pub(crate) async fn run(context: &Context, args: &BenchArgs) -> anyhow::Result<()> {
    let sources: Vec<Source> = args.pieces.iter().map(|word| word.parse()).collect::<Result<_, _>>()?;
    let aws = if sources.iter().any(Source::is_s3) {
        Some(Aws::connect(&context.settings.aws_options(args.request.timeout, args.request.retry_for)).await)
    } else {
        None
    };
    let scratch = Scratch::in_folder(&args.scratch.clone().unwrap_or_else(std::env::temp_dir))?;
    let plan = Plan::make(ConvertRequest {
        tool: concat!("pinlake ", env!("CARGO_PKG_VERSION")).to_owned(),
        sources,
        aws,
        filter: Filter::converted()?,
        lake: scratch.path().join("lake"),
        snapshot: None,
        replace: false,
        job: None,
        expect_rows: None,
        max_rejects: MaxRejects::Percent(100.0),
        checkpoint_bytes: None,
        redaction: Redaction::default(),
        rejects_raw: true,
        run_id: None,
        writer: WriterOptions { compression: args.compression, ..WriterOptions::default() },
        limits: context.settings.limits(),
    })
    .await?;
    tell_skipped(context.ui, &plan.skipped);
    let request = BenchRequest {
        plan,
        one_thread: Limits::new(1, context.settings.memory_limit_bytes),
        scratch: scratch.path().to_owned(),
        rounds: usize::from(args.rounds),
        sample_bytes: args.sample as u64,
    };
    let mut meter = context.ui.meter("bench", Unit::Things("runs"));
    let show = |step: BenchStep| meter.show(step.done as u64, step.total as u64, step.name);
    let facts = bench(request, show).await?;
    drop(meter);
    drop(scratch);
    let estimate = facts.estimate(args.endpoints);
    let mut out = io::stdout().lock();
    match args.format {
        BenchFormat::Table => print_table(&facts, estimate.as_ref(), args, &mut out)?,
        BenchFormat::Json => {
            let compression = args.compression.to_string();
            let result = JsonResult { facts: &facts, compression, estimate };
            writeln!(out, "{}", serde_json::to_string_pretty(&result)?)?;
        }
    }
    Ok(out.flush()?)
}

/// The result for machines.
#[derive(Serialize)]
struct JsonResult<'a> {
    #[serde(flatten)]
    facts: &'a BenchFacts,
    compression: String,
    estimate: Option<Estimate>,
}

fn print_table(
    facts: &BenchFacts,
    estimate: Option<&Estimate>,
    args: &BenchArgs,
    out: &mut dyn Write,
) -> io::Result<()> {
    let sample = &facts.sample;
    writeln!(
        out,
        "{}: {} pieces, {}; read of it: {} pieces, {}, which are {} of lines with {} endpoints",
        sample.source,
        ui::count(sample.listed_pieces),
        ui::bytes(sample.listed_bytes),
        if sample.pieces == sample.listed_pieces { "all".to_owned() } else { ui::count(sample.pieces) },
        ui::bytes(sample.stored_bytes),
        ui::bytes(sample.json_bytes),
        ui::count(sample.endpoints),
    )?;
    if sample.rejects > 0 {
        writeln!(out, "{} lines are no endpoints", ui::count(sample.rejects))?;
    }
    writeln!(
        out,
        "\n{:<8}{:>8}{:>12}{:>14}{:>16}{:>16}",
        "stage", "threads", "time", "endpoints/s", "stored MB/s", "unpacked MB/s"
    )?;
    for stage in &facts.stages {
        writeln!(
            out,
            "{:<8}{:>8}{:>12}{:>14}{:>16.1}{:>16.1}",
            stage.stage,
            stage.threads,
            ui::duration(Duration::from_secs_f64(stage.seconds)),
            ui::count(rate(sample.endpoints, stage.seconds.max(1e-6))),
            stage.stored_bytes_per_second / 1e6,
            stage.json_bytes_per_second / 1e6,
        )?;
    }
    writeln!(out)?;
    print_conclusions(facts, args, out)?;
    if let Some(estimate) = estimate {
        writeln!(out, "{}", conclusion(estimate, args.compression))?;
    }
    Ok(())
}

fn print_conclusions(facts: &BenchFacts, args: &BenchArgs, out: &mut dyn Write) -> io::Result<()> {
    let rounds = if args.rounds == 1 { "one round".to_owned() } else { format!("{} rounds", args.rounds) };
    writeln!(
        out,
        "Times are medians of {rounds}. Fetching, unpacking, decoding and writing overlap in the whole."
    )?;
    if let Some((speed_up, stage)) = facts.speed_up.zip(facts.stages.first()) {
        writeln!(out, "{} threads are {speed_up:.2} times as fast as one.", stage.threads)?;
    }
    if let Some(peak) = facts.peak_memory_bytes {
        writeln!(out, "The whole had {} in memory at most.", ui::bytes(peak))?;
    }
    Ok(())
}

/// What a larger audience would take, in a sentence.
fn conclusion(estimate: &Estimate, compression: Compression) -> String {
    let time = ui::duration(Duration::try_from_secs_f64(estimate.seconds).unwrap_or(Duration::MAX));
    let memory =
        estimate.memory_bytes.map_or_else(String::new, |bytes| format!(", {} of memory", ui::bytes(bytes)));
    format!(
        "{} endpoints like these would take about {time}{memory} and {} of disk for Parquet ({compression}); their pieces \
         take {}.",
        ui::count(estimate.endpoints),
        ui::bytes(estimate.parquet_bytes),
        ui::bytes(estimate.stored_bytes),
    )
}
