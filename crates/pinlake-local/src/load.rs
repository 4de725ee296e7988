//! Files that bring an audience back: pieces of an export, and import files.
//!
//! Export lines are not imported: no rule refuses an endpoint, nobody's status changes, and an export line stays as it came.
//! Bounds: a file in memory, unpacked, and a batch of its lines.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::Utc;
use rayon::prelude::*;
use serde::Deserialize;
use uuid::Uuid;

use crate::audience::{Audience, Refusal, Stamp, TakenIn};
use crate::error::LocalError;
use crate::import::{self, Format, ImportError, Item};
use crate::pinpoint::Applications;

/// Lines in one commit: some 35 MB.
const LINES_AT_A_TIME: usize = 50_000;

/// Refused lines of a file that are told.
const REFUSED_TOLD: usize = 10;

/// What became of a file's lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Loaded {
    /// Endpoints that were not there before.
    pub added: u64,
    /// Lines that took the place of an endpoint with the same id, or were merged into it by an import file.
    pub replaced: u64,
    /// Lines that are no endpoint.
    pub refused: u64,
    /// The first of them.
    pub first_refused: Vec<RefusedLine>,
    /// Lines by the application that they went to.
    pub by_application: BTreeMap<String, u64>,
}

/// A line that is no endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedLine {
    /// Its number in the file, from 1.
    pub line: u64,
    /// Why; no value of it is quoted.
    pub reason: String,
}

impl Loaded {
    fn add(&mut self, application_id: &str, lines: &[(u64, &[u8])], taken: &TakenIn) {
        self.added += taken.added;
        self.replaced += taken.replaced;
        *self.by_application.entry(application_id.to_owned()).or_default() += taken.added + taken.replaced;
        for (index, reason) in &taken.refused {
            self.refuse(lines.get(*index).map_or(0, |(line, _)| *line), reason);
        }
    }

    fn refuse(&mut self, line: u64, reason: &str) {
        self.refused += 1;
        if self.first_refused.len() < REFUSED_TOLD {
            self.first_refused.push(RefusedLine { line, reason: reason.to_owned() });
        }
    }
}

/// Loads a file.
pub(crate) fn file(
    applications: &Applications,
    default_application_id: &str,
    name: &str,
    bytes: &[u8],
) -> Result<Loaded, LocalError> {
    let error = |source| LocalError::Load { name: name.to_owned(), source };
    let plain = import::unpacked(bytes).map_err(error)?;
    let is_csv = import::is_csv(name);
    let mut load = Load { applications, default_application_id, loaded: Loaded::default() };
    if is_csv {
        load.csv(name, &plain)?;
    } else {
        load.lines(&plain)?;
    }
    Ok(load.loaded)
}

/// A file on its way in.
struct Load<'a> {
    applications: &'a Applications,
    default_application_id: &'a str,
    loaded: Loaded,
}

/// What of a line says where it belongs.
#[derive(Deserialize)]
struct Belonging {
    #[serde(rename = "ApplicationId")]
    application_id: Option<String>,
}

impl Load<'_> {
    fn lines(&mut self, plain: &[u8]) -> Result<(), LocalError> {
        let plain = plain.strip_prefix(b"\xef\xbb\xbf").unwrap_or(plain);
        let lines: Vec<(u64, &[u8])> =
            import::lines(plain).map(|(line, bytes)| (line, bytes.trim_ascii())).collect();
        lines.chunks(LINES_AT_A_TIME).try_for_each(|lines| self.batch(lines))
    }

    /// Gives each line to its application.
    fn batch(&mut self, lines: &[(u64, &[u8])]) -> Result<(), LocalError> {
        let belong = |(_, line): &(u64, &[u8])| {
            let named = serde_json::from_slice::<Belonging>(line).ok()?.application_id?;
            Some(named).filter(|id| is_plausible(id) && id != self.default_application_id)
        };
        let belongings: Vec<Option<String>> = lines.par_iter().map(belong).collect();
        let mut by_application: BTreeMap<&str, Vec<(u64, &[u8])>> = BTreeMap::new();
        for (line, belonging) in lines.iter().zip(&belongings) {
            let id = belonging.as_deref().unwrap_or(self.default_application_id);
            by_application.entry(id).or_default().push(*line);
        }
        for (id, lines) in by_application {
            let bytes: Vec<&[u8]> = lines.iter().map(|(_, bytes)| *bytes).collect();
            let taken = self.audience(id)?.load(&bytes)?;
            self.loaded.add(id, &lines, &taken);
        }
        Ok(())
    }

    /// The endpoints of an application, which is made where it is not there.
    fn audience(&self, id: &str) -> Result<Arc<Audience>, LocalError> {
        self.applications.ensure(id, "loaded")?;
        self.applications.audience(id).ok_or_else(|| LocalError::Vanished { application_id: id.to_owned() })
    }

    /// An import file is imported: by the rules of `UpdateEndpoint`, with what is there merged.
    fn csv(&mut self, name: &str, plain: &[u8]) -> Result<(), LocalError> {
        let audience = self.audience(self.default_application_id)?;
        let stamp = Stamp {
            now: Utc::now(),
            application_id: self.default_application_id.to_owned(),
            request_id: Uuid::new_v4().to_string(),
        };
        let batch = |items: Vec<Item>| self.import(&audience, items, &stamp).map_err(CsvError::Local);
        import::each_batch(Format::Csv, plain, batch).map_err(|error| match error {
            CsvError::File(source) => LocalError::Load { name: name.to_owned(), source },
            CsvError::Local(error) => error,
        })
    }

    fn import(&mut self, audience: &Audience, items: Vec<Item>, stamp: &Stamp) -> Result<(), LocalError> {
        let mut lines = Vec::with_capacity(items.len());
        let mut updates = Vec::with_capacity(items.len());
        for Item { line, endpoint } in items {
            let identified = endpoint.and_then(|endpoint| match import::id_of(&endpoint) {
                Ok(id) => Ok((id, endpoint)),
                Err(reason) => Err(reason.to_owned()),
            });
            match identified {
                Ok((id, endpoint)) => {
                    lines.push((line, audience.get(&id)?.is_some()));
                    updates.push((id, endpoint));
                }
                Err(reason) => self.loaded.refuse(line, &reason),
            }
        }
        let outcomes = audience.update_each(updates, stamp)?;
        for ((line, was_there), outcome) in lines.into_iter().zip(outcomes) {
            match outcome {
                Ok(()) => {
                    *(if was_there { &mut self.loaded.replaced } else { &mut self.loaded.added }) += 1;
                    let lines = self.loaded.by_application.entry(stamp.application_id.clone());
                    *lines.or_default() += 1;
                }
                Err(Refusal(reason)) => self.loaded.refuse(line, &reason),
            }
        }
        Ok(())
    }
}

/// Why a CSV file is not gone on with.
enum CsvError {
    File(ImportError),
    Local(LocalError),
}

impl From<ImportError> for CsvError {
    fn from(error: ImportError) -> Self {
        CsvError::File(error)
    }
}

/// Whether an application can have this id: it stands in paths.
fn is_plausible(id: &str) -> bool {
    (1..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}
