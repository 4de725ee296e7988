//! Where results go: stdout, a file, or files in a folder.

use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use pinlake_report::{Format, PageFacts, RenderOptions, Report, render, render_checks};

use crate::args::OutputArgs;
use crate::exit::CliError;

/// The file beside formats that hold rows alone, with what the checks say.
const CHECKS_FILE: &str = "checks.json";

/// Where and how results are written.
#[derive(Debug)]
pub(crate) struct Output {
    /// Each once, in the order in which they were named; never none.
    formats: Vec<Format>,
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
    /// What the flags ask for. The formats are those of `--format`, else that of the ending of `--out`, else a table.
    /// `--out` is a folder where it is one already or has no ending that says otherwise.
    pub(crate) fn new(args: &OutputArgs, facts: PageFacts) -> Result<Self, CliError> {
        let by_ending = args.out.as_deref().and_then(Format::of_path);
        let mut formats: Vec<Format> = Vec::new();
        for format in &args.formats {
            if !formats.contains(format) {
                formats.push(*format);
            }
        }
        let target = target(args, by_ending, formats.len())?;
        if formats.is_empty() {
            let default = if matches!(target, Target::Folder(_)) { Format::Html } else { Format::Table };
            formats.push(by_ending.unwrap_or(default));
        }
        let to_terminal = matches!(target, Target::Stdout) && io::stdout().is_terminal();
        if to_terminal && let Some(format) = formats.iter().find(|format| !format.is_text()) {
            let message = format!("{format} is nothing to read in a terminal: give --out FILE or --out DIR");
            return Err(CliError::usage(message));
        }
        let terminal = console::Term::stdout();
        let width = terminal.size_checked().map(|(_, columns)| usize::from(columns));
        Ok(Self {
            formats,
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

    /// The same within a bound of memory, which formats need that are built before they are written.
    pub(crate) fn within(mut self, memory_limit_bytes: Option<usize>) -> Self {
        self.options.memory_limit_bytes = memory_limit_bytes;
        self
    }

    /// The format, where only one can be had.
    pub(crate) fn one_format(&self, of: &str) -> Result<Format, CliError> {
        match self.formats[..] {
            [format] => Ok(format),
            _ => Err(CliError::usage(format!("{of} is written in one format at a time"))),
        }
    }

    /// Whether some format holds rows alone, so that what the checks say must be told elsewhere.
    pub(crate) fn hides_checks(&self) -> bool {
        self.formats.iter().any(|format| !format.shows_checks())
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

    /// Writes reports in every format, and returns the files that were written.
    pub(crate) fn write(&self, reports: &[Report]) -> anyhow::Result<Vec<PathBuf>> {
        let mut paths = Vec::new();
        for format in &self.formats {
            match &self.target {
                Target::Stdout => {
                    let mut out = BufWriter::new(io::stdout());
                    render(reports, *format, &self.options, &mut out)?;
                    out.flush()?;
                }
                Target::File(path) => {
                    self.write_file(path, *format, reports)?;
                    paths.push(path.clone());
                }
                Target::Folder(folder) => paths.extend(self.write_folder(folder, *format, reports)?),
            }
        }
        if let Target::Folder(folder) = &self.target
            && self.hides_checks()
        {
            let path = folder.join(CHECKS_FILE);
            // A report of that name goes first; its verdicts are told on stderr as all are.
            if !paths.contains(&path) {
                whole_file(&path, |out| Ok(render_checks(reports, out)?))?;
                paths.push(path);
            }
        }
        Ok(paths)
    }

    /// One file for a page or a workbook that holds all reports, else one a report.
    fn write_folder(
        &self,
        folder: &Path,
        format: Format,
        reports: &[Report],
    ) -> anyhow::Result<Vec<PathBuf>> {
        make(folder)?;
        if matches!(format, Format::Html | Format::Xlsx) {
            let path = folder.join(format!("report.{}", format.extension()));
            self.write_file(&path, format, reports)?;
            return Ok(vec![path]);
        }
        let mut paths = Vec::with_capacity(reports.len());
        for report in reports {
            let path = folder.join(format!("{}.{}", report.name, format.extension()));
            self.write_file(&path, format, std::slice::from_ref(report))?;
            paths.push(path);
        }
        Ok(paths)
    }

    fn write_file(&self, path: &Path, format: Format, reports: &[Report]) -> anyhow::Result<()> {
        whole_file(path, |out| Ok(render(reports, format, &self.options, out)?))
    }

    /// Where a single stream of rows goes: a file, or stdout for none.
    pub(crate) fn stream_target(&self, name: &str, format: Format) -> anyhow::Result<Option<PathBuf>> {
        match &self.target {
            Target::Stdout => Ok(None),
            Target::File(path) => Ok(Some(path.clone())),
            Target::Folder(folder) => {
                make(folder)?;
                Ok(Some(folder.join(format!("{name}.{}", format.extension()))))
            }
        }
    }
}

/// Where `--out` points. Several formats need a folder, which is then made of any name that is no file's.
fn target(args: &OutputArgs, by_ending: Option<Format>, formats: usize) -> Result<Target, CliError> {
    let Some(out) = &args.out else {
        if formats > 1 {
            return Err(CliError::usage("several formats need a folder: give --out DIR"));
        }
        return Ok(Target::Stdout);
    };
    if out.is_dir() || by_ending.is_none() && (out.extension().is_none() || formats > 1) {
        return Ok(Target::Folder(out.clone()));
    }
    if formats > 1 {
        let message = format!("several formats need a folder, and {} is the name of a file", out.display());
        return Err(CliError::usage(message));
    }
    if by_ending.is_none() && formats == 0 {
        let message = format!(
            "the ending of {} is no format: give --format, or end it in .csv, .json, .ndjson, .md, .html, .xlsx, .parquet or .txt",
            out.display()
        );
        return Err(CliError::usage(message));
    }
    Ok(Target::File(out.clone()))
}

/// Makes a folder for results, and those above it. Results are personal data: nobody else may look into what is new.
pub(crate) fn make(folder: &Path) -> anyhow::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).with_context(|| format!("cannot make the folder {}", folder.display()))
}

/// Writes a file whole or not at all: under a name of its own first, renamed at the end.
pub(crate) fn whole_file(
    path: &Path,
    fill: impl FnOnce(&mut (dyn Write + Send)) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut partial = PartialFile::create(path.to_owned())?;
    fill(&mut partial).with_context(|| format!("cannot write {}", path.display()))?;
    partial.keep().map(|_| ())
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
            private_file(&partial, &path).with_context(|| format!("cannot write {}", path.display()))?;
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

/// Makes a file that its owner alone can read, or whoever could read the one that it will replace: somebody may have
/// chosen to share that.
fn private_file(partial: &Path, path: &Path) -> io::Result<std::fs::File> {
    // What an interrupted run left is removed, and the file is a new one: its mode is ours, and no link is followed.
    match std::fs::remove_file(partial) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(partial)?;
    if let Ok(replaced) = std::fs::symlink_metadata(path)
        && replaced.is_file()
    {
        file.set_permissions(replaced.permissions())?;
    }
    Ok(file)
}

/// The name that a file has until it is whole.
fn partial_path(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".partial");
    path.with_file_name(name)
}
