//! What flags, environment and config ask to have redacted, and the key of hashes.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use pinlake_ingest::{RedactKey, Redaction, RedactionError};
use pinlake_report::did_you_mean;

use super::Context;
use crate::args::ConvertOptions;
use crate::exit::CliError;

/// The variable that holds the key where no file does.
const KEY_VARIABLE: &str = "PINLAKE_REDACT_KEY";

/// No key is longer; another file was meant.
const LONGEST_KEY_BYTES: u64 = 64 * 1024;

/// The columns of the config file and of the flags; for a column that both name, the flag counts.
pub(super) fn wanted(context: &Context, options: &ConvertOptions) -> anyhow::Result<Redaction> {
    let config = &context.settings.config;
    if options.redact.is_empty() && config.redact.is_empty() {
        return Ok(Redaction::default());
    }
    let file = options.redact_key_file.as_deref();
    let key = key(file, config.redact_key_file.as_deref())?;
    let asked = Redaction::new(options.redact.iter().map(String::as_str), key.clone())
        .map_err(|error| told("--redact", &error))?;
    let kept = Redaction::new(config.redact.iter().map(String::as_str), key)
        .map_err(|error| told("config file, key `redact`", &error))?;
    Ok(asked.over(kept).map_err(|error| told("--redact", &error))?)
}

/// The key in the file of the flag, in the environment, or in the file that the config names, in this order.
fn key(flag: Option<&Path>, config: Option<&Path>) -> anyhow::Result<Option<RedactKey>> {
    let variable = std::env::var_os(KEY_VARIABLE).filter(|_| flag.is_none());
    if let Some(key) = variable {
        let key = RedactKey::new(key.as_encoded_bytes()).map_err(|error| told(KEY_VARIABLE, &error))?;
        return Ok(Some(key));
    }
    let Some(path) = flag.or(config) else { return Ok(None) };
    let place = format!("the key file {}", path.display());
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(LONGEST_KEY_BYTES + 1).read_to_end(&mut bytes))
        .map_err(|error| CliError::usage(format!("{place} cannot be read: {error}")))?;
    if bytes.len() as u64 > LONGEST_KEY_BYTES {
        return Err(CliError::usage(format!("{place} has more than 64 KiB: that is no key")).into());
    }
    Ok(Some(RedactKey::new(&bytes).map_err(|error| told(&place, &error))?))
}

fn told(place: &str, error: &RedactionError) -> CliError {
    let names = Redaction::column_names().collect::<Vec<_>>();
    let hint = match error {
        RedactionError::UnknownColumn { column } => {
            match did_you_mean(column, names.iter().map(String::as_str)) {
                Some(name) => format!("; did you mean `{name}`?"),
                None => format!("; there are {}", names.join(", ")),
            }
        }
        _ => String::new(),
    };
    CliError::usage(format!("{place}: {error}{hint}"))
}
