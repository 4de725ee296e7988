//! `pinlake.toml`: settings that a folder of work keeps, so that they need not be typed.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Deserialize;

use crate::exit::CliError;

/// The file that is read from the current folder when `--config` names none.
const DEFAULT_FILE: &str = "pinlake.toml";

/// More than anybody would type.
const MAX_BYTES: u64 = 1024 * 1024;

/// What a config file may say. A flag and the environment come before it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Config {
    /// The lake's folder, relative to the file.
    pub(crate) lake: Option<PathBuf>,
    /// AWS profile.
    pub(crate) profile: Option<String>,
    /// AWS region.
    pub(crate) region: Option<String>,
    /// Pinpoint endpoint.
    pub(crate) endpoint_url: Option<String>,
    /// S3 endpoint.
    pub(crate) s3_endpoint_url: Option<String>,
    /// Worker threads.
    pub(crate) threads: Option<usize>,
    /// Memory bound, as `--memory-limit` takes it.
    pub(crate) memory_limit: Option<String>,
    /// `auto`, `bar`, `json` or `off`.
    pub(crate) progress: Option<String>,
    /// `text` or `json`.
    pub(crate) log_format: Option<String>,
    /// The Pinpoint application of `run` and `export`.
    pub(crate) application_id: Option<String>,
    /// The role that Pinpoint writes the export with.
    pub(crate) role_arn: Option<String>,
    /// Where Pinpoint writes the export.
    pub(crate) s3_url_prefix: Option<String>,
    /// Columns that conversions redact, each as `--redact` takes one.
    #[serde(default)]
    pub(crate) redact: Vec<String>,
    /// The key of hashes, a file relative to this one.
    pub(crate) redact_key_file: Option<PathBuf>,
    /// `on` or `off`.
    pub(crate) rejects_raw: Option<String>,
    /// A folder of reports, relative to the file.
    pub(crate) queries: Option<PathBuf>,
    /// Values of report parameters.
    #[serde(default)]
    pub(crate) params: BTreeMap<String, toml::Value>,
}

impl Config {
    /// Reads the file that was named, or the default one where it exists.
    pub(crate) fn load(named: Option<&Path>) -> anyhow::Result<Self> {
        let path = match named {
            Some(path) => path,
            // Nothing else of that name is waited for.
            None if Path::new(DEFAULT_FILE).is_file() => Path::new(DEFAULT_FILE),
            None => return Ok(Self::default()),
        };
        let text = read(path).with_context(|| format!("cannot read the config file {}", path.display()))?;
        let mut config = Self::parse(&text)
            .map_err(|error| CliError::usage(format!("config file {}: {error}", path.display())))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let paths = [&mut config.lake, &mut config.queries, &mut config.redact_key_file];
        for relative in paths.into_iter().flatten() {
            *relative = folder.join(&*relative);
        }
        Ok(config)
    }

    fn parse(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }

    /// The values of `[params]` as texts, the way `--param` gives them; a list as `a,b`.
    pub(crate) fn param_texts(&self) -> BTreeMap<String, String> {
        self.params.iter().map(|(name, value)| (name.clone(), text_of(value))).collect()
    }
}

/// The text of a file of settings. One that has no end is given up.
fn read(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(MAX_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MAX_BYTES {
        let problem = format!("it is longer than {MAX_BYTES} bytes");
        return Err(std::io::Error::new(std::io::ErrorKind::InvalidData, problem));
    }
    Ok(text)
}

fn text_of(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => text.clone(),
        toml::Value::Array(items) => items.iter().map(text_of).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_key_is_told() {
        let error = Config::parse("lakes = \"x\"").unwrap_err().to_string();
        assert!(error.contains("unknown field `lakes`"), "{error}");
    }

    #[test]
    fn params_are_texts() {
        let config = Config::parse("[params]\nsince = 2026-01-01\nn = 3\nlist = [\"a\", \"b\"]").unwrap();
        let texts = config.param_texts();
        assert_eq!(texts["since"], "2026-01-01");
        assert_eq!(texts["n"], "3");
        assert_eq!(texts["list"], "a,b");
    }
}
