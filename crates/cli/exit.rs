//! Exit codes: a published contract. Errors are judged by their types, never by their texts.

use std::error::Error;
use std::io;
use std::process::ExitCode;

use pinlake_ingest::IngestError;
use pinlake_lake::LakeError;
use pinlake_local::{LocalError, PopulationError};
use pinlake_report::{
    CatalogueError, DiffError, ParameterError, QueryError, RenderError, ReportError, SegmentError,
    TemplateError,
};
use pinlake_source::{SourceError, printable};

/// What a code means, as the manual lists them.
pub(crate) const MEANINGS: [(u8, &str); 11] = [
    (0, "done, and every check held"),
    (1, "unexpected failure: a bug, please report it"),
    (2, "usage: flags, parameters, config, a report or lake that does not exist"),
    (3, "the export job failed, or timed out"),
    (4, "counts do not add up"),
    (5, "more rejected lines than --max-rejects allows"),
    (6, "network, credentials or permission, after retries"),
    (7, "integrity: a checksum, a gzip CRC, a truncated piece, a damaged lake"),
    (8, "disk, memory or another resource limit"),
    (9, "a report's check failed (--fail-on-check)"),
    (130, "interrupted; the same command starts over or resumes"),
];

const UNEXPECTED: u8 = 1;
const USAGE: u8 = 2;
const JOB_FAILED: u8 = 3;
const COUNTS: u8 = 4;
const REJECTS: u8 = 5;
const NETWORK: u8 = 6;
const INTEGRITY: u8 = 7;
const RESOURCE: u8 = 8;
const CHECK_FAILED: u8 = 9;
const INTERRUPTED: u8 = 130;

/// A failure of the command line itself, with its meaning.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    /// The command cannot be carried out as it was put.
    #[error("{0}")]
    Usage(String),
    /// `--fail-on-check` and a check of level error that did not hold.
    #[error("{}", failed_checks(.0))]
    CheckFailed(Vec<String>),
    /// A lake that is not what it says, with all that is wrong.
    #[error("{}", damage(.0))]
    Damaged(Vec<String>),
    /// A signal asked to stop.
    #[error(
        "interrupted; nothing was published, and the same command goes on from what is kept, or starts over"
    )]
    Interrupted,
}

impl CliError {
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::Usage(message.into())
    }
}

fn failed_checks(failed: &[String]) -> String {
    let checks = if failed.len() == 1 { "check" } else { "checks" };
    format!("{} {checks} failed\n  {}", failed.len(), failed.join("\n  "))
}

fn damage(findings: &[String]) -> String {
    let things = if findings.len() == 1 { "thing is" } else { "things are" };
    format!("the lake is damaged: {} {things} wrong\n  {}", findings.len(), findings.join("\n  "))
}

/// Ends the program where it stands, because somebody insists.
pub(crate) fn at_once() -> ! {
    std::process::exit(INTERRUPTED.into())
}

/// Ends the program: tells an error to stderr with its causes, and gives its code.
/// A closed pipe is a quiet success: whoever read the results has had enough of them.
pub(crate) fn code(result: anyhow::Result<()>) -> ExitCode {
    let code = match result {
        Err(error) if !is_closed_pipe(&error) => explain(&error),
        _ => 0,
    };
    tracing::info!(code, "ended");
    ExitCode::from(code)
}

/// Tells an error to stderr with its causes; returns its code.
pub(crate) fn explain(error: &anyhow::Error) -> u8 {
    let code = code_of(error);
    // Nothing is left to be told to where stderr is closed too.
    let _ = tell(error, code, &mut io::stderr().lock());
    code
}

/// An error and, a line each, its causes.
pub(crate) fn with_causes(error: &(dyn Error + 'static)) -> String {
    let mut told = error.to_string();
    let mut last = told.clone();
    let mut source = error.source();
    while let Some(cause) = source {
        let text = cause.to_string();
        // A transparent error repeats the text of the one it wraps.
        if !last.ends_with(&text) {
            told.push_str("\n  because: ");
            told.push_str(&text);
        }
        last = text;
        source = cause.source();
    }
    told
}

fn tell(error: &anyhow::Error, code: u8, out: &mut dyn io::Write) -> io::Result<()> {
    // Names of others stand in errors, and whoever gave them may have meant the terminal.
    let told = with_causes(error.as_ref());
    let told: Vec<String> = told.split('\n').map(printable).collect();
    writeln!(out, "pinlake: {}", told.join("\n"))?;
    if code == UNEXPECTED {
        writeln!(out, "  this is a bug of pinlake {}: please report it", env!("CARGO_PKG_VERSION"))?;
    }
    Ok(())
}

/// Whether whoever read the results went away.
pub(crate) fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    })
}

fn code_of(error: &anyhow::Error) -> u8 {
    error.chain().find_map(code_of_cause).unwrap_or(UNEXPECTED)
}

/// The code for one link of a chain of causes, if it is one of our own types.
fn code_of_cause(cause: &(dyn Error + 'static)) -> Option<u8> {
    if let Some(error) = cause.downcast_ref::<CliError>() {
        return Some(match error {
            CliError::Usage(_) => USAGE,
            CliError::CheckFailed(_) => CHECK_FAILED,
            CliError::Damaged(_) => INTEGRITY,
            CliError::Interrupted => INTERRUPTED,
        });
    }
    if let Some(error) = cause.downcast_ref::<IngestError>() {
        return Some(of_ingest(error.kind()));
    }
    if let Some(error) = cause.downcast_ref::<SourceError>() {
        return Some(of_source(error.kind()));
    }
    if let Some(error) = cause.downcast_ref::<LakeError>() {
        return Some(of_lake(error.kind()));
    }
    if let Some(error) = cause.downcast_ref::<LocalError>() {
        return Some(match error {
            _ if error.is_resource() => RESOURCE,
            _ if error.is_damage() => INTEGRITY,
            _ => USAGE,
        });
    }
    if let Some(error) = cause.downcast_ref::<PopulationError>() {
        return Some(of_population(error));
    }
    if let Some(error) = cause.downcast_ref::<io::Error>() {
        return Some(of_io(error));
    }
    of_report(cause)
}

fn of_report(cause: &(dyn Error + 'static)) -> Option<u8> {
    let kind = cause
        .downcast_ref::<ReportError>()
        .map(ReportError::kind)
        .or_else(|| cause.downcast_ref::<QueryError>().map(QueryError::kind))
        .or_else(|| cause.downcast_ref::<CatalogueError>().map(CatalogueError::kind))
        .or_else(|| cause.downcast_ref::<TemplateError>().map(TemplateError::kind))
        .or_else(|| cause.downcast_ref::<ParameterError>().map(ParameterError::kind))
        .or_else(|| cause.downcast_ref::<DiffError>().map(DiffError::kind))
        .or_else(|| cause.downcast_ref::<SegmentError>().map(SegmentError::kind))
        .or_else(|| cause.downcast_ref::<RenderError>().map(RenderError::kind))?;
    Some(match kind {
        pinlake_report::ErrorKind::Usage => USAGE,
        pinlake_report::ErrorKind::Integrity => INTEGRITY,
        pinlake_report::ErrorKind::Resource => RESOURCE,
        pinlake_report::ErrorKind::Unexpected => UNEXPECTED,
        // Whose error it is stands further down the chain.
        pinlake_report::ErrorKind::Outside => return None,
    })
}

fn of_ingest(kind: pinlake_ingest::ErrorKind) -> u8 {
    match kind {
        pinlake_ingest::ErrorKind::Usage => USAGE,
        pinlake_ingest::ErrorKind::JobFailed => JOB_FAILED,
        pinlake_ingest::ErrorKind::Counts => COUNTS,
        pinlake_ingest::ErrorKind::Rejects => REJECTS,
        pinlake_ingest::ErrorKind::Network => NETWORK,
        pinlake_ingest::ErrorKind::Integrity => INTEGRITY,
        pinlake_ingest::ErrorKind::Resource => RESOURCE,
        pinlake_ingest::ErrorKind::Interrupted => INTERRUPTED,
        pinlake_ingest::ErrorKind::Unexpected => UNEXPECTED,
    }
}

fn of_source(kind: pinlake_source::ErrorKind) -> u8 {
    match kind {
        pinlake_source::ErrorKind::Usage => USAGE,
        pinlake_source::ErrorKind::JobFailed => JOB_FAILED,
        pinlake_source::ErrorKind::Network => NETWORK,
        pinlake_source::ErrorKind::Integrity => INTEGRITY,
        pinlake_source::ErrorKind::Disk => RESOURCE,
        _ => UNEXPECTED,
    }
}

fn of_lake(kind: pinlake_lake::ErrorKind) -> u8 {
    match kind {
        pinlake_lake::ErrorKind::Usage => USAGE,
        pinlake_lake::ErrorKind::Integrity => INTEGRITY,
        pinlake_lake::ErrorKind::Disk | pinlake_lake::ErrorKind::Conflict => RESOURCE,
        pinlake_lake::ErrorKind::Unexpected => UNEXPECTED,
    }
}

fn of_population(error: &PopulationError) -> u8 {
    error.source().and_then(|cause| cause.downcast_ref::<io::Error>()).map_or(USAGE, of_io)
}

/// A file that the user named: missing or forbidden is theirs to mend, the rest is the disk's.
fn of_io(error: &io::Error) -> u8 {
    match error.kind() {
        io::ErrorKind::NotFound
        | io::ErrorKind::PermissionDenied
        | io::ErrorKind::NotADirectory
        | io::ErrorKind::IsADirectory
        | io::ErrorKind::AlreadyExists
        | io::ErrorKind::InvalidInput
        | io::ErrorKind::InvalidData => USAGE,
        _ => RESOURCE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_one_meaning() {
        let mut codes: Vec<u8> = MEANINGS.iter().map(|(code, _)| *code).collect();
        codes.dedup();
        assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 130]);
    }

    #[test]
    fn an_error_is_judged_by_its_type_however_deep() {
        let wrapped = anyhow::Error::new(CliError::usage("x")).context("while y");
        assert_eq!(code_of(&wrapped), USAGE);
        assert_eq!(code_of(&anyhow::anyhow!("who knows")), UNEXPECTED);
        let full = io::Error::from(io::ErrorKind::StorageFull);
        assert_eq!(code_of(&anyhow::Error::new(full)), RESOURCE);
    }
}
