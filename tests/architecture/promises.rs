//! The promises of docs/SEMANTICS.md and the tests that they name.

use std::fs;
use std::path::Path;

use super::source::SourceFile;

/// A paragraph below a heading of the second level.
#[derive(Debug)]
pub(super) struct Promise {
    /// Its first line, from 1.
    pub(super) line: usize,
    /// The tests that it names, as `crate::module::test`.
    pub(super) tests: Vec<String>,
}

/// The promises of a page.
pub(super) fn read(page: &str) -> Vec<Promise> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut promises: Vec<Promise> = Vec::new();
    let (mut is_below_heading, mut is_in_paragraph) = (false, false);
    for (number, line) in text.lines().enumerate() {
        is_below_heading |= line.starts_with("## ");
        if line.is_empty() || line.starts_with('#') || !is_below_heading {
            is_in_paragraph = false;
            continue;
        }
        if !is_in_paragraph {
            promises.push(Promise { line: number + 1, tests: Vec::new() });
            is_in_paragraph = true;
        }
        if let Some(promise) = promises.last_mut() {
            let quoted = line.split('`').skip(1).step_by(2);
            promise.tests.extend(quoted.filter(|word| word.contains("::")).map(str::to_owned));
        }
    }
    promises
}

/// Whether one of the files has a function of the test's name, and is the module that the test's path says, or holds it.
pub(super) fn is_there(test: &str, files: &[SourceFile]) -> bool {
    let Some((module, name)) = test.rsplit_once("::") else { return false };
    files.iter().any(|file| {
        let rest = module.strip_prefix(module_of(&file.path).as_str());
        rest.is_some_and(|rest| matches!(rest, "" | "::tests")) && file.has_function(name)
    })
}

/// `crates/pinlake-lake/src/writer/tests.rs` is `pinlake_lake::writer::tests`; files of the integration tests are
/// `tests::…`, those of the command line `pinlake::…`.
fn module_of(path: &str) -> String {
    let path = path.trim_end_matches(".rs").trim_end_matches("/lib").trim_end_matches("/main");
    let path = match path.strip_prefix("crates/") {
        Some(path) => path.replacen("/src", "", 1).replacen("cli", "pinlake", 1).replace('-', "_"),
        None => path.to_owned(),
    };
    path.replace('/', "::")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_is_found_in_its_module_and_nowhere_else() {
        let text = "#[cfg(test)]\nmod tests {\n    #[test]\n    fn it_holds() {}\n}\n";
        let files = [SourceFile::new("crates/pinlake-lake/src/log/durable.rs", text.to_owned())];
        assert!(is_there("pinlake_lake::log::durable::tests::it_holds", &files));
        assert!(!is_there("pinlake_lake::log::tests::it_holds", &files));
        assert!(!is_there("pinlake_lake::log::durable::tests::it_does_not", &files));
        assert_eq!(module_of("tests/ingest/values.rs"), "tests::ingest::values");
        assert_eq!(module_of("crates/cli/exit.rs"), "pinlake::exit");
    }
}
