//! One self-contained HTML page for a set of reports.
//!
//! A front tells what the figures stand on, the key figures and the audience at a glance; then come the contents and a section for each
//! report. No script, no network, no inline style: the page's own policy forbids them, and allows the one stylesheet by its hash. Every
//! text is escaped, by the template engine or by the chart's drawing.

mod contents;
mod front;
mod section;

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, context};
use sha2::{Digest, Sha256};

use self::contents::Group;
use self::front::Front;
use self::section::Section;
use super::{RenderError, RenderOptions, whole};
use crate::report::Report;

const TEMPLATE: &str = include_str!("html/page.html");
const STYLE: &str = include_str!("html/page.css");

/// Writes the page.
pub(super) fn write(
    reports: &[Report],
    options: &RenderOptions,
    out: &mut (dyn Write + Send),
) -> Result<(), RenderError> {
    let sections: Result<Vec<Section>, RenderError> =
        reports.iter().map(|report| Section::of(&*whole(report)?, options)).collect();
    let groups = contents::grouped(sections?);
    let front = Front::of(reports, &options.facts)?;
    let page = render(&groups, &front).map_err(|error| RenderError::Page { message: error.to_string() })?;
    out.write_all(page.as_bytes()).map_err(RenderError::write)
}

fn render(groups: &[Group], front: &Front) -> Result<String, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    // The ending of the name is what turns escaping on.
    environment.add_template("page.html", TEMPLATE)?;
    let style_hash = STANDARD.encode(Sha256::digest(STYLE));
    let sections: usize = groups.iter().map(|group| group.sections.len()).sum();
    environment.get_template("page.html")?.render(context! {
        style => STYLE,
        style_hash,
        front => Serde(front),
        groups => Serde(groups),
        sections,
    })
}

/// A name and a value.
#[derive(Debug, serde::Serialize)]
struct Named {
    name: String,
    value: String,
}

/// A report's name as an anchor: what is no letter, digit or dash becomes a dash.
fn anchor(name: &str) -> String {
    let plain = |character: char| if character.is_ascii_alphanumeric() { character } else { '-' };
    format!("report-{}", name.chars().map(plain).collect::<String>())
}
