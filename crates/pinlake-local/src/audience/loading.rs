//! Many endpoints at once: lines of an export as they came, and the directory of those that are there.
//!
//! Loading is not updating: nobody's status changes, no limit applies, and lines stay as they are, so that an export gives
//! back what an export brought. Lines are parsed on all cores; one commit is made for all of a call.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use rayon::prelude::*;
use uuid::Uuid;

use super::directory::{self, Directory, Keys};
use super::{Audience, AudienceError, stored};
use crate::model::EndpointResponse;
use crate::population::Population;
use crate::state::Endpoints;

/// Lines that a thread takes at a time.
const LINES_AT_A_TIME: usize = 1_024;

/// Slots that a thread takes at a time.
const SLOTS_AT_A_TIME: u64 = 16_384;

/// Endpoints of a population in one commit: some 70 MB.
const POURED_AT_A_TIME: u64 = 100_000;

/// What became of lines.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct TakenIn {
    /// Endpoints that were not there before.
    pub(crate) added: u64,
    /// Endpoints that took the place of one with the same id.
    pub(crate) replaced: u64,
    /// Lines that are no endpoint: the index of each and why. It quotes no values.
    pub(crate) refused: Vec<(usize, String)>,
}

/// A line that is an endpoint.
struct Parsed {
    keys: Keys,
    bytes: Vec<u8>,
}

/// Some lines, parsed.
struct Chunk {
    lines: Vec<Result<Parsed, String>>,
    names: HashSet<String>,
}

impl Audience {
    /// Takes lines of an export in. The last of equal ids stays.
    pub(crate) fn load(&self, lines: &[&[u8]]) -> Result<TakenIn, AudienceError> {
        self.pour()?;
        self.take_in(lines)
    }

    /// Makes everything that was loaded durable.
    pub(crate) fn sync(&self) -> Result<(), AudienceError> {
        Ok(self.state.sync()?)
    }

    /// Keeps a seeded population as endpoints now, as a state on the disk needs it.
    pub(crate) fn keep_seed(&self) -> Result<(), AudienceError> {
        self.pour()
    }

    /// Keeps a seeded population as endpoints, if that is still to be done.
    pub(super) fn pour(&self) -> Result<(), AudienceError> {
        let mut seed = self.seed();
        let Some(population) = seed.as_ref().map(Arc::clone) else { return Ok(()) };
        let mut start = 0;
        while start < population.endpoints() {
            let end = population.endpoints().min(start + POURED_AT_A_TIME);
            let lines: Vec<Vec<u8>> =
                (start..end).into_par_iter().map(|index| line_of(&population, index)).collect();
            let lines: Vec<&[u8]> = lines.iter().map(Vec::as_slice).collect();
            // What is odd on purpose may be no endpoint at all; it was in exports alone.
            self.take_in(&lines)?;
            start = end;
        }
        self.sync()?;
        *seed = None;
        Ok(())
    }

    /// The population, while its endpoints are not kept.
    pub(super) fn unpoured(&self) -> Option<Arc<Population>> {
        self.seed().clone()
    }

    fn take_in(&self, lines: &[&[u8]]) -> Result<TakenIn, AudienceError> {
        let chunks: Vec<Chunk> = lines.par_chunks(LINES_AT_A_TIME).map(parse).collect();
        let mut directory = self.write();
        let mut intake = Intake::new(&mut directory, self.state.endpoints(self.number)?);
        let mut names = HashSet::new();
        for chunk in chunks {
            names.extend(chunk.names);
            chunk.lines.into_iter().try_for_each(|line| intake.take(line))?;
        }
        let writes = intake.writes.iter().map(|(slot, bytes)| (*slot, Some(bytes.as_slice())));
        if let Err(error) = self.state.add_endpoints(self.number, writes) {
            intake.roll_back();
            return Err(error.into());
        }
        let loaded = intake.loaded;
        directory.add_names(names);
        Ok(loaded)
    }
}

/// Lines on their way into the directory and the state.
struct Intake<'a> {
    directory: &'a mut Directory,
    endpoints: Endpoints,
    loaded: TakenIn,
    lines: usize,
    /// What is to be written, in order: of equal slots the last counts.
    writes: Vec<(u64, Vec<u8>)>,
    /// Keys of the slots that have been written here.
    keys: HashMap<u64, Keys>,
    /// What was linked, to take it back: slot, keys before, keys after.
    links: Vec<(u64, Option<Keys>, Keys)>,
}

impl<'a> Intake<'a> {
    fn new(directory: &'a mut Directory, endpoints: Endpoints) -> Self {
        Intake {
            directory,
            endpoints,
            loaded: TakenIn::default(),
            lines: 0,
            writes: Vec::new(),
            keys: HashMap::new(),
            links: Vec::new(),
        }
    }

    /// Takes the next line.
    fn take(&mut self, line: Result<Parsed, String>) -> Result<(), AudienceError> {
        let index = self.lines;
        self.lines += 1;
        let Parsed { keys, bytes } = match line {
            Ok(parsed) => parsed,
            Err(reason) => {
                self.loaded.refused.push((index, reason));
                return Ok(());
            }
        };
        let (slot, before) = if let Some(slot) = self.directory.slot(keys.id()) {
            self.loaded.replaced += 1;
            (slot, self.keys_before(slot)?)
        } else {
            self.loaded.added += 1;
            (self.directory.next_slot(), None)
        };
        self.directory.relink(slot, before, Some(keys));
        self.keys.insert(slot, keys);
        self.links.push((slot, before, keys));
        self.writes.push((slot, bytes));
        Ok(())
    }

    /// The keys of an endpoint that is to be replaced.
    fn keys_before(&self, slot: u64) -> Result<Option<Keys>, AudienceError> {
        if let Some(keys) = self.keys.get(&slot) {
            return Ok(Some(*keys));
        }
        let bytes = self.endpoints.get(slot)?;
        let endpoint = bytes.map(|bytes| stored::decode(&bytes)).transpose()?;
        Ok(endpoint.as_ref().and_then(Keys::of))
    }

    /// Brings the directory back to what it was.
    fn roll_back(&mut self) {
        for (slot, before, after) in self.links.drain(..).rev() {
            self.directory.relink(slot, Some(after), before);
        }
    }
}

fn line_of(population: &Population, index: u64) -> Vec<u8> {
    let mut line = Vec::with_capacity(1_024);
    population.write_line(index, &mut line);
    line
}

fn parse(lines: &[&[u8]]) -> Chunk {
    let mut names = HashSet::new();
    let lines = lines.iter().map(|line| parse_line(line, &mut names)).collect();
    Chunk { lines, names }
}

fn parse_line(line: &[u8], names: &mut HashSet<String>) -> Result<Parsed, String> {
    // A derived reader takes a list for a structure, too.
    if line.trim_ascii_start().first() != Some(&b'{') {
        return Err("it is no JSON object".to_owned());
    }
    // serde_json's message may quote a value: its place is enough.
    let mut endpoint = EndpointResponse::from_line(line)
        .map_err(|error| format!("it is no JSON object, at byte {}", error.column()))?;
    for name in directory::names(&endpoint) {
        if !names.contains(&name) {
            names.insert(name);
        }
    }
    if let Some(keys) = Keys::of(&endpoint) {
        return Ok(Parsed { keys, bytes: stored::encode("", line) });
    }
    // Without an id it could not be asked for: it gets one.
    endpoint.id = Some(Uuid::new_v4().to_string());
    let bytes = stored::encode_endpoint(&endpoint).map_err(|error| error.to_string())?;
    Keys::of(&endpoint).map(|keys| Parsed { keys, bytes }).ok_or_else(|| "it has no Id".to_owned())
}

/// The directory of endpoints that are there.
pub(super) fn index(endpoints: &Endpoints) -> Result<Directory, AudienceError> {
    let end = endpoints.end()?;
    let starts: Vec<u64> = (0..end).step_by(usize::try_from(SLOTS_AT_A_TIME).unwrap_or(usize::MAX)).collect();
    let read = |start: u64| {
        let mut found: Vec<(u64, Keys)> = Vec::new();
        let mut names = HashSet::new();
        let mut bad = None;
        endpoints.visit(start..end.min(start + SLOTS_AT_A_TIME), |slot, bytes| {
            match stored::decode(bytes) {
                Ok(endpoint) => {
                    names.extend(directory::names(&endpoint));
                    found.extend(Keys::of(&endpoint).map(|keys| (slot, keys)));
                }
                Err(error) => bad = Some(error),
            }
        })?;
        match bad {
            Some(error) => Err(AudienceError::Endpoint(error)),
            None => Ok((found, names)),
        }
    };
    let parts = starts.into_par_iter().map(read).collect::<Result<Vec<_>, AudienceError>>()?;
    let mut directory = Directory::default();
    directory.reserve(end);
    for (found, names) in parts {
        for (slot, keys) in found {
            directory.relink(slot, None, Some(keys));
        }
        directory.add_names(names);
    }
    Ok(directory)
}
