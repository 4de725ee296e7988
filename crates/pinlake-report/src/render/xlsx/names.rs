//! Names of sheets: at most 31 UTF-16 units, none of `[ ] : * ? / \`, no apostrophe at an end, and no two that differ only in case.

use std::collections::HashSet;

use super::CONTENTS;

const LONGEST: usize = 31;
const FORBIDDEN: [char; 9] = ['[', ']', ':', '*', '?', '/', '\\', '\u{fffe}', '\u{ffff}'];

/// The hidden sheet of figures.
pub(super) const FIGURES: &str = "Chart data";

/// A sheet's name for each report's.
pub(super) fn of_sheets<'a>(reports: impl Iterator<Item = &'a str>) -> Vec<String> {
    // Excel keeps `History` for itself.
    let mut taken: HashSet<String> = [CONTENTS, FIGURES, "History"].map(str::to_lowercase).into();
    reports.map(|report| free_name(report, &mut taken)).collect()
}

fn free_name(report: &str, taken: &mut HashSet<String>) -> String {
    let plain = |character: char| {
        if character.is_control() || FORBIDDEN.contains(&character) { '_' } else { character }
    };
    let cleaned: String = report.chars().map(plain).collect();
    let cleaned = cleaned.trim().trim_matches('\'');
    let wanted = if cleaned.is_empty() { "report" } else { cleaned };
    let mut name = cut(wanted, "");
    let mut number = 2;
    while !taken.insert(name.to_lowercase()) {
        name = cut(wanted, &format!(" ({number})"));
        number += 1;
    }
    name
}

/// A name and what is put behind it, as much of the name as there is room for.
fn cut(name: &str, behind: &str) -> String {
    let room = LONGEST - behind.len();
    let mut used = 0;
    let kept: String = name
        .chars()
        .take_while(|character| {
            used += character.len_utf16();
            used <= room
        })
        .collect();
    format!("{}{behind}", kept.trim_end_matches(['\'', ' ']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sheets_have_names_that_excel_takes() {
        let names = of_sheets(
            [
                "opt-out",
                "Opt-Out",
                "contents",
                "a/b[c]:*?\\d",
                "'quoted'",
                "",
                "a-name-that-is-longer-than-a-sheet-may-be",
                "a-name-that-is-longer-than-a-sheet-would-like",
                "line\nbreak",
                "𝄞𝄞𝄞𝄞𝄞𝄞𝄞𝄞𝄞𝄞𝄞𝄞𝄞𝄞𝄞𝄞𝄞",
            ]
            .into_iter(),
        );
        assert_eq!(
            names,
            [
                "opt-out",
                "Opt-Out (2)",
                "contents (2)",
                "a_b_c_____d",
                "quoted",
                "report",
                "a-name-that-is-longer-than-a-sh",
                "a-name-that-is-longer-than- (2)",
                "line_break",
                "𝄞𝄞𝄞𝄞𝄞𝄞𝄞𝄞𝄞𝄞𝄞𝄞𝄞𝄞𝄞",
            ]
        );
        assert!(names.iter().all(|name| rust_xlsxwriter::utility::check_sheet_name(name).is_ok()));
    }
}
