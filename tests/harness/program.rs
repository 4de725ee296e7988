//! The program as a shell runs it: arguments, a clean environment, a folder; out come a code and two texts.

use std::ffi::{OsStr, OsString};
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use super::World;

/// The binary under test.
const BINARY: &str = env!("CARGO_BIN_EXE_pinlake");
/// Names another binary to test, such as an optimised one.
const OTHER_BINARY: &str = "PINLAKE_BIN";

/// A command that takes longer than this hangs: the slowest takes seconds.
const PATIENCE: Duration = Duration::from_mins(2);

/// A command that has not been started.
pub(crate) struct Pinlake {
    command: Command,
    stdin: Option<String>,
}

impl Pinlake {
    /// A command in a folder, with nothing of this machine's environment but the search path.
    pub(crate) fn new(folder: &Path, args: &[&str]) -> Self {
        Self { command: Command::new(binary()), stdin: None }.placed(folder).args(args)
    }

    /// The same with a shell's line in front, which starts the program as `"$0" "$@"`.
    pub(crate) fn in_shell(folder: &Path, line: &str, args: &[&str]) -> Self {
        let mut shell = Self { command: Command::new("sh"), stdin: None }.args(&["-c", line]);
        shell.command.arg(binary());
        shell.placed(folder).args(args)
    }

    /// The same with another program in front, which starts it from the arguments that follow its own.
    pub(crate) fn behind(folder: &Path, program: &[&str], args: &[&str]) -> Self {
        let mut other = Self { command: Command::new(program[0]), stdin: None }.args(&program[1..]);
        other.command.arg(binary());
        other.placed(folder).args(args)
    }

    fn placed(mut self, folder: &Path) -> Self {
        self.command.env_clear().current_dir(folder);
        if let Some(path) = std::env::var_os("PATH") {
            self.command.env("PATH", path);
        }
        // Without keys the SDK asks the machine's metadata service, and tests ask nobody.
        self.command.env("HOME", folder.join("home")).env("AWS_EC2_METADATA_DISABLED", "true");
        self
    }

    pub(crate) fn args(mut self, args: &[&str]) -> Self {
        self.command.args(args);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Leaves nothing of the environment, not even a home.
    pub(crate) fn without_environment(mut self) -> Self {
        self.command.env_clear();
        self
    }

    /// With the variables that `pinlake local` would print.
    pub(crate) fn in_world(mut self, world: &World) -> Self {
        self.command.envs(world.environment());
        self
    }

    pub(crate) fn stdin(mut self, text: &str) -> Self {
        self.stdin = Some(text.to_owned());
        self
    }

    /// Runs it to its end, whatever that is but a panic.
    pub(crate) fn run(self) -> Ran {
        let ran = self.run_wild();
        assert!(!ran.has_panicked(), "{ran}");
        ran
    }

    /// Runs it to its end, whatever that is.
    pub(crate) fn run_wild(self) -> Ran {
        let shown = format!("{:?}", self.command);
        let mut command = assert_cmd::Command::from_std(self.command);
        command.timeout(PATIENCE);
        if let Some(text) = self.stdin {
            command.write_stdin(text);
        }
        let output = command.output().unwrap_or_else(|error| panic!("{shown} did not start: {error}"));
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap_or_else(|_| panic!("{shown}: not UTF-8"));
        Ran { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr), shown }
    }

    /// Runs it with its results going to a file such as `/dev/full`; stdout comes back empty.
    pub(crate) fn run_into(mut self, path: &Path) -> Ran {
        let shown = format!("{:?} > {}", self.command, path.display());
        let target = std::fs::OpenOptions::new().write(true).open(path).unwrap();
        let output = self.command.stdin(Stdio::null()).stdout(target).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        Ran { code: output.status.code(), stdout: String::new(), stderr, shown }
    }

    /// Runs it and insists on success.
    pub(crate) fn succeeds(self) -> Ran {
        self.ends(0)
    }

    /// Runs it and insists on an exit code.
    pub(crate) fn ends(self, code: i32) -> Ran {
        let ran = self.run();
        assert_eq!(ran.code, Some(code), "{ran}");
        ran
    }

    /// Runs it and insists on a failure as the contract has it: the code, nothing on stdout, and on stderr a message of
    /// pinlake that names each of `named`.
    pub(crate) fn fails(self, code: i32, named: &[&str]) -> Ran {
        let ran = self.ends(code);
        assert_eq!(ran.stdout, "", "a failure prints no result: {ran}");
        assert!(ran.stderr.lines().any(|line| line.starts_with("pinlake: ")), "no message: {ran}");
        for name in named {
            assert!(ran.stderr.contains(name), "`{name}` is not named: {ran}");
        }
        ran
    }

    /// Starts it and goes on, with stdout and stderr in our hands.
    pub(crate) fn start(mut self) -> Running {
        let shown = format!("{:?}", self.command);
        let mut child = self
            .command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{shown} did not start: {error}"));
        let stdout = child.stdout.take().map(BufReader::new);
        let stderr = child.stderr.take().map(BufReader::new);
        Running { child, stdout, stderr, told: String::new(), shown }
    }
}

fn binary() -> OsString {
    std::env::var_os(OTHER_BINARY).unwrap_or_else(|| BINARY.into())
}

/// A command that has ended.
#[derive(Debug)]
pub(crate) struct Ran {
    /// None where a signal ended it, or our patience.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    shown: String,
}

impl std::fmt::Display for Ran {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { code, stdout, stderr, shown } = self;
        write!(f, "{shown}\nended with {code:?}\n--- stdout\n{stdout}\n--- stderr\n{stderr}")
    }
}

impl Ran {
    /// Whether a thread of it panicked, even if the program went on.
    pub(crate) fn has_panicked(&self) -> bool {
        self.stderr.contains("panicked at")
    }

    /// Stdout as one JSON value.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self}"))
    }

    /// Stdout as an array of rows.
    pub(crate) fn rows(&self) -> Vec<Value> {
        match self.json() {
            Value::Array(rows) => rows,
            other => panic!("no array but {other}: {self}"),
        }
    }

    /// Stdout as a JSON value a line.
    pub(crate) fn json_lines(&self) -> Vec<Value> {
        self.stdout
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}")))
            .collect()
    }
}

/// A command that runs. Dropping it kills it.
pub(crate) struct Running {
    child: Child,
    stdout: Option<BufReader<ChildStdout>>,
    stderr: Option<BufReader<ChildStderr>>,
    /// What was read of its stderr so far.
    told: String,
    shown: String,
}

impl Running {
    /// The next line of its stdout; empty at the end.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        if let Some(stdout) = &mut self.stdout {
            stdout.read_line(&mut line).unwrap();
        }
        line
    }

    /// Comes back when a line of its stderr has all of these words.
    pub(crate) fn wait_until_it_says(&mut self, words: &[&str]) {
        loop {
            let from = self.told.len();
            let length = self.stderr.as_mut().map_or(0, |stderr| stderr.read_line(&mut self.told).unwrap());
            assert!(length > 0, "{} never said {words:?}:\n{}", self.shown, self.told);
            if words.iter().all(|word| self.told[from..].contains(word)) {
                return;
            }
        }
    }

    /// Closes our end of its stdout.
    pub(crate) fn close_stdout(&mut self) {
        self.stdout = None;
    }

    /// Asks it to stop, as Ctrl-C does.
    pub(crate) fn interrupt(&self) {
        self.signal("INT");
    }

    /// Asks it to stop, as a service manager does.
    pub(crate) fn terminate(&self) {
        self.signal("TERM");
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status().unwrap();
        assert!(sent.success(), "{}", self.shown);
    }

    /// Lets it go on after it was stopped.
    pub(crate) fn go_on(&self) {
        self.signal("CONT");
    }

    /// Its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has ended.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Stops it without asking; what it had said by then, and the code that it had ended with, if it had.
    pub(crate) fn kill(mut self) -> Ran {
        self.child.kill().unwrap();
        self.end_wild()
    }

    /// Waits for its end, whatever that is but a panic.
    pub(crate) fn end(self) -> Ran {
        let ran = self.end_wild();
        assert!(!ran.has_panicked(), "{ran}");
        ran
    }

    /// Waits for its end, whatever that is.
    pub(crate) fn end_wild(mut self) -> Ran {
        let (mut stdout, mut stderr) = (String::new(), std::mem::take(&mut self.told));
        if let Some(mut rest) = self.stdout.take() {
            rest.read_to_string(&mut stdout).unwrap();
        }
        if let Some(mut rest) = self.stderr.take() {
            rest.read_to_string(&mut stderr).unwrap();
        }
        let code = self.child.wait().unwrap().code();
        Ran { code, stdout, stderr, shown: self.shown.clone() }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
