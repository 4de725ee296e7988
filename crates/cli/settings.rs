//! What was meant: flags, environment and config file brought together.
//!
//! Precedence is flag > environment > config file > default. clap reads pinlake's own variables as if they were flags;
//! AWS's variables are read by the AWS SDK, so a config file's region or profile counts only where they are silent.

mod memory;
pub(crate) mod run_id;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use pinlake_ingest::Limits;
use pinlake_source::AwsOptions;

use crate::args::GlobalArgs;
use crate::args::values::{LogFormat, ProgressMode, byte_size, endpoint_url, threads};
use crate::config::Config;
use crate::exit::CliError;
use run_id::RunId;

const DEFAULT_LAKE: &str = "./lake";

/// The settings in force for every command.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) lake: PathBuf,
    pub(crate) profile: Option<String>,
    pub(crate) region: Option<String>,
    pub(crate) endpoint_url: Option<String>,
    pub(crate) s3_endpoint_url: Option<String>,
    pub(crate) threads: usize,
    pub(crate) memory_limit_bytes: Option<usize>,
    pub(crate) progress: ProgressMode,
    pub(crate) log_format: LogFormat,
    pub(crate) quiet: bool,
    pub(crate) verbose: u8,
    /// What logs and the manifest call this process.
    pub(crate) run_id: RunId,
    /// What only some commands ask for.
    pub(crate) config: Config,
}

/// The environment, as far as it is looked at.
pub(crate) type Environment = BTreeMap<String, String>;

impl Settings {
    /// Brings everything together. Flags and pinlake's own variables are in `args` already.
    pub(crate) fn resolve(
        args: &GlobalArgs,
        environment: &Environment,
        config: Config,
    ) -> anyhow::Result<Self> {
        let unless_set = |names: &[&str], value: &Option<String>| {
            if names.iter().any(|name| environment.contains_key(*name)) { None } else { value.clone() }
        };
        let memory_limit = match (args.memory_limit, &config.memory_limit) {
            (Some(bytes), _) => Some(bytes),
            (None, Some(text)) => Some(byte_size(text).map_err(|error| in_config("memory-limit", &error))?),
            (None, None) => None,
        };
        let default_threads = || std::thread::available_parallelism().map_or(1, usize::from);
        for (key, url) in
            [("endpoint-url", &config.endpoint_url), ("s3-endpoint-url", &config.s3_endpoint_url)]
        {
            url.as_deref().map(endpoint_url).transpose().map_err(|error| in_config(key, &error))?;
        }
        let threads_in_config = config.threads.map(|count| threads(&count.to_string())).transpose();
        let threads_in_config = threads_in_config.map_err(|error| in_config("threads", &error))?;
        Ok(Self {
            lake: args.lake.clone().or_else(|| config.lake.clone()).unwrap_or_else(|| DEFAULT_LAKE.into()),
            profile: args.profile.clone().or_else(|| unless_set(&["AWS_PROFILE"], &config.profile)),
            region: args
                .region
                .clone()
                .or_else(|| unless_set(&["AWS_REGION", "AWS_DEFAULT_REGION"], &config.region)),
            endpoint_url: args.endpoint_url.clone().or_else(|| {
                unless_set(&["AWS_ENDPOINT_URL_PINPOINT", "AWS_ENDPOINT_URL"], &config.endpoint_url)
            }),
            s3_endpoint_url: args.s3_endpoint_url.clone().or_else(|| {
                unless_set(&["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"], &config.s3_endpoint_url)
            }),
            threads: args.threads.or(threads_in_config).unwrap_or_else(default_threads),
            memory_limit_bytes: memory_limit,
            progress: choose(args.progress, config.progress.as_deref(), "progress")?,
            log_format: choose(args.log_format, config.log_format.as_deref(), "log-format")?,
            quiet: args.quiet,
            verbose: args.verbose,
            run_id: RunId::new(),
            config,
        })
    }

    /// Tells the log what is in force. There are no secrets among the settings: credentials are read by the AWS SDK, and the key of
    /// redactions where it is needed.
    pub(crate) fn log(&self) {
        tracing::info!(version = env!("CARGO_PKG_VERSION"), "began");
        tracing::debug!(
            lake = ?self.lake,
            profile = ?self.profile,
            region = ?self.region,
            endpoint_url = ?self.endpoint_url,
            s3_endpoint_url = ?self.s3_endpoint_url,
            threads = self.threads,
            memory_limit_bytes = ?self.memory_limit_bytes,
            "settings"
        );
    }

    /// How to reach AWS, or whatever stands in for it.
    pub(crate) fn aws_options(
        &self,
        stall_timeout: Option<Duration>,
        retry_for: Option<Duration>,
    ) -> AwsOptions {
        let defaults = AwsOptions::default();
        AwsOptions {
            profile: self.profile.clone(),
            region: self.region.clone(),
            pinpoint_endpoint_url: self.endpoint_url.clone(),
            s3_endpoint_url: self.s3_endpoint_url.clone(),
            stall_timeout: stall_timeout.unwrap_or(defaults.stall_timeout),
            retry_for: retry_for.unwrap_or(defaults.retry_for),
            ..defaults
        }
    }

    /// What a process that answers queries may take, in bytes.
    pub(crate) fn query_memory_bytes(&self) -> usize {
        self.memory_limit_bytes.unwrap_or_else(memory::for_queries)
    }

    /// The bounds of a conversion.
    pub(crate) fn limits(&self) -> Limits {
        Limits::new(self.threads, self.memory_limit_bytes)
    }
}

pub(crate) fn choose<T: clap::ValueEnum + Default>(
    given: Option<T>,
    config: Option<&str>,
    key: &str,
) -> anyhow::Result<T> {
    match (given, config) {
        (Some(value), _) => Ok(value),
        (None, Some(text)) => T::from_str(text, false).map_err(|error| in_config(key, &error)),
        (None, None) => Ok(T::default()),
    }
}

fn in_config(key: &str, error: &str) -> anyhow::Error {
    CliError::usage(format!("config file, key `{key}`: {error}")).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(args: &GlobalArgs, environment: &[(&str, &str)], config: Config) -> Settings {
        let environment =
            environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Settings::resolve(args, &environment, config).unwrap()
    }

    #[test]
    fn a_flag_beats_the_environment_beats_the_config_beats_the_default() {
        let config =
            || Config { region: Some("eu-west-1".into()), lake: Some("c".into()), ..Config::default() };
        let flag = GlobalArgs { region: Some("us-west-2".into()), ..GlobalArgs::default() };
        let variable = [("AWS_REGION", "ap-south-1")];
        assert_eq!(resolve(&flag, &variable, config()).region.as_deref(), Some("us-west-2"));
        // Silence leaves it to the SDK, which reads the variable.
        assert_eq!(resolve(&GlobalArgs::default(), &variable, config()).region, None);
        assert_eq!(resolve(&GlobalArgs::default(), &[], config()).region.as_deref(), Some("eu-west-1"));
        assert_eq!(resolve(&GlobalArgs::default(), &[], config()).lake, PathBuf::from("c"));
        assert_eq!(resolve(&GlobalArgs::default(), &[], Config::default()).lake, PathBuf::from(DEFAULT_LAKE));
    }

    #[test]
    fn a_wrong_value_in_the_config_names_its_key() {
        let config = Config { progress: Some("loud".into()), ..Config::default() };
        let error = Settings::resolve(&GlobalArgs::default(), &Environment::new(), config).unwrap_err();
        assert!(error.to_string().contains("key `progress`"), "{error}");
    }
}
