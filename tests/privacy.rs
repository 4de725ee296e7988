//! Personal data and credentials are where they were asked for and nowhere else: what is redacted never reaches the disk, and no
//! log, error or manifest quotes a value.

mod canaries;
mod logs;
#[cfg(unix)]
mod modes;
mod redaction;

use std::path::Path;

/// The files below a folder that hold one of `texts` in their bytes, with that text.
fn found(folder: &Path, texts: &[&str]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&next) else { continue };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = std::fs::read(&path).unwrap();
            let holds = |text: &&&str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
            found.extend(
                texts.iter().filter(holds).map(|text| (path.display().to_string(), (*text).to_owned())),
            );
        }
    }
    found
}
