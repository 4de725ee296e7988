//! `pinlake local`: serve until interrupted.

mod snapshot;
mod sources;

use std::io::{self, Write as _};
use std::net::SocketAddr;

use pinlake_local::{LocalCredentials, LocalOptions, LocalServer, PopulationOptions};

use super::{Context, insist_at_second_signal, interruption};
use crate::args::LocalArgs;
use crate::ui;

/// Starts the server, prints what to paste into a shell, and serves.
pub(crate) async fn serve(context: &Context, args: &LocalArgs) -> anyhow::Result<()> {
    let at = |port| SocketAddr::new(args.listen, port);
    if !args.listen.is_loopback() {
        ui::warn(format!(
            "listening on {}: whoever reaches it and has the keys can read and change everything, and nothing is encrypted",
            args.listen
        ));
    }
    let credentials = match (&args.access_key, &args.secret_key) {
        (Some(id), Some(secret)) => {
            LocalCredentials { access_key_id: id.clone(), secret_access_key: secret.clone() }
        }
        _ => LocalCredentials::default(),
    };
    let defaults = LocalOptions::default();
    let server = LocalServer::start(LocalOptions {
        pinpoint_address: at(args.port),
        s3_address: at(args.s3_port),
        credentials,
        region: context.settings.region.clone().unwrap_or(defaults.region.clone()),
        population: (args.generate > 0)
            .then(|| PopulationOptions { endpoints: args.generate, ..PopulationOptions::default() }),
        endpoints_per_piece: args.endpoints_per_piece,
        job_pace: args.job_pace,
        data: args.data.clone(),
        requests_per_second: args.requests_per_second,
        beyond_loopback: !args.listen.is_loopback(),
        ..defaults
    })
    .await?;
    insist_at_second_signal();
    // A file that is being loaded computes: only between two is there time to look for a signal.
    let (stop, interrupted) = (context.stop.clone(), interruption()?);
    let watching = tokio::spawn(async move {
        if interrupted.await.is_ok() {
            stop.request();
        }
    });
    let total = match sources::load(context, &server, &args.load).await {
        Ok(total) => total,
        Err(error) => {
            if let (true, Some(folder)) = (context.stop.is_requested(), &args.data) {
                context.ui.note(format!(
                    "what was loaded so far stays in {}; loading again replaces endpoints of the same id",
                    folder.display()
                ));
            }
            return Err(error);
        }
    };
    watching.abort();
    let application_id = total.main_application().unwrap_or(server.application_id());
    // Whoever reads that it is ready may stop it at once.
    let stopped = interruption()?;
    print_lines(&server, application_id)?;
    context.ui.note("serving until interrupted (Ctrl-C)");
    stopped.await?;
    server.stop().await;
    Ok(())
}

/// Lines for a POSIX shell: `eval "$(…)"` takes them, and so does a paste.
fn print_lines(server: &LocalServer, application_id: &str) -> io::Result<()> {
    let keys = server.credentials();
    let mut out = io::stdout().lock();
    for (name, value) in [
        ("AWS_ENDPOINT_URL_PINPOINT", server.pinpoint_url().as_str()),
        ("AWS_ENDPOINT_URL_S3", &server.s3_url()),
        ("AWS_ACCESS_KEY_ID", &keys.access_key_id),
        ("AWS_SECRET_ACCESS_KEY", &keys.secret_access_key),
        ("AWS_REGION", server.region()),
        ("AWS_DEFAULT_REGION", server.region()),
        ("PINLAKE_APPLICATION_ID", application_id),
        ("PINLAKE_BUCKET", server.bucket()),
    ] {
        writeln!(out, "export {name}={}", quoted(value))?;
    }
    writeln!(out, "# ready")?;
    out.flush()
}

/// A value as a shell takes it: quoted where a character could mean something.
fn quoted(value: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:+=@%".contains(&byte);
    if !value.is_empty() && value.bytes().all(is_plain) {
        value.to_owned()
    } else {
        format!("'{}'", value.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_shell_takes_any_value() {
        assert_eq!(quoted("http://127.0.0.1:1"), "http://127.0.0.1:1");
        assert_eq!(quoted("a'b $c"), r"'a'\''b $c'");
    }
}
