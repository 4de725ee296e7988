//! What is typed at the prompt, until it is whole: statements end with a semicolon, commands with their line.

/// Something that is whole and can be carried out.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Input {
    /// A statement, without its semicolon.
    Sql(String),
    /// A line that begins with a backslash, or one of the words that people try.
    Command(String),
}

/// Words that stand for commands.
const WORDS: [(&str, &str); 3] = [("exit", "\\q"), ("quit", "\\q"), ("help", "\\?")];

/// Lines of a statement that is not whole yet.
#[derive(Debug, Default)]
pub(super) struct Pending {
    text: String,
}

impl Pending {
    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    pub(super) fn clear(&mut self) {
        self.text.clear();
    }

    /// Takes the next line. What has become whole by it, and the text that it was typed as.
    pub(super) fn push(&mut self, line: &str) -> Option<(String, Vec<Input>)> {
        if self.text.is_empty() {
            let line = line.trim();
            if line.is_empty() {
                return None;
            }
            if let Some(command) = command(line) {
                return Some((line.to_owned(), vec![Input::Command(command)]));
            }
        } else {
            self.text.push('\n');
        }
        self.text.push_str(line);
        let cut = cut(&self.text);
        if cut.ends.is_empty() {
            if !cut.rest_has_code && !cut.is_open {
                // A comment by itself is nothing to wait for.
                self.clear();
            }
            return None;
        }
        let mut inputs = Vec::with_capacity(cut.ends.len());
        let mut start = 0;
        for end in &cut.ends {
            let statement = self.text[start..*end].trim();
            if !statement.is_empty() {
                inputs.push(Input::Sql(statement.to_owned()));
            }
            start = end + 1;
        }
        let rest = if cut.rest_has_code || cut.is_open {
            self.text[start..].trim_start().to_owned()
        } else {
            String::new()
        };
        let typed = std::mem::replace(&mut self.text, rest);
        Some((typed[..typed.len() - self.text.len()].trim().to_owned(), inputs))
    }
}

fn command(line: &str) -> Option<String> {
    let word = line.trim_end_matches(';').trim_end();
    if line.starts_with('\\') {
        return Some(word.to_owned());
    }
    let known = WORDS.iter().find(|(known, _)| word.eq_ignore_ascii_case(known));
    known.map(|(_, command)| (*command).to_owned())
}

/// Where statements end in a text.
#[derive(Debug, Default)]
struct Cut {
    /// The positions of semicolons that end one.
    ends: Vec<usize>,
    /// Whether anything but white space and comments stands behind the last of them.
    rest_has_code: bool,
    /// Whether the text ends inside a quotation or a comment of several lines.
    is_open: bool,
}

fn cut(text: &str) -> Cut {
    let bytes = text.as_bytes();
    let mut cut = Cut::default();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        at = match bytes[at] {
            quote @ (b'\'' | b'"') => {
                cut.rest_has_code = true;
                let end = rest[1..].iter().position(|&byte| byte == quote);
                cut.is_open = end.is_none();
                // A doubled quote is two quotations side by side, which end where the one does.
                end.map_or(bytes.len(), |end| at + end + 2)
            }
            b'-' if rest.starts_with(b"--") => {
                rest.iter().position(|&byte| byte == b'\n').map_or(bytes.len(), |end| at + end)
            }
            b'/' if rest.starts_with(b"/*") => {
                let end = comment_end(rest);
                cut.is_open = end.is_none();
                end.map_or(bytes.len(), |end| at + end)
            }
            b';' => {
                cut.ends.push(at);
                cut.rest_has_code = false;
                at + 1
            }
            byte => {
                cut.rest_has_code |= !byte.is_ascii_whitespace();
                at + 1
            }
        };
    }
    cut
}

/// The length of the comment that `text` begins with; comments nest.
fn comment_end(text: &[u8]) -> Option<usize> {
    let (mut depth, mut at) = (0usize, 0);
    while at < text.len() {
        if text[at..].starts_with(b"/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if text[at..].starts_with(b"*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return Some(at);
            }
        } else {
            at += 1;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What lines become, one after the other, and whether something is still open.
    fn typed(lines: &[&str]) -> (Vec<Input>, bool) {
        let mut pending = Pending::default();
        let whole = lines.iter().filter_map(|line| pending.push(line)).flat_map(|(_, inputs)| inputs);
        (whole.collect(), !pending.is_empty())
    }

    fn sql(text: &str) -> Input {
        Input::Sql(text.to_owned())
    }

    #[test]
    fn a_statement_ends_with_a_semicolon_wherever_it_stands() {
        assert_eq!(typed(&["select 1"]), (vec![], true));
        assert_eq!(typed(&["select", "1 ;"]), (vec![sql("select\n1")], false));
        assert_eq!(typed(&["select 1; select 2; select"]), (vec![sql("select 1"), sql("select 2")], true));
        assert_eq!(typed(&[";", "", "  ;  "]), (vec![], false));
    }

    #[test]
    fn quotations_and_comments_hide_semicolons() {
        assert_eq!(typed(&["select 'a;", "b';"]), (vec![sql("select 'a;\nb'")], false));
        assert_eq!(typed(&["select 'it''s;' as \"x;y\";"]), (vec![sql("select 'it''s;' as \"x;y\"")], false));
        assert_eq!(typed(&["select 1 -- no; end", ";"]), (vec![sql("select 1 -- no; end")], false));
        assert_eq!(
            typed(&["select /* a; /* b; */ c; */ 1;"]),
            (vec![sql("select /* a; /* b; */ c; */ 1")], false)
        );
        assert_eq!(typed(&["select 1; -- done"]), (vec![sql("select 1")], false));
        assert_eq!(typed(&["-- only a comment"]), (vec![], false));
        assert_eq!(
            typed(&["/* a comment", "of two lines */ select 2;"]).0,
            [sql("/* a comment\nof two lines */ select 2")]
        );
    }

    #[test]
    fn commands_end_with_their_line() {
        let command = |text: &str| Input::Command(text.to_owned());
        assert_eq!(typed(&["\\d endpoints;"]), (vec![command("\\d endpoints")], false));
        assert_eq!(typed(&["  EXIT "]), (vec![command("\\q")], false));
        // In the middle of a statement a backslash is the statement's.
        assert_eq!(typed(&["select", "\\d"]), (vec![], true));
    }

    #[test]
    fn what_was_typed_is_remembered_without_what_is_left_over() {
        let mut pending = Pending::default();
        assert_eq!(pending.push("select 1"), None);
        let (typed, _) = pending.push(", 2; select 3").unwrap();
        assert_eq!(typed, "select 1\n, 2;");
        assert!(!pending.is_empty());
    }
}
