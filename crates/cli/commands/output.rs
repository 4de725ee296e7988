//! Where results go: stdout, a file, or files in a folder.

use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use pinlake_report::{Format, PageFacts, RenderOptions, Report, render};

use crate::args::OutputArgs;
use crate::exit::CliError;

/// Where and how results are written.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) format: Format,
    target: Target,
    pub(crate) options: RenderOptions,
}

#[derive(Debug)]
enum Target {
    Stdout,
    File(PathBuf),
    Folder(PathBuf),
}

impl Output {
    /// What the flags ask for. The format is that of `--format`, else that of the ending of `--out`, else a table. `--out`
    /// is a folder where it is one already or has no ending that says otherwise.
    pub(crate) fn new(args: &OutputArgs, facts: PageFacts) -> Result<Self, CliError> {
        let by_ending = args.out.as_deref().and_then(Format::of_path);
        let target = match &args.out {
            None => Target::Stdout,
            Some(out) if out.is_dir() || by_ending.is_none() && out.extension().is_none() => {
                Target::Folder(out.clone())
            }
            Some(out) if by_ending.is_none() && args.format.is_none() => {
                let message = format!(
                    "the ending of {} is no format: give --format, or end it in .csv, .json, .ndjson, .md, .html, .parquet or .txt",
                    out.display()
                );
                return Err(CliError::usage(message));
            }
            Some(out) => Target::File(out.clone()),
        };
        let to_terminal = matches!(target, Target::Stdout) && io::stdout().is_terminal();
        let terminal = console::Term::stdout();
        let width = terminal.size_checked().map(|(_, columns)| usize::from(columns));
        let default_format = if matches!(target, Target::Folder(_)) { Format::Html } else { Format::Table };
        Ok(Self {
            format: args.format.or(by_ending).unwrap_or(default_format),
            target,
            options: RenderOptions {
                width: width.filter(|_| to_terminal),
                color: to_terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
                max_rows: (to_terminal && args.max_rows > 0).then_some(args.max_rows),
                csv_safe: args.csv_safe,
                facts,
                ..RenderOptions::default()
            },
        })
    }

    /// Whether a file could be written there at all: its folder must exist.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        let Target::File(path) = &self.target else { return Ok(()) };
        match path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            Some(folder) if !folder.is_dir() => {
                let message =
                    format!("cannot write {}: there is no folder {}", path.display(), folder.display());
                Err(CliError::usage(message).into())
            }
            _ => Ok(()),
        }
    }

    /// Writes reports, and returns the files that were written.
    pub(crate) fn write(&self, reports: &[Report]) -> anyhow::Result<Vec<PathBuf>> {
        match &self.target {
            Target::Stdout => {
                let mut out = BufWriter::new(io::stdout());
                render(reports, self.format, &self.options, &mut out)?;
                out.flush()?;
                Ok(Vec::new())
            }
            Target::File(path) => {
                self.write_file(path, reports)?;
                Ok(vec![path.clone()])
            }
            Target::Folder(folder) => self.write_folder(folder, reports),
        }
    }

    /// One file for a page that holds all reports, else one a report.
    fn write_folder(&self, folder: &Path, reports: &[Report]) -> anyhow::Result<Vec<PathBuf>> {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot make the folder {}", folder.display()))?;
        if self.format == Format::Html {
            let path = folder.join("report.html");
            self.write_file(&path, reports)?;
            return Ok(vec![path]);
        }
        let mut paths = Vec::with_capacity(reports.len());
        for report in reports {
            let path = folder.join(format!("{}.{}", report.name, self.format.extension()));
            self.write_file(&path, std::slice::from_ref(report))?;
            paths.push(path);
        }
        Ok(paths)
    }

    fn write_file(&self, path: &Path, reports: &[Report]) -> anyhow::Result<()> {
        whole_file(path, |out| Ok(render(reports, self.format, &self.options, out)?))
    }

    /// Where a single stream of rows goes: a file, or stdout for none.
    pub(crate) fn stream_target(&self, name: &str) -> anyhow::Result<Option<PathBuf>> {
        match &self.target {
            Target::Stdout => Ok(None),
            Target::File(path) => Ok(Some(path.clone())),
            Target::Folder(folder) => {
                std::fs::create_dir_all(folder)
                    .with_context(|| format!("cannot make the folder {}", folder.display()))?;
                Ok(Some(folder.join(format!("{name}.{}", self.format.extension()))))
            }
        }
    }
}

/// Writes a file whole or not at all: under a name of its own first, renamed at the end.
pub(crate) fn whole_file(
    path: &Path,
    fill: impl FnOnce(&mut (dyn Write + Send)) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let partial = partial_path(path);
    let created =
        std::fs::File::create(&partial).with_context(|| format!("cannot write {}", path.display()))?;
    let mut out = BufWriter::new(created);
    let filled = fill(&mut out).and_then(|()| Ok(out.flush()?));
    drop(out);
    let moved = filled
        .and_then(|()| Ok(std::fs::rename(&partial, path)?))
        .with_context(|| format!("cannot write {}", path.display()));
    if moved.is_err() {
        // The error that brought us here is the one to tell.
        let _ = std::fs::remove_file(&partial);
    }
    moved
}

/// A file that is written bit by bit and has another name until it is whole. Dropped before, it is deleted.
pub(crate) struct PartialFile {
    path: PathBuf,
    partial: PathBuf,
    out: BufWriter<std::fs::File>,
    is_kept: bool,
}

impl PartialFile {
    /// Begins the file that will be `path`.
    pub(crate) fn create(path: PathBuf) -> anyhow::Result<Self> {
        let partial = partial_path(&path);
        let file =
            std::fs::File::create(&partial).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self { path, partial, out: BufWriter::new(file), is_kept: false })
    }

    /// Gives it its name, now that all is written.
    pub(crate) fn keep(mut self) -> anyhow::Result<PathBuf> {
        let kept = self.out.flush().and_then(|()| std::fs::rename(&self.partial, &self.path));
        kept.with_context(|| format!("cannot write {}", self.path.display()))?;
        self.is_kept = true;
        Ok(self.path.clone())
    }
}

impl Write for PartialFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl Drop for PartialFile {
    fn drop(&mut self) {
        if !self.is_kept {
            // What brought us here is the error to tell.
            let _ = std::fs::remove_file(&self.partial);
        }
    }
}

/// The name that a file has until it is whole.
pub(crate) fn partial_path(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".partial");
    path.with_file_name(name)
}
