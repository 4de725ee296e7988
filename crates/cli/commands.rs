//! The commands, one file each, and what they have in common.

mod analysis;
mod bench;
mod convert;
mod demo;
mod diff;
mod export;
mod fetch;
mod generate;
mod local;
mod manual;
mod output;
mod prompt;
mod redaction;
mod report;
mod run;
mod scratch;
mod segment;
mod snapshots;
mod sql;

use std::future::Future;
use std::time::Duration;

use anyhow::Context as _;
use pinlake_ingest::Stop;

use crate::allocator;
use crate::args::{Cli, Command};
use crate::config::Config;
use crate::exit::{self, CliError};
use crate::logging;
use crate::panics;
use crate::settings::{Environment, Settings};
use crate::ui::Ui;

/// What every command is handed.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    pub(crate) settings: Settings,
    pub(crate) ui: Ui,
    /// Asked for by the first signal, of commands that stop in good order.
    pub(crate) stop: Stop,
}

/// Carries out what was typed.
pub(crate) fn main(cli: Cli) -> anyhow::Result<()> {
    // Neither of these needs a config file, and a broken one must not keep the manual shut.
    match &cli.command {
        Command::Completions { shell } => return manual::completions(*shell),
        Command::Man { out } => return manual::man(out.as_deref()),
        _ => {}
    }
    let environment: Environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let config = Config::load(cli.global.config.as_deref())?;
    let settings = Settings::resolve(&cli.global, &environment, config)?;
    logging::install(&settings);
    settings.log();
    if let Some(delay) = freed_memory_is_kept(&cli.command, &settings) {
        allocator::give_back_after(delay);
    }
    // One TLS provider for the whole binary. Where one is installed already, it is this one.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let context = Context { ui: Ui::new(&settings), settings, stop: Stop::default() };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(context.settings.threads.max(2))
        .thread_name(panics::GUARDED_THREAD)
        .thread_stack_size(STACK_BYTES)
        .enable_all()
        .build()
        .context("cannot start the I/O threads")?;
    let result = on_a_large_stack(|| runtime.block_on(dispatch(&context, cli.command)));
    runtime.shutdown_background();
    result
}

/// How long freed memory may be kept, where memory is bounded; None for as long as the allocator likes. Of a conversion, 10 ms cost
/// nothing that could be measured (1.05 s either way, six rounds), of queries a fifth. Below half a gibibyte queries need all of it at once.
fn freed_memory_is_kept(command: &Command, settings: &Settings) -> Option<Duration> {
    const SCARCE_BYTES: usize = 512 * 1024 * 1024;
    let converts = matches!(command, Command::Convert(_) | Command::Run(_));
    match settings.memory_limit_bytes {
        Some(bytes) if bytes < SCARCE_BYTES && !converts => Some(Duration::ZERO),
        Some(_) => Some(Duration::from_millis(10)),
        // A conversion is bounded in any case.
        None => converts.then_some(Duration::from_millis(10)),
    }
}

/// The stack of every thread that may plan a query, which is walked by recursion. An unoptimised build needs some 8 MiB for the deepest query
/// that is not refused (`pinlake_report`, `session::shape`). Only what is touched takes memory.
const STACK_BYTES: usize = 64 * 1024 * 1024;

/// Runs something on a thread of its own, for how large the first one's stack is was decided elsewhere.
fn on_a_large_stack(work: impl FnOnce() -> anyhow::Result<()> + Send) -> anyhow::Result<()> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("main".to_owned()).stack_size(STACK_BYTES);
        let thread = thread.spawn_scoped(scope, work).context("cannot start a thread")?;
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

async fn dispatch(context: &Context, command: Command) -> anyhow::Result<()> {
    match command {
        // These two end at a signal in their own way.
        Command::Local(args) => local::serve(context, &args).await,
        Command::Sql(args) => Box::pin(sql::run(context, args)).await,
        Command::Demo(args) => until_interrupted(Box::pin(demo::run(context, &args))).await,
        Command::Run(args) => until_stopped(context, Box::pin(run::run(context, &args))).await,
        Command::Export(command) => until_interrupted(Box::pin(export::run(context, &command))).await,
        Command::Fetch(args) => until_interrupted(Box::pin(fetch::run(context, &args))).await,
        Command::Convert(args) => until_stopped(context, Box::pin(convert::run(context, &args))).await,
        Command::Report(args) => until_interrupted(Box::pin(report::run(context, &args))).await,
        Command::Diff(args) => until_interrupted(Box::pin(diff::run(context, &args))).await,
        Command::Segment(command) => until_interrupted(Box::pin(segment::run(context, &command))).await,
        Command::Snapshots(command) => until_interrupted(Box::pin(snapshots::run(context, command))).await,
        Command::Generate(args) => until_interrupted(Box::pin(generate::run(context, &args))).await,
        Command::Bench(args) => until_interrupted(Box::pin(bench::run(context, &args))).await,
        Command::Completions { .. } | Command::Man { .. } => Ok(()),
    }
}

/// Runs a command until it is done or somebody asks to stop. Dropping it is enough: what is not committed by then is
/// staged files that no reader sees.
async fn until_interrupted(command: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    insist_at_second_signal();
    tokio::select! {
        result = command => result,
        signal = interrupted() => {
            signal?;
            Err(CliError::Interrupted.into())
        }
    }
}

/// How long a command that was asked twice may take to end by itself.
const INSISTENCE: Duration = Duration::from_millis(500);

/// Ends the program soon after a second signal, whatever the command is at: a call to a disk that hangs holds the very thread that would
/// otherwise heed signals.
fn insist_at_second_signal() {
    tokio::spawn(async {
        for _ in 0..2 {
            if interrupted().await.is_err() {
                return;
            }
        }
        tokio::time::sleep(INSISTENCE).await;
        exit::at_once()
    });
}

/// How long a command that was asked to stop may take to bring what is at hand to an end.
const STOP_IN_ORDER: Duration = Duration::from_secs(10);

/// Runs a command that heeds [`Context::stop`]. The first signal asks it to stop in good order; the second, or its taking too long
/// over it, ends it at once.
async fn until_stopped(
    context: &Context,
    mut command: impl Future<Output = anyhow::Result<()>> + Unpin,
) -> anyhow::Result<()> {
    insist_at_second_signal();
    tokio::select! {
        result = &mut command => return result,
        signal = interrupted() => signal?,
    }
    context.stop.request();
    context.ui.note("stopping: pieces at hand are brought to an end; interrupt again to stop at once");
    tokio::select! {
        result = &mut command => result,
        signal = interrupted() => signal.and(Err(CliError::Interrupted.into())),
        () = tokio::time::sleep(STOP_IN_ORDER) => {
            context.ui.note("the pieces at hand take too long: stopping at once");
            Err(CliError::Interrupted.into())
        }
    }
}

impl Context {
    /// Runs a part of a command that is simply dropped when it is to stop.
    async fn unless_stopped<T>(&self, part: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
        tokio::select! {
            result = part => result,
            () = self.stop.requested() => Err(CliError::Interrupted.into()),
        }
    }
}

/// How long a query that was stopped may take to put away what it holds.
const STOP_PATIENCE: Duration = Duration::from_secs(2);

/// Runs something in a task of its own until it is done, or until `stop` comes, which is `None`. So whoever waits for it can stop
/// it while it computes, and what it holds is dropped by then, unless it computes on without ever waiting for anything.
async fn stoppable(
    work: impl Future<Output = anyhow::Result<()>> + Send + 'static,
    stop: impl Future,
) -> Option<anyhow::Result<()>> {
    let mut task = tokio::task::JoinSet::new();
    task.spawn(work);
    tokio::select! {
        done = task.join_next() => Some(done.unwrap_or(Ok(Ok(()))).unwrap_or_else(|_| Err(panics::error()))),
        _ = stop => {
            task.abort_all();
            let _ = tokio::time::timeout(STOP_PATIENCE, task.join_next()).await;
            None
        }
    }
}

/// Comes back when SIGINT or SIGTERM arrives.
async fn interrupted() -> anyhow::Result<()> {
    interruption()?.await
}

/// The same, and on unix they are listened for from the call on, not only when somebody waits.
fn interruption() -> anyhow::Result<impl Future<Output = anyhow::Result<()>>> {
    let listen = "cannot listen for signals";
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut interrupt = signal(SignalKind::interrupt()).context(listen)?;
        let mut terminate = signal(SignalKind::terminate()).context(listen)?;
        Ok(async move {
            tokio::select! {
                _ = interrupt.recv() => Ok(()),
                _ = terminate.recv() => Ok(()),
            }
        })
    }
    #[cfg(not(unix))]
    {
        Ok(async move { tokio::signal::ctrl_c().await.context(listen) })
    }
}
