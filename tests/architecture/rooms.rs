//! The workspace as it is: packages from `cargo metadata`, the modules of each room, and which module names which.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

use super::rules::LEADS_EVERYWHERE;
use super::source::{NamedPath, SourceFile};

/// A crate, with the crates of the workspace that it may name.
#[derive(Debug)]
pub(super) struct Room {
    /// The package's name.
    pub(super) package: &'static str,
    /// Its folder, tests of its own included.
    pub(super) folder: &'static str,
    /// The file that its modules hang from.
    pub(super) root: &'static str,
    /// Packages of the workspace that it may depend on.
    pub(super) may_name: &'static [&'static str],
    /// Why no others.
    pub(super) why: &'static str,
}

/// A package that another depends on.
#[derive(Debug)]
pub(super) struct Dependency {
    pub(super) name: String,
    /// Whether it is a dev-dependency.
    pub(super) is_for_tests: bool,
}

/// A file of a room, as a module.
#[derive(Debug)]
pub(super) struct Module {
    /// Its path in the crate: none for the root, and for files that are no part of the crate's own tree.
    pub(super) path: Vec<String>,
    /// Whether it is built for tests alone.
    pub(super) is_for_tests: bool,
    pub(super) file: &'static SourceFile,
}

fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every package of the workspace and what its manifest says it depends on.
pub(super) fn packages() -> BTreeMap<String, Vec<Dependency>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(workspace())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    packages
        .iter()
        .filter(|package| !is_scratch(package))
        .map(|package| {
            (
                text(&package["name"]),
                package["dependencies"].as_array().map_or_else(Vec::new, |list| dependencies(list)),
            )
        })
        .collect()
}

/// A crate of this version is no part of the project: somebody keeps it in a checkout of their own, to pin features for
/// quicker builds or to try something.
const SCRATCH_VERSION: &str = "version = \"0.0.0\"";

fn is_scratch(package: &Value) -> bool {
    package["version"] == "0.0.0"
}

fn dependencies(list: &[Value]) -> Vec<Dependency> {
    list.iter()
        .map(|one| Dependency { name: text(&one["name"]), is_for_tests: one["kind"] == "dev" })
        .collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Every Rust file of the project.
pub(super) fn all_files() -> &'static [SourceFile] {
    static FILES: OnceLock<Vec<SourceFile>> = OnceLock::new();
    FILES.get_or_init(|| {
        let folders = ["crates", "tests", "benches", "fuzz"];
        let paths = folders.iter().flat_map(|folder| rust_files(&workspace().join(folder)));
        paths.map(|path| SourceFile::read(workspace(), &path)).collect()
    })
}

/// The Rust files in a folder and below, in the order of their names; none where there is no folder.
fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("a readable folder").path()).collect();
    paths.sort();
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            let manifest = fs::read_to_string(path.join("Cargo.toml")).unwrap_or_default();
            if path.file_name().is_none_or(|name| name != "target") && !manifest.contains(SCRATCH_VERSION) {
                files.extend(rust_files(&path));
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// The files of a room.
pub(super) fn modules(room: &Room) -> Vec<Module> {
    let below = |folder: &str, path: &str| path.strip_prefix(folder)?.strip_prefix('/').map(str::to_owned);
    let tree = room.root.rsplit_once('/').map_or("", |(folder, _)| folder);
    let files = all_files().iter().filter(|file| below(room.folder, &file.path).is_some());
    let mut modules: Vec<Module> = files
        .map(|file| {
            let inside = below(tree, &file.path);
            let is_for_tests = inside.is_none();
            let path = inside
                .filter(|_| file.path != room.root)
                .map_or_else(Vec::new, |inside| module_path(&inside));
            Module { path, is_for_tests, file }
        })
        .collect();
    assert!(!modules.is_empty(), "{} has no files", room.folder);
    let for_tests: BTreeSet<Vec<String>> = modules
        .iter()
        .flat_map(|module| {
            let names = module.file.declared_modules(true);
            names.into_iter().map(|name| [module.path.as_slice(), &[name]].concat())
        })
        .collect();
    for module in &mut modules {
        module.is_for_tests |=
            (1..=module.path.len()).any(|length| for_tests.contains(&module.path[..length]));
    }
    modules
}

/// `a/b.rs` is `a::b`.
fn module_path(file: &str) -> Vec<String> {
    file.trim_end_matches(".rs").split('/').map(str::to_owned).collect()
}

/// Which top-level module of a crate names which other one, with the first place where it does.
///
/// A name that the crate's root exports stands for the module that it comes from. Edges from the modules of
/// [`LEADS_EVERYWHERE`] are left out.
pub(super) fn edges(modules: &[Module]) -> BTreeMap<(String, String), String> {
    let root = modules.iter().find(|module| module.path.is_empty() && !module.is_for_tests);
    let top: BTreeSet<String> =
        root.map_or_else(Vec::new, |root| root.file.declared_modules(false)).into_iter().collect();
    let exports = root.map_or_else(HashMap::new, |root| exports(root.file, &top));
    let mut edges = BTreeMap::new();
    for module in modules.iter().filter(|module| !module.is_for_tests) {
        let Some(from) = module.path.first().filter(|name| top.contains(*name)) else { continue };
        if LEADS_EVERYWHERE.iter().any(|(name, _)| name == from) {
            continue;
        }
        for path in &module.file.paths {
            let Some(name) = absolute(path, &module.path).and_then(|parts| parts.into_iter().next()) else {
                continue;
            };
            let to = if top.contains(&name) { Some(&name) } else { exports.get(&name) };
            if let Some(to) = to.filter(|to| *to != from) {
                let place = format!("{}:{}", module.file.path, path.line);
                edges.entry((from.clone(), to.clone())).or_insert(place);
            }
        }
    }
    edges
}

/// The names that a crate's root takes out of its modules, and the module of each.
fn exports(root: &SourceFile, top: &BTreeSet<String>) -> HashMap<String, String> {
    let from_modules = root.paths.iter().filter(|path| path.is_use && top.contains(&path.parts[0]));
    from_modules
        .filter_map(|path| {
            let name = path.alias.clone().or_else(|| path.parts.last().cloned())?;
            Some((name, path.parts[0].clone()))
        })
        .collect()
}

/// The parts of a path behind `crate::`, with `self` and `super` worked out; `None` for paths into other crates.
fn absolute(path: &NamedPath, module: &[String]) -> Option<Vec<String>> {
    let mut base = module.to_vec();
    let mut parts = path.parts.iter().peekable();
    match parts.next()?.as_str() {
        "crate" => base.clear(),
        "self" => {}
        "super" => {
            base.pop();
            while parts.next_if(|part| *part == "super").is_some() {
                base.pop();
            }
        }
        _ => return None,
    }
    base.extend(parts.cloned());
    Some(base)
}
