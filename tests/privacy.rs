//! Personal data and credentials are where they were asked for and nowhere else: what is redacted never reaches the disk, and no
//! log, error or manifest quotes a value.

mod canaries;
mod logs;
#[cfg(unix)]
mod modes;
mod redaction;

use std::path::Path;

use crate::harness::files_below;

/// The files below a folder that hold one of `texts` in their bytes, with that text.
fn found(folder: &Path, texts: &[&str]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for path in files_below(folder).into_keys().map(|name| folder.join(name)) {
        let bytes = std::fs::read(&path).unwrap();
        let holds = |text: &&&str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
        found.extend(texts.iter().filter(holds).map(|text| (path.display().to_string(), (*text).to_owned())));
    }
    found
}
