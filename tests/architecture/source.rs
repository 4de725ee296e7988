//! Rust sources as the architecture tests look at them: code without comments, texts and tests, and the paths in it.
//!
//! This reads tokens and no more, which is what the rules are about: names, and where they stand. A file is cut to its
//! code by blanking (every byte that is no code becomes a space), so positions and line numbers stay those of the file.

use std::fs;
use std::path::Path;

/// One `.rs` file.
#[derive(Debug)]
pub(super) struct SourceFile {
    /// Its path from the workspace's root, with `/` between the parts.
    pub(super) path: String,
    /// The file as it is.
    pub(super) text: String,
    /// The file with comments and texts blanked.
    pub(super) all_code: String,
    /// The same with what is built for tests alone blanked too.
    pub(super) code: String,
    /// Every path in `all_code`, in its order.
    pub(super) all_paths: Vec<NamedPath>,
    /// Every path in `code`.
    pub(super) paths: Vec<NamedPath>,
}

/// A name or a path as it stands in code, the prefixes of a `use` tree and `super` included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NamedPath {
    /// The parts, as `["std", "fs", "File"]`; the last of a macro's ends in `!`, a glob's last is `*`.
    pub(super) parts: Vec<String>,
    /// What a `use` declaration calls it.
    pub(super) alias: Option<String>,
    /// Its line, from 1.
    pub(super) line: usize,
    /// Whether it stands in a `use` declaration.
    pub(super) is_use: bool,
}

impl SourceFile {
    /// The file at `path` below `root`.
    pub(super) fn read(root: &Path, path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let relative = path.strip_prefix(root).unwrap_or(path);
        let parts: Vec<_> = relative.iter().map(|part| part.to_string_lossy()).collect();
        Self::new(&parts.join("/"), text)
    }

    /// A file of this text.
    pub(super) fn new(path: &str, text: String) -> Self {
        let all_code = without_comments_and_texts(&text);
        let code = without_tests(&all_code);
        let (all_paths, paths) = (paths_in(&all_code), paths_in(&code));
        Self { path: path.to_owned(), text, all_code, code, all_paths, paths }
    }

    /// The number of lines that are not code of tests.
    pub(super) fn lines_without_tests(&self) -> usize {
        let is_test = |(all, code): &(&str, &str)| !all.trim().is_empty() && code.trim().is_empty();
        self.text.lines().count() - self.all_code.lines().zip(self.code.lines()).filter(is_test).count()
    }

    /// The modules that the file declares in files of their own: those for tests alone, or the others.
    pub(super) fn declared_modules(&self, for_tests: bool) -> Vec<String> {
        let kept = module_declarations(&self.code);
        if !for_tests {
            return kept;
        }
        module_declarations(&self.all_code).into_iter().filter(|name| !kept.contains(name)).collect()
    }

    /// The lines, from 1, on which `word` stands in the code (tests included) as a word of its own.
    pub(super) fn lines_with(&self, word: &str) -> Vec<usize> {
        tokens(&self.all_code).iter().filter(|token| token.text == word).map(|token| token.line).collect()
    }

    /// Whether the file has a function of this name, in its tests or elsewhere.
    pub(super) fn has_function(&self, name: &str) -> bool {
        tokens(&self.all_code).windows(2).any(|two| two[0].text == "fn" && two[1].text == name)
    }
}

/// The names of every `mod NAME;`.
fn module_declarations(code: &str) -> Vec<String> {
    let is_declaration = |three: &&[Token<'_>]| three[0].text == "mod" && three[2].text == ";";
    tokens(code).windows(3).filter(is_declaration).map(|three| three[1].text.to_owned()).collect()
}

fn paths_in(code: &str) -> Vec<NamedPath> {
    let tokens = tokens(code);
    let mut paths = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if tokens[at].text == "use" {
            at = use_tree(&tokens, at + 1, &[], &mut paths);
        } else if is_name(tokens[at].text) {
            at = plain_path(&tokens, at, &mut paths);
        } else {
            at += 1;
        }
    }
    paths
}

/// A word, `::`, or a single character of punctuation.
#[derive(Debug, Clone, Copy)]
struct Token<'a> {
    text: &'a str,
    line: usize,
}

fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_alphabetic() || first == '_')
}

fn tokens(code: &str) -> Vec<Token<'_>> {
    let is_part_of_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80;
    let bytes = code.as_bytes();
    let (mut tokens, mut at, mut line) = (Vec::new(), 0, 1);
    while at < bytes.len() {
        let start = at;
        at += 1;
        match bytes[start] {
            b'\n' => line += 1,
            byte if byte.is_ascii_whitespace() => {}
            byte if is_part_of_name(byte) => {
                while at < bytes.len() && is_part_of_name(bytes[at]) {
                    at += 1;
                }
                tokens.push(Token { text: &code[start..at], line });
            }
            b':' if bytes.get(at) == Some(&b':') => {
                at += 1;
                tokens.push(Token { text: &code[start..at], line });
            }
            _ => tokens.push(Token { text: &code[start..at], line }),
        }
    }
    tokens
}

/// Reads `a::b::c` (and `a::b!`) from `at`; a part behind a dot is a method or field and no path.
fn plain_path(tokens: &[Token<'_>], at: usize, paths: &mut Vec<NamedPath>) -> usize {
    let is_dot = |at: Option<usize>| at.and_then(|at| tokens.get(at)).is_some_and(|token| token.text == ".");
    let is_member = is_dot(at.checked_sub(1)) && !is_dot(at.checked_sub(2));
    let line = tokens[at].line;
    let mut parts = vec![tokens[at].text.to_owned()];
    let mut next = at + 1;
    while next + 1 < tokens.len() && tokens[next].text == "::" && is_name(tokens[next + 1].text) {
        parts.push(tokens[next + 1].text.to_owned());
        next += 2;
    }
    let is_macro = tokens.get(next).is_some_and(|token| token.text == "!")
        && tokens.get(next + 1).is_some_and(|token| matches!(token.text, "(" | "[" | "{"));
    if is_macro && let Some(last) = parts.last_mut() {
        last.push('!');
    }
    if !is_member {
        paths.push(NamedPath { parts, alias: None, line, is_use: false });
    }
    next
}

/// Reads a `use` tree from `at`, each leaf a path that begins with `prefix`; returns where it ends.
fn use_tree(tokens: &[Token<'_>], mut at: usize, prefix: &[String], paths: &mut Vec<NamedPath>) -> usize {
    let mut parts = prefix.to_vec();
    while let Some(token) = tokens.get(at) {
        at += 1;
        match token.text {
            "::" => {}
            "{" => {
                while tokens.get(at).is_some_and(|token| token.text != "}") {
                    let end = use_tree(tokens, at, &parts, paths);
                    let is_separated = tokens.get(end).is_some_and(|token| token.text == ",");
                    // Where a macro's variable stands in a tree, reading goes on behind it.
                    at = if is_separated || end == at { end + 1 } else { end };
                }
                return at + 1;
            }
            name if is_name(name) || name == "*" => {
                // `a::{self}` names `a` itself.
                if name != "self" || parts.is_empty() {
                    parts.push(name.to_owned());
                }
                if tokens.get(at).is_none_or(|token| token.text != "::") {
                    let renamed = tokens.get(at).is_some_and(|token| token.text == "as");
                    let alias = tokens.get(at + 1).filter(|_| renamed).map(|token| token.text.to_owned());
                    paths.push(NamedPath { parts, alias, line: token.line, is_use: true });
                    return at + if renamed { 2 } else { 0 };
                }
            }
            // The end of the declaration, or of an empty tree.
            _ => return at - 1,
        }
    }
    at
}

/// Blanks comments, string and character literals.
fn without_comments_and_texts(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut code = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = match bytes[at] {
            b'/' if bytes[at..].starts_with(b"//") => line_end(bytes, at),
            b'/' if bytes[at..].starts_with(b"/*") => comment_end(bytes, at),
            b'"' => string_end(bytes, at),
            b'r' | b'b' | b'c' if !is_inside_name(bytes, at) => match raw_string_end(bytes, at) {
                Some(end) => end,
                None => at,
            },
            b'\'' => character_end(bytes, at).unwrap_or(at),
            _ => at,
        };
        for byte in &mut code[at..end] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        at = end.max(at + 1);
    }
    // Only whole literals and comments were blanked, so what is left is UTF-8 still.
    String::from_utf8_lossy(&code).into_owned()
}

fn is_inside_name(bytes: &[u8], at: usize) -> bool {
    at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_')
}

fn line_end(bytes: &[u8], at: usize) -> usize {
    bytes[at..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |length| at + length)
}

/// Block comments nest.
fn comment_end(bytes: &[u8], mut at: usize) -> usize {
    let mut depth = 0;
    while at < bytes.len() {
        if bytes[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if bytes[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    at
}

fn string_end(bytes: &[u8], quote: usize) -> usize {
    let mut at = quote + 1;
    while at < bytes.len() && bytes[at] != b'"' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(bytes.len())
}

/// The end of `r"…"`, `r#"…"#`, `br"…"`, `cr"…"`. A plain `b"…"` is left to [`string_end`] at its quote.
fn raw_string_end(bytes: &[u8], at: usize) -> Option<usize> {
    let rest =
        bytes[at..].strip_prefix(b"b").or_else(|| bytes[at..].strip_prefix(b"c")).unwrap_or(&bytes[at..]);
    let rest = rest.strip_prefix(b"r")?;
    let hashes = rest.iter().take_while(|byte| **byte == b'#').count();
    let body = rest[hashes..].strip_prefix(b"\"")?;
    let mut close = vec![b'"'];
    close.resize(hashes + 1, b'#');
    let length = body.windows(close.len()).position(|window| window == close)?;
    Some(bytes.len() - body.len() + length + close.len())
}

/// The end of a character literal; `None` for a lifetime or a label.
fn character_end(bytes: &[u8], at: usize) -> Option<usize> {
    match *bytes.get(at + 1)? {
        b'\\' => {
            bytes.get(at + 3..)?.iter().position(|byte| *byte == b'\'').map(|length| at + 3 + length + 1)
        }
        first => {
            let width = match first {
                0..0x80 => 1,
                0x80..0xe0 => 2,
                0xe0..0xf0 => 3,
                _ => 4,
            };
            (bytes.get(at + 1 + width) == Some(&b'\'')).then_some(at + width + 2)
        }
    }
}

/// Blanks every item that is built for tests alone, its attribute included.
fn without_tests(code: &str) -> String {
    let mut bytes = code.as_bytes().to_vec();
    let mut from = 0;
    while let Some(start) = find_test_attribute(code, from) {
        let end = item_end(code.as_bytes(), start);
        for byte in &mut bytes[start..end] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        from = end;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Where the next attribute begins that makes an item one of tests.
fn find_test_attribute(code: &str, from: usize) -> Option<usize> {
    ["#[cfg(test)]", "#[cfg(all(test,"]
        .iter()
        .filter_map(|form| code[from..].find(form))
        .min()
        .map(|at| from + at)
}

/// Where the item ends that begins at `at` with its attributes: at a `;`, or behind the braces of its body.
fn item_end(code: &[u8], at: usize) -> usize {
    let mut depth = 0_u32;
    for (offset, byte) in code[at..].iter().enumerate() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' => depth = depth.saturating_sub(1),
            b'}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at + offset + 1;
                }
            }
            b';' if depth == 0 => return at + offset + 1,
            _ => {}
        }
    }
    code.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Vec<String> {
        SourceFile::new("x.rs", text.to_owned()).paths.into_iter().map(|path| path.parts.join("::")).collect()
    }

    #[test]
    fn what_is_no_code_names_nothing() {
        let text = r##"
            //! tokio::spawn
            /* std::fs /* nested */ std::env */
            const A: &str = "std::fs \" std::env";
            const B: &[u8] = br#"tokio::main "quoted" "#;
            const C: (char, char) = ('"', '\'');
            fn f<'a>(x: &'a str) -> &'a str { x.tokio() }
            #[cfg(test)]
            mod tests { use tokio::time; fn g() { std::env::args(); } }
        "##;
        let found = parts(text).join(" ");
        assert!(!["tokio", "env", "fs"].iter().any(|name| found.contains(name)), "{found}");
        assert!(found.contains("char"), "{found}");
    }

    #[test]
    fn trees_give_a_path_for_each_leaf() {
        let text = "use std::{fs::{self, File}, io as input}; pub use crate::a::*; fn f() { ::std::env::var(x); dbg!(y) }";
        let found = parts(text);
        for expected in ["std::fs", "std::fs::File", "std::io", "crate::a::*", "std::env::var", "dbg!"] {
            assert!(found.iter().any(|path| path == expected), "{expected} in {found:?}");
        }
    }

    #[test]
    fn lines_are_those_of_the_file() {
        let text =
            "//! x\n\n// y\nfn f() {\n    std::env::args();\n}\n#[cfg(test)]\nmod t {\n    fn g() {}\n}\n";
        let file = SourceFile::new("x.rs", text.to_owned());
        let line = file.paths.iter().find(|path| path.parts[0] == "std").map(|path| path.line);
        assert_eq!(line, Some(5));
        assert_eq!(file.lines_without_tests(), 6);
        let file = SourceFile::new("x.rs", "#[cfg(test)]\nmod fake;\nmod real;\n".to_owned());
        assert_eq!(file.declared_modules(true), ["fake"]);
    }
}
