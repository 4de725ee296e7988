//! The architecture, held: which room may name what, in which direction modules look, and how files are kept.
//!
//! The rules are data, each with its reason; ARCHITECTURE.md tells the same in words. A violation fails with the reason
//! and the place. What is looked at are the manifests (through `cargo metadata`) and the sources as tokens, without
//! comments, texts and, where it says so, tests.

mod promises;
mod rooms;
mod rules;
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rooms::{Dependency, Module, Room};
use rules::{Never, Scope};
use source::{NamedPath, SourceFile};

/// Files longer than this, their tests left out, are taken apart.
const WALL_LINES: usize = 600;
/// Files are seldom longer than this; a failing test lists them.
const USUAL_LINES: usize = 400;

/// Fails with all problems, one a line.
fn hold(problems: &[String]) {
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

#[test]
fn arrows_between_rooms_point_where_the_table_says() {
    let packages = rooms::packages();
    let mut problems = Vec::new();
    for (name, dependencies) in &packages {
        let Some(room) = rules::ROOMS.iter().find(|room| room.package == name) else {
            problems.push(format!("`{name}` is no room yet: give it a row in tests/architecture/rules.rs"));
            continue;
        };
        let ours = dependencies.iter().filter(|dependency| packages.contains_key(&dependency.name));
        for other in ours.filter(|other| !room.may_name.contains(&other.name.as_str())) {
            problems.push(format!("{name} depends on {}: {}", other.name, room.why));
        }
    }
    for room in &rules::ROOMS {
        if !packages.contains_key(room.package) {
            problems.push(format!("the room `{}` is in the table and not in the workspace", room.package));
        }
    }
    hold(&problems);
}

#[test]
fn no_room_names_what_it_must_not() {
    let packages = rooms::packages();
    let modules: Vec<Module> = rules::ROOMS.iter().flat_map(rooms::modules).collect();
    let mut problems = Vec::new();
    for rule in rules::NEVER {
        let names_something = modules.iter().any(|module| rule.is_about(&module.file.path));
        assert!(names_something, "the rule on {:?} is about no file", rule.places);
        for module in modules.iter().filter(|module| rule.is_about(&module.file.path)) {
            problems.extend(named(rule, module));
        }
        for room in rules::ROOMS.iter().filter(|room| rule.is_about_all_of(room)) {
            problems.extend(depended_on(rule, room, &packages));
        }
    }
    hold(&problems);
}

/// What a module names against a rule.
fn named(rule: &Never, module: &Module) -> Vec<String> {
    let paths = match rule.scope {
        Scope::WithTests => &module.file.all_paths,
        Scope::WithoutTests if module.is_for_tests => &Vec::new(),
        Scope::WithoutTests => &module.file.paths,
    };
    let forbidden = paths.iter().filter(|path| rule.forbids(path));
    let tell = |path: &NamedPath| {
        format!("{}:{}: names `{}`: {}", module.file.path, path.line, path.parts.join("::"), rule.why)
    };
    forbidden.map(tell).collect()
}

/// What a room's manifest depends on against a rule.
fn depended_on(rule: &Never, room: &Room, packages: &BTreeMap<String, Vec<Dependency>>) -> Vec<String> {
    let dependencies = packages.get(room.package).map_or(&[][..], Vec::as_slice);
    let counts = |dependency: &&Dependency| rule.scope == Scope::WithTests || !dependency.is_for_tests;
    let as_path = |dependency: &Dependency| NamedPath {
        parts: vec![dependency.name.replace('-', "_")],
        alias: None,
        line: 0,
        is_use: true,
    };
    let forbidden = dependencies.iter().filter(counts).filter(|one| rule.forbids(&as_path(one)));
    forbidden.map(|one| format!("{} depends on {}: {}", room.package, one.name, rule.why)).collect()
}

#[test]
fn modules_look_in_one_direction() {
    let mut problems = Vec::new();
    for room in &rules::ROOMS {
        let modules = rooms::modules(room);
        let edges = rooms::edges(&modules);
        for ((from, to), place) in &edges {
            if reaches(&edges, to, from) {
                problems.push(format!(
                    "{place}: in {} the module `{from}` names `{to}`, which leads back to it: \
                     the tree reads top down",
                    room.package
                ));
            }
        }
    }
    hold(&problems);
}

/// Whether a walk along the edges leads from one module to another.
fn reaches(edges: &BTreeMap<(String, String), String>, from: &str, to: &str) -> bool {
    let (mut seen, mut open) = (BTreeSet::new(), vec![from]);
    while let Some(module) = open.pop() {
        if module == to {
            return true;
        }
        if seen.insert(module) {
            open.extend(edges.keys().filter(|(start, _)| start == module).map(|(_, end)| end.as_str()));
        }
    }
    false
}

#[test]
fn every_file_says_what_it_is_for() {
    let problems = rooms::all_files().iter().filter(|file| !file.text.starts_with("//! "));
    hold(&problems.map(|file| format!("{}:1: does not open with `//!`", file.path)).collect::<Vec<_>>());
}

#[test]
fn files_and_names_stay_readable() {
    let files = rooms::all_files();
    let mut problems = Vec::new();
    for file in files {
        let lines = file.lines_without_tests();
        if lines > WALL_LINES {
            problems.push(format!("{}: {lines} lines without tests, the wall is {WALL_LINES}", file.path));
        }
        let stem = Path::new(&file.path).file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        if rules::EMPTY_NAMES.contains(&stem) {
            problems.push(format!("{}: `{stem}` says nothing of what is in it", file.path));
        }
        if stem == "mod" {
            problems
                .push(format!("{}: a module `foo` is foo.rs and foo/, so that tabs have names", file.path));
        }
    }
    for page in &rules::PAGES {
        let lines = files.iter().find(|file| file.path == page.path).map(SourceFile::lines_without_tests);
        match lines {
            Some(lines) if lines < page.below_lines => {}
            Some(lines) => problems.push(format!("{}: {lines} lines: {}", page.path, page.why)),
            None => problems.push(format!("{} is gone, or the table of pages is old", page.path)),
        }
    }
    if !problems.is_empty() {
        let long = files.iter().filter(|file| file.lines_without_tests() > USUAL_LINES);
        problems
            .extend(long.map(|file| format!("{}: long already, more than {USUAL_LINES} lines", file.path)));
    }
    hold(&problems);
}

#[test]
fn exceptions_are_few_and_explained() {
    let mut problems = Vec::new();
    for file in rooms::all_files() {
        if !rules::UNSAFE_FILES.iter().any(|(path, _)| *path == file.path) {
            let lines = file.lines_with("unsafe");
            problems.extend(lines.iter().map(|line| {
                format!("{}:{line}: `unsafe` outside the list of tests/architecture/rules.rs", file.path)
            }));
        }
        for (number, line) in file.all_code.lines().enumerate() {
            if line.contains("#[allow(") || line.contains("#![allow(") {
                problems.push(format!(
                    "{}:{}: `allow` outlives its cause: `#[expect(…, reason = …)]` does not",
                    file.path,
                    number + 1
                ));
            }
        }
    }
    hold(&problems);
}

#[test]
fn every_promise_names_tests_that_are_there() {
    let path = "docs/SEMANTICS.md";
    let promises = promises::read(path);
    assert!(promises.len() > 20, "{path} holds {} promises", promises.len());
    let mut problems = Vec::new();
    for promise in promises {
        if promise.tests.is_empty() {
            problems.push(format!("{path}:{}: a promise that names no test", promise.line));
        }
        let missing = promise.tests.iter().filter(|test| !promises::is_there(test, rooms::all_files()));
        problems.extend(missing.map(|test| format!("{path}:{}: there is no test `{test}`", promise.line)));
    }
    hold(&problems);
}
