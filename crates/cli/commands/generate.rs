//! `pinlake generate`: a synthetic audience in the exact form of an export.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use pinlake_local::{Population, PopulationOptions};

use super::Context;
use crate::args::GenerateArgs;
use crate::ui::{self, Unit};

/// Writes the pieces.
pub(crate) async fn run(context: &Context, args: &GenerateArgs) -> anyhow::Result<()> {
    let defaults = PopulationOptions::default();
    let population = Population::new(PopulationOptions {
        seed: args.seed.unwrap_or(defaults.seed),
        endpoints: args.n,
        odd_share: args.odd_share,
        records: args.records,
        further_attributes: args.attributes,
        shuffle_members: args.shuffle_members,
        ..defaults
    });
    let done = Arc::new(AtomicU64::new(0));
    let (counter, dest, pieces, threads) =
        (Arc::clone(&done), args.dest.clone(), args.pieces, context.settings.threads);
    let clock = Instant::now();
    let writing = tokio::task::spawn_blocking(move || {
        population.write_pieces(&dest, pieces, threads, &|made| {
            counter.fetch_add(made, Ordering::Relaxed);
        })
    });
    let mut meter = context.ui.meter("generate", Unit::Things("endpoints"));
    tokio::pin!(writing);
    let written = loop {
        tokio::select! {
            written = &mut writing => break written??,
            () = tokio::time::sleep(std::time::Duration::from_millis(100)) => {
                meter.show(done.load(Ordering::Relaxed), args.n, "");
            }
        }
    };
    drop(meter);
    let bytes: u64 = written.iter().filter_map(|path| path.metadata().ok()).map(|facts| facts.len()).sum();
    context.ui.note(format!(
        "wrote {} endpoints in {} pieces ({}) to {} in {}",
        ui::count(args.n),
        ui::count(written.len() as u64),
        ui::bytes(bytes),
        args.dest.display(),
        ui::duration(clock.elapsed()),
    ));
    Ok(())
}
