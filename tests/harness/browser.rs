//! A headless Chromium, spoken to by its `DevTools` protocol over two pipes: no port, no driver, no client library.
//!
//! Chromium reads commands from its file descriptor 3 and writes to 4, JSON that ends with a zero byte. A shell hands it our
//! pipes under those numbers.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

/// Names a Chromium; else those of Debian and others are looked for.
const NAMED: &str = "PINLAKE_CHROMIUM";
/// Set to 1 where a Chromium must be there.
const REQUIRED: &str = "PINLAKE_REQUIRE_CHROMIUM";
const USUAL: [&str; 4] =
    ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome", "/snap/bin/chromium"];
/// An answer that takes longer than this does not come. A first start on a busy machine takes seconds.
const PATIENCE: Duration = Duration::from_secs(90);

/// What keeps it from asking the network for anything of its own.
const FLAGS: [&str; 14] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--remote-debugging-pipe",
    "--proxy-server=127.0.0.1:9",
];

/// A browser that runs. Dropping it ends it.
pub(crate) struct Browser {
    child: Child,
    commands: ChildStdin,
    messages: Receiver<Value>,
    last_id: u64,
    /// What happened while an answer was waited for.
    events: VecDeque<Value>,
    _profile: TempDir,
}

impl Browser {
    /// Starts the Chromium of this machine. None, with a line on stderr, where there is none and none is required.
    pub(crate) fn start() -> Option<Self> {
        let Some(path) = found() else {
            let required = std::env::var(REQUIRED).is_ok_and(|value| value == "1");
            assert!(!required, "{REQUIRED}=1, and there is no Chromium; {NAMED} may name one");
            eprintln!(
                "skipped: no Chromium on this machine; {NAMED} may name one, and {REQUIRED}=1 insists on it"
            );
            return None;
        };
        Some(Self::run(&path))
    }

    fn run(path: &Path) -> Self {
        let profile = tempfile::tempdir().unwrap();
        let mut child = Command::new("sh")
            .args(["-c", "exec \"$0\" \"$@\" 3<&0 4>&1 </dev/null >/dev/null 2>&1"])
            .arg(path)
            .args(FLAGS)
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .env("HOME", profile.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{} did not start: {error}", path.display()));
        let commands = child.stdin.take().unwrap();
        let mut answers = BufReader::new(child.stdout.take().unwrap());
        let (sender, messages) = sync_channel(1_000);
        std::thread::spawn(move || {
            loop {
                let mut message = Vec::new();
                if !answers.read_until(0, &mut message).is_ok_and(|length| length > 0) {
                    return;
                }
                message.pop();
                if sender.send(serde_json::from_slice(&message).unwrap()).is_err() {
                    return;
                }
            }
        });
        Self { child, commands, messages, last_id: 0, events: VecDeque::new(), _profile: profile }
    }

    /// A new page, blank, that tells what happens in it.
    pub(crate) fn page(&mut self) -> Page<'_> {
        let target = self.call("", "Target.createTarget", &json!({ "url": "about:blank" }));
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let session =
            self.call("", "Target.attachToTarget", &attach)["sessionId"].as_str().unwrap().to_owned();
        let mut page = Page { browser: self, session };
        for domain in ["Page", "Network", "Log", "Runtime", "Debugger", "Audits", "Accessibility"] {
            page.call(&format!("{domain}.enable"), &json!({}));
        }
        page
    }

    fn call(&mut self, session: &str, method: &str, params: &Value) -> Value {
        self.last_id += 1;
        let mut command = json!({ "id": self.last_id, "method": method, "params": params });
        if !session.is_empty() {
            command["sessionId"] = json!(session);
        }
        let mut bytes = command.to_string().into_bytes();
        bytes.push(0);
        self.commands.write_all(&bytes).unwrap();
        loop {
            let message = self.next(method);
            if message["id"] == json!(self.last_id) {
                assert!(message["error"].is_null(), "{method}: {}", message["error"]);
                return message["result"].clone();
            }
            self.events.push_back(message);
        }
    }

    fn next(&self, awaited: &str) -> Value {
        match self.messages.recv_timeout(PATIENCE) {
            Ok(message) => message,
            Err(RecvTimeoutError::Timeout) => panic!("Chromium says nothing, and {awaited} is awaited"),
            Err(RecvTimeoutError::Disconnected) => panic!("Chromium ended, and {awaited} is awaited"),
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // It may have ended already, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn found() -> Option<PathBuf> {
    let named = std::env::var_os(NAMED).map(PathBuf::from);
    assert!(named.as_ref().is_none_or(|path| path.exists()), "{NAMED} names {named:?}, which is not there");
    named.or_else(|| USUAL.iter().map(PathBuf::from).find(|path| path.exists()))
}

/// A page of the browser.
pub(crate) struct Page<'a> {
    browser: &'a mut Browser,
    session: String,
}

impl Page<'_> {
    /// Sends a command and returns what it answers.
    pub(crate) fn call(&mut self, method: &str, params: &Value) -> Value {
        let session = self.session.clone();
        self.browser.call(&session, method, params)
    }

    /// Opens a file and waits until all of it is there.
    pub(crate) fn open(&mut self, url: &str) {
        let navigated = self.call("Page.navigate", &json!({ "url": url }));
        assert!(navigated["errorText"].is_null(), "{url}: {navigated}");
        while !self.browser.events.iter().any(|event| event["method"] == "Page.loadEventFired") {
            let event = self.browser.next("Page.loadEventFired");
            self.browser.events.push_back(event);
        }
    }

    /// The width in CSS pixels and whether the reader likes it dark.
    pub(crate) fn looks(&mut self, width: u32, dark: bool) {
        let metrics = json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500 });
        self.call("Emulation.setDeviceMetricsOverride", &metrics);
        let scheme = if dark { "dark" } else { "light" };
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.call("Emulation.setEmulatedMedia", &features);
    }

    /// The value of a JavaScript expression, evaluated from outside: the page's policy has no say in it.
    pub(crate) fn value(&mut self, expression: &str) -> Value {
        let asked = json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let answer = self.call("Runtime.evaluate", &asked);
        assert!(answer["exceptionDetails"].is_null(), "{answer}");
        answer["result"]["value"].clone()
    }

    /// Everything that happened since the last time, as (method, params).
    pub(crate) fn events(&mut self) -> Vec<(String, Value)> {
        let session = json!(self.session);
        let events = std::mem::take(&mut self.browser.events).into_iter();
        let ours = events.filter(|event| event["sessionId"] == session);
        ours.map(|event| (event["method"].as_str().unwrap_or_default().to_owned(), event["params"].clone()))
            .collect()
    }
}
