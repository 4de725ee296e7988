//! Which of some names was probably meant.

/// The name most like `given`, if one is near enough that a slip of the keys explains the difference:
/// a third of its length in edits, or that it is the name's beginning.
#[must_use]
pub fn did_you_mean<'a>(given: &str, names: impl Iterator<Item = &'a str>) -> Option<String> {
    let given = given.to_lowercase();
    let allowed = (given.chars().count() / 3).max(1);
    names
        .map(|name| (edits(&given, &name.to_lowercase()), name))
        .filter(|(distance, name)| *distance <= allowed || given.len() > 2 && name.starts_with(&given))
        .min()
        .map(|(_, name)| name.to_owned())
}

/// How many letters must be added, dropped, replaced or swapped with their neighbour to get from one word to the other.
fn edits(from: &str, to: &str) -> usize {
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
    let mut table = vec![vec![0; to.len() + 1]; from.len() + 1];
    for row in 0..=from.len() {
        for column in 0..=to.len() {
            if row == 0 || column == 0 {
                table[row][column] = row + column;
                continue;
            }
            let replaced = table[row - 1][column - 1] + usize::from(from[row - 1] != to[column - 1]);
            let mut best = replaced.min(table[row - 1][column] + 1).min(table[row][column - 1] + 1);
            let swapped =
                row > 1 && column > 1 && from[row - 1] == to[column - 2] && from[row - 2] == to[column - 1];
            if swapped {
                best = best.min(table[row - 2][column - 2] + 1);
            }
            table[row][column] = best;
        }
    }
    table[from.len()][to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_recognised_and_other_words_are_not() {
        let names = ["geography", "growth", "opt-out"];
        let nearest = |given| did_you_mean(given, names.into_iter());
        assert_eq!(nearest("optout").as_deref(), Some("opt-out"));
        assert_eq!(nearest("grwoth").as_deref(), Some("growth"));
        assert_eq!(nearest("geo").as_deref(), Some("geography"));
        assert_eq!(nearest("revenue"), None);
        assert_eq!((edits("param", "prama"), edits("", "abc"), edits("abc", "abc")), (2, 3, 0));
    }
}
