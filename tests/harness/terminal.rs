//! The program in a terminal of its own, typed at.

use std::process::Command;

use rexpect::session::{PtySession, spawn_command};

use super::Room;

/// What does not come within this time does not come.
const PATIENCE_MILLIS: u64 = 60_000;

/// A running command whose stdin, stdout and stderr are a terminal.
pub(crate) struct Terminal {
    session: PtySession,
}

impl Terminal {
    /// Starts a command in a room, with nothing of this machine's environment.
    pub(crate) fn open(room: &Room, args: &[&str]) -> Self {
        Self::open_with(room, args, &[])
    }

    /// The same with some variables.
    pub(crate) fn open_with(room: &Room, args: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pinlake"));
        command.args(args).env_clear().current_dir(room.path("."));
        command.env("HOME", room.path("home")).env("TERM", "xterm").env("NO_COLOR", "1");
        command.envs(environment.iter().copied());
        Self { session: spawn_command(command, Some(PATIENCE_MILLIS)).expect("a terminal starts") }
    }

    /// Waits until this stands on the terminal; what stands before it is passed.
    pub(crate) fn sees(&mut self, text: &str) {
        if let Err(error) = self.session.exp_string(text) {
            panic!("`{text}` does not come: {error}");
        }
    }

    /// Types a line.
    pub(crate) fn types(&mut self, line: &str) {
        self.keys(&format!("{line}\r"));
    }

    /// Presses keys.
    pub(crate) fn keys(&mut self, keys: &str) {
        self.session.send(keys).and_then(|_| self.session.flush()).expect("the terminal takes keys");
    }

    /// Presses a key together with Ctrl. At the prompt it goes to the line editor, so the prompt must have been seen; elsewhere
    /// the terminal itself takes it for a signal.
    pub(crate) fn control(&mut self, key: char) {
        self.session.send_control(key).expect("the terminal takes keys");
    }

    /// Waits for the end; the exit code.
    pub(crate) fn ends(mut self) -> i32 {
        self.session.exp_eof().expect("the command ends");
        match self.session.process().wait().expect("the command ended") {
            rexpect::process::WaitStatus::Exited(_, code) => code,
            other => panic!("the command was ended: {other:?}"),
        }
    }
}
