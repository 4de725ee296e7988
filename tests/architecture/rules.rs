//! The rules, each with its reason.

use super::rooms::Room;
use super::source::NamedPath;

/// The rooms and their arrows.
pub(super) const ROOMS: [Room; 7] = [
    Room {
        package: "pinlake-source",
        folder: "crates/pinlake-source",
        root: "crates/pinlake-source/src/lib.rs",
        may_name: &[],
        why: "the edge moves bytes and knows nobody who wants them",
    },
    Room {
        package: "pinlake-decode",
        folder: "crates/pinlake-decode",
        root: "crates/pinlake-decode/src/lib.rs",
        may_name: &[],
        why: "a decoder that knows no I/O can be fed, fuzzed and benched by anyone",
    },
    Room {
        package: "pinlake-lake",
        folder: "crates/pinlake-lake",
        root: "crates/pinlake-lake/src/lib.rs",
        may_name: &[],
        why: "the data set takes record batches from anyone and knows no export",
    },
    Room {
        package: "pinlake-ingest",
        folder: "crates/pinlake-ingest",
        root: "crates/pinlake-ingest/src/lib.rs",
        may_name: &["pinlake-source", "pinlake-decode", "pinlake-lake"],
        why: "the pipeline joins source, decode and lake, and nothing else",
    },
    Room {
        package: "pinlake-report",
        folder: "crates/pinlake-report",
        root: "crates/pinlake-report/src/lib.rs",
        may_name: &[],
        why: "reports run on any lake, however it came to be",
    },
    Room {
        package: "pinlake-local",
        folder: "crates/pinlake-local",
        root: "crates/pinlake-local/src/lib.rs",
        may_name: &[],
        why: "an oracle that shares code with the suspect proves nothing",
    },
    Room {
        package: "pinlake",
        folder: "crates/cli",
        root: "crates/cli/main.rs",
        may_name: &[
            "pinlake-source",
            "pinlake-decode",
            "pinlake-lake",
            "pinlake-ingest",
            "pinlake-report",
            "pinlake-local",
        ],
        why: "the command line joins everything",
    },
];

/// Whether a rule is about tests too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    WithTests,
    WithoutTests,
}

/// Names that must not stand in some places.
#[derive(Debug)]
pub(super) struct Never {
    /// Beginnings of paths from the workspace's root.
    pub(super) places: &'static [&'static str],
    /// `tokio`: the crate. `aws_*`: crates that begin like that. `std::fs`: it and what is in it. `*::stdout`: whatever is
    /// called that in another module. `print!`: the macro.
    pub(super) names: &'static [&'static str],
    pub(super) scope: Scope,
    pub(super) why: &'static str,
}

const LIBRARIES: &[&str] = &[
    "crates/pinlake-decode",
    "crates/pinlake-ingest",
    "crates/pinlake-lake",
    "crates/pinlake-local",
    "crates/pinlake-report",
    "crates/pinlake-source",
];

/// What must not be named, where, and why.
pub(super) const NEVER: &[Never] = &[
    Never {
        places: &["crates/pinlake-decode"],
        names: &[
            "tokio",
            "futures",
            "rayon",
            "aws_*",
            "datafusion*",
            "deltalake*",
            "object_store",
            "parquet",
            "tracing",
            "std::fs",
            "std::io",
            "std::net",
            "std::thread",
            "std::path",
            "std::time",
        ],
        scope: Scope::WithoutTests,
        why: "a decoder that knows no I/O can be fed, fuzzed and benched by anyone",
    },
    Never {
        places: &["crates/pinlake-decode/src/json"],
        names: &["arrow", "crate::columns", "crate::schema", "crate::decoder"],
        scope: Scope::WithoutTests,
        why: "what bytes of JSON mean does not depend on the table they go to",
    },
    Never {
        places: &[
            "crates/pinlake-decode/src/decoder/record.rs",
            "crates/pinlake-decode/src/decoder/cursor.rs",
        ],
        names: &["crate::drift", "crate::reject", "super::odd"],
        scope: Scope::WithTests,
        why: "the fast path judges nothing: a line that is not as usual is left to the slow path",
    },
    Never {
        places: &["crates/pinlake-source"],
        names: &[
            "arrow*",
            "parquet",
            "rayon",
            "datafusion*",
            "deltalake*",
            "object_store",
            "flate2",
            "libdeflater",
        ],
        scope: Scope::WithTests,
        why: "the edge moves bytes and does not know what is in them",
    },
    Never {
        places: &["crates/pinlake-lake"],
        names: &["aws_*", "datafusion*", "rayon", "flate2", "pinlake_decode", "pinlake_source"],
        scope: Scope::WithTests,
        why: "the data set does not know where batches come from or who reads them",
    },
    Never {
        places: &["crates/pinlake-lake/src/writer"],
        names: &["deltalake_core", "crate::log", "crate::publish", "crate::staging", "crate::lake"],
        scope: Scope::WithoutTests,
        why: "writing a file and committing it are separate acts: a writer returns facts",
    },
    Never {
        places: &["crates/pinlake-report"],
        names: &["aws_*", "deltalake*", "rayon", "flate2", "pinlake_*"],
        scope: Scope::WithTests,
        why: "reports are handed plain facts about a lake, so they run on any",
    },
    Never {
        places: &["crates/pinlake-ingest"],
        names: &[
            "clap",
            "indicatif",
            "datafusion*",
            "deltalake*",
            "parquet",
            "aws_*",
            "pinlake_local",
            "pinlake_report",
        ],
        scope: Scope::WithoutTests,
        why: "the pipeline is a library: a bench drives it as the command line does",
    },
    Never {
        places: &["crates/pinlake-ingest/src/scan"],
        names: &["pinlake_lake", "crate::lanes", "crate::pipeline", "crate::work"],
        scope: Scope::WithTests,
        why: "pieces are read for a query without a lake, and nothing is written",
    },
    Never {
        places: &["crates/pinlake-local"],
        names: &[
            "pinlake_source",
            "pinlake_decode",
            "pinlake_lake",
            "pinlake_ingest",
            "pinlake_report",
            "arrow*",
            "parquet",
            "datafusion*",
        ],
        scope: Scope::WithTests,
        why: "an oracle that shares code with the suspect proves nothing",
    },
    Never {
        places: &[
            "crates/cli",
            "crates/pinlake-decode",
            "crates/pinlake-ingest",
            "crates/pinlake-lake",
            "crates/pinlake-local",
            "crates/pinlake-report",
        ],
        names: &["aws_sdk_*", "aws_config"],
        scope: Scope::WithoutTests,
        why: "the AWS SDK stays in pinlake-source; the loopback world meets it in tests alone",
    },
    Never {
        places: &["crates/cli"],
        names: &["datafusion*", "deltalake*", "arrow*", "parquet", "object_store"],
        scope: Scope::WithoutTests,
        why: "the command line brings rooms together in public words and computes nothing itself",
    },
    Never {
        places: LIBRARIES,
        names: &["std::env", "*::temp_dir"],
        scope: Scope::WithoutTests,
        why: "only the command line reads the environment; a library is told",
    },
    Never {
        places: LIBRARIES,
        names: &[
            "print!",
            "println!",
            "eprint!",
            "eprintln!",
            "dbg!",
            "*::stdin",
            "*::stdout",
            "*::stderr",
            "*::exit",
            "std::process::abort",
            "clap",
            "indicatif",
            "tracing_subscriber",
            "*::set_global_default",
            "*::set_hook",
        ],
        scope: Scope::WithoutTests,
        why: "only the command line speaks to the user, ends the process or installs a logger",
    },
    Never {
        places: LIBRARIES,
        names: &["anyhow", "todo!", "unimplemented!"],
        scope: Scope::WithoutTests,
        why: "a library's errors are types that a caller can decide upon",
    },
    Never {
        places: &["crates"],
        names: &["*::unbounded_channel", "*::unbounded", "std::sync::mpsc::channel"],
        scope: Scope::WithoutTests,
        why: "a queue without a bound is memory without a bound",
    },
];

impl Never {
    /// Whether the rule is about the file at `path`.
    pub(super) fn is_about(&self, path: &str) -> bool {
        self.places.iter().any(|place| {
            path.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '.']))
        })
    }

    /// Whether it is about everything in a room, and so about its manifest.
    pub(super) fn is_about_all_of(&self, room: &Room) -> bool {
        self.is_about(room.root) && self.is_about(room.folder)
    }

    /// Whether one of the names is that of `path`.
    pub(super) fn forbids(&self, path: &NamedPath) -> bool {
        self.names.iter().any(|name| is_named(name, path))
    }
}

fn is_named(name: &str, path: &NamedPath) -> bool {
    let parts = &path.parts;
    if name.ends_with('!') {
        return parts.last().is_some_and(|last| last == name);
    }
    if let Some(last) = name.strip_prefix("*::") {
        return parts.len() > 1 && parts.last().is_some_and(|part| part == last);
    }
    // A lone word is a variable or a function here unless a `use` makes it a crate.
    if parts.len() == 1 && !path.is_use {
        return false;
    }
    if let Some(beginning) = name.strip_suffix('*') {
        return parts[0].starts_with(beginning);
    }
    let wanted: Vec<&str> = name.split("::").collect();
    wanted.len() <= parts.len() && wanted.iter().zip(parts).all(|(wanted, part)| wanted == part)
}

/// Top-level modules that name others by their nature, so that their own arrows do not count.
pub(super) const LEADS_EVERYWHERE: [(&str, &str); 1] =
    [("error", "a crate's error type is the sum of what can go wrong in its modules, and calls nothing")];

/// Module names that hold anything, and so say nothing.
pub(super) const EMPTY_NAMES: [&str; 6] = ["utils", "util", "helpers", "common", "misc", "imp"];

/// A file that is kept short on purpose.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) path: &'static str,
    pub(super) below_lines: usize,
    pub(super) why: &'static str,
}

/// The files that are kept short.
pub(super) const PAGES: [Page; 2] = [
    Page {
        path: "crates/pinlake-ingest/src/pipeline.rs",
        below_lines: 200,
        why: "the way of the data is one page",
    },
    Page { path: "crates/cli/main.rs", below_lines: 20, why: "what the binary does is said at one glance" },
];

/// Files that may hold `unsafe`, with what makes it sound and what it brings.
pub(super) const UNSAFE_FILES: [(&str, &str); 3] = [
    (
        "crates/cli/allocator.rs",
        "sets an option of mimalloc before there are threads; the safe way is an environment variable, which a program cannot set for itself before it starts",
    ),
    (
        "crates/pinlake-decode/src/unpack/inflater.rs",
        "calls libdeflate with slices; its safe wrapper does not tell how much input was used, and streaming takes 1.8 times as long",
    ),
    (
        "crates/pinlake-decode/src/json/quotes/avx2.rs",
        "calls a safe function that is compiled for AVX2 after asking the processor for it; the portable scanner takes more than twice as long",
    ),
];

#[cfg(test)]
mod tests {
    use super::super::source::SourceFile;
    use super::*;

    #[test]
    fn a_name_is_found_in_whatever_form_it_stands() {
        let text = "use std::{env as e, io::{self, stdout as out}}; use aws_sdk_s3 as s3; use tokio;
            fn f() { io::stderr(); println!(\"x\"); rayon::join(a, b); arrow(clap); x.stdin(); }";
        let paths = SourceFile::new("x.rs", text.to_owned()).paths;
        let is_found = |name: &str| paths.iter().any(|path| is_named(name, path));
        for name in ["std::env", "*::stdout", "*::stderr", "println!", "aws_sdk_*", "aws_*", "tokio", "rayon"]
        {
            assert!(is_found(name), "{name}");
        }
        for name in ["clap", "arrow", "*::stdin", "std::fs", "std::env::var", "print!"] {
            assert!(!is_found(name), "{name}");
        }
    }

    #[test]
    fn a_rule_is_about_its_folder_or_file_and_not_about_others() {
        let rule = |place: &'static [&'static str]| Never {
            places: place,
            names: &[],
            scope: Scope::WithTests,
            why: "",
        };
        assert!(rule(&["crates/a/src/writer"]).is_about("crates/a/src/writer.rs"));
        assert!(rule(&["crates/a/src/writer"]).is_about("crates/a/src/writer/stats.rs"));
        assert!(!rule(&["crates/a/src/writer"]).is_about("crates/a/src/writers.rs"));
        assert!(!rule(&["crates/a"]).is_about("crates/ab/src/lib.rs"));
    }
}
