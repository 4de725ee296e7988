//! The reports there are: those compiled into the binary, and a user's folder that adds to them or replaces them by name.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::kind::ErrorKind;
use crate::nearness::did_you_mean;
use crate::template::{Template, TemplateError};

macro_rules! builtin {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../../queries/", $name, ".sql")))),*]
    };
}

/// In the order of a reading: the audience, how it is reached, how it came to be, where it is, who it is, what is known of it.
const BUILTIN: &[(&str, &str)] = builtin![
    "audience-summary",
    "channel-mix",
    "targetable",
    "opt-out",
    "growth",
    "recency",
    "dormant",
    "retention",
    "lifetime",
    "geography",
    "geo-radius",
    "platforms",
    "app-versions",
    "devices",
    "locales",
    "timezones",
    "endpoints-per-user",
    "channel-overlap",
    "unreachable-users",
    "rfm",
    "user-conflicts",
    "duplicate-addresses",
    "address-quality",
    "email-domains",
    "phone-countries",
    "ghosts",
    "attribute-catalogue",
    "attribute-values",
    "metric-distribution",
    "cohort-balance",
    "completeness",
    "integrity",
    "snapshot-diff",
    "subject-lookup",
    "migration-readiness",
];

/// Reports by name, in the order in which they are listed and run.
#[derive(Debug)]
pub struct Catalogue {
    templates: Vec<Template>,
    broken: Vec<BrokenReport>,
}

/// A file in a user's folder that is no report.
#[derive(Debug)]
pub struct BrokenReport {
    /// The name that the report would have.
    pub name: String,
    /// What is wrong with the file, and where.
    pub error: Arc<TemplateError>,
}

impl Catalogue {
    /// The built-in reports.
    pub fn builtin() -> Result<Self, CatalogueError> {
        let parse = |(name, text): &(&str, &str)| Template::parse(name, &format!("{name}.sql"), text);
        Ok(Self { templates: BUILTIN.iter().map(parse).collect::<Result<_, _>>()?, broken: Vec::new() })
    }

    /// Adds every `*.sql` file of a folder, in name order. One with the name of a report takes its place. A file that is no
    /// report is [`broken`](Self::broken) and keeps no other from running; the report whose place it takes is gone all
    /// the same, since its figures are not those that were asked for.
    pub fn with_folder(mut self, folder: &Path) -> Result<Self, CatalogueError> {
        let mut found = BTreeMap::new();
        let unreadable = |source| CatalogueError::Folder { path: folder.to_owned(), source };
        for entry in std::fs::read_dir(folder).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            if path.extension().is_some_and(|ending| ending == "sql") && path.is_file() {
                found.insert(Template::name_of(&path), Template::read(&path));
            }
        }
        for (name, read) in found {
            let known = self.templates.iter().position(|known| known.name == name);
            match (read, known) {
                (Ok(template), Some(place)) => self.templates[place] = template,
                (Ok(template), None) => self.templates.push(template),
                (Err(error), place) => {
                    place.map(|place| self.templates.remove(place));
                    self.broken.push(BrokenReport { name, error: Arc::new(error) });
                }
            }
        }
        Ok(self)
    }

    /// The files of the user's folder that are no reports, in name order.
    #[must_use]
    pub fn broken(&self) -> &[BrokenReport] {
        &self.broken
    }

    /// The report of a name.
    pub fn get(&self, name: &str) -> Result<&Template, CatalogueError> {
        if let Some(broken) = self.broken.iter().find(|broken| broken.name == name) {
            return Err(CatalogueError::Broken(Arc::clone(&broken.error)));
        }
        self.templates.iter().find(|template| template.name == name).ok_or_else(|| CatalogueError::Unknown {
            name: name.to_owned(),
            near: did_you_mean(name, self.names()),
            available: self.names().collect::<Vec<_>>().join(", "),
        })
    }

    /// Every report.
    #[must_use]
    pub fn list(&self) -> &[Template] {
        &self.templates
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.templates.iter().map(|template| template.name.as_str())
    }
}

/// Why there is no such report.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// No report has the name.
    #[error("no report is called {name:?}{}; there are: {available}", suggestion(near.as_ref()))]
    Unknown {
        /// What was asked for.
        name: String,
        /// A name that is much like it.
        near: Option<String>,
        /// Every name.
        available: String,
    },
    /// The folder cannot be read.
    #[error("the folder of reports {} cannot be read", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file of that name is no report.
    #[error(transparent)]
    Broken(Arc<TemplateError>),
    /// A built-in report is none, which is a bug.
    #[error(transparent)]
    Template(#[from] TemplateError),
}

impl CatalogueError {
    /// Always a matter of usage.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        ErrorKind::Usage
    }
}

fn suggestion(near: Option<&String>) -> String {
    near.map(|name| format!(" (did you mean {name:?}?)")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The reports that ask for a parameter, because no value would be right for everybody.
    const ASKING: [&str; 3] = ["geo-radius", "attribute-values", "snapshot-diff"];

    #[test]
    fn every_file_in_queries_is_built_in_and_asks_for_nothing_that_it_could_do_without() {
        let catalogue = Catalogue::builtin().expect("the built-in headers parse");
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../queries");
        let files = std::fs::read_dir(folder).expect("the folder of queries is there").count();
        assert_eq!(catalogue.list().len(), files);
        for template in catalogue.list() {
            assert_eq!(
                template.runs_unasked(),
                !ASKING.contains(&template.name.as_str()),
                "{}",
                template.name
            );
            assert!(!template.about.is_empty() && template.title != template.name, "{}", template.name);
        }
    }

    #[test]
    fn a_folder_replaces_by_name_and_adds() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join("growth.sql"), "-- title: Mine\nSELECT 1").expect("writes");
        std::fs::write(folder.path().join("weekly.sql"), "SELECT 2").expect("writes");
        std::fs::write(folder.path().join("notes.txt"), "no report").expect("writes");
        let catalogue =
            Catalogue::builtin().and_then(|builtin| builtin.with_folder(folder.path())).expect("reads");
        assert_eq!(catalogue.list().len(), BUILTIN.len() + 1);
        assert_eq!(catalogue.get("growth").expect("is there").title, "Mine");
        assert_eq!(catalogue.list()[4].name, "growth");
        let error = catalogue.get("weakly").unwrap_err().to_string();
        assert!(error.starts_with("no report is called \"weakly\" (did you mean \"weekly\"?); there are: "));
    }

    #[test]
    fn a_broken_file_keeps_no_other_from_running() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join("growth.sql"), "-- chart: bra x=a\nSELECT 1").expect("writes");
        std::fs::write(folder.path().join("latin.sql"), [b'-', b'-', 0xe4]).expect("writes");
        std::fs::write(folder.path().join("weekly.sql"), "SELECT 2").expect("writes");
        let catalogue =
            Catalogue::builtin().and_then(|builtin| builtin.with_folder(folder.path())).expect("reads");
        let names =
            |broken: &[BrokenReport]| broken.iter().map(|broken| broken.name.clone()).collect::<Vec<_>>();
        assert_eq!(names(catalogue.broken()), ["growth", "latin"]);
        assert!(catalogue.get("weekly").is_ok());
        // What it replaces is gone, or figures would be taken for the user's own.
        assert_eq!(catalogue.list().len(), BUILTIN.len());
        let error = catalogue.get("growth").unwrap_err();
        assert!(error.to_string().ends_with("growth.sql is wrong"), "{error}");
        let cause = std::error::Error::source(&error).expect("the place").to_string();
        assert!(cause.starts_with("line 1, column 11: a chart is one of"), "{cause}");
    }
}
