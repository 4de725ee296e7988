//! Queries that are too long, too deep or too wide to be planned.
//!
//! The planner walks a query by calling itself: a chain of ten thousand `OR`s would exhaust the stack, which ends a process without a word. And
//! it plans each table where it is named, so that thirty `WITH` queries that name the one before twice are a thousand million tables. Neither
//! memory is bounded by the session's. So the text is measured before it is parsed, and the statement before it is planned.

use std::collections::HashMap;
use std::ops::ControlFlow;

use datafusion::sql::parser::Statement as ParsedStatement;
use datafusion::sql::sqlparser::ast::{ObjectName, Query, Visit, Visitor};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};

use super::fault::QueryError;

/// The longest text of a query.
pub const MAX_SQL_BYTES: usize = 1024 * 1024;

/// How deep the tree of an expression or of a chain of queries may be. A thousand `OR`s are planned in half a second and need some
/// 1 MiB of stack; a release build has overflowed 2 MiB with three thousand (2026-11-25).
const MAX_DEPTH: usize = 1_000;

/// How many tables may be read, each counted as often as it is. A hundred take some 200 MiB for their readers alone.
const MAX_TABLES: u64 = 128;

/// Refuses a text that must not be parsed.
pub(crate) fn check_text(sql: &str) -> Result<(), QueryError> {
    if sql.len() > MAX_SQL_BYTES {
        return Err(refused(format!(
            "the query is {} bytes long, which is more than a query may be ({MAX_SQL_BYTES})",
            sql.len()
        )));
    }
    let depth = depth(sql);
    if depth > MAX_DEPTH {
        return Err(refused(format!(
            "the query chains or nests {depth} operators, which is more than {MAX_DEPTH}: \
             a long chain of OR can be written as IN (…), one of UNION ALL as VALUES (…), (…)"
        )));
    }
    Ok(())
}

/// Refuses a statement that must not be planned.
pub(super) fn check_tables(statement: &ParsedStatement) -> Result<(), QueryError> {
    let mut tables = Tables { queries: vec![Scope::default()] };
    match statement {
        ParsedStatement::Statement(statement) => {
            let _ = statement.visit(&mut tables);
        }
        ParsedStatement::Explain(explain) => return check_tables(&explain.statement),
        // Nothing else is a query.
        _ => {}
    }
    let read = tables.queries.first().map_or(0, |scope| scope.tables);
    if read > MAX_TABLES {
        let read = if read == u64::MAX { "uncountably many".to_owned() } else { read.to_string() };
        return Err(refused(format!(
            "the query reads {read} tables, which is more than {MAX_TABLES}; a WITH query counts as often as it is named"
        )));
    }
    Ok(())
}

fn refused(message: String) -> QueryError {
    QueryError::Invalid { message, place: None }
}

/// What an open parenthesis, bracket or CASE holds so far.
#[derive(Default)]
struct Level {
    /// Queries that are put together by UNION and its like.
    sets: usize,
    /// Operators since the last comma or clause, and the deepest parenthesis among them.
    operators: usize,
    deepest_inside: usize,
    /// The deepest part before that.
    deepest_before: usize,
}

impl Level {
    fn depth(&self) -> usize {
        self.sets + self.deepest_before.max(self.operators + self.deepest_inside)
    }

    /// What follows is no part of the same expression.
    fn separate(&mut self) {
        self.deepest_before = self.deepest_before.max(self.operators + self.deepest_inside);
        self.operators = 0;
        self.deepest_inside = 0;
    }
}

/// What a token does to the tree of a query.
enum Step {
    Nothing,
    Operator,
    Set,
    Separator,
    /// Begins a level. What a bracket begins may be an access to what stands before it.
    Open {
        is_operator: bool,
    },
    Close,
}

/// At least as many levels as the tree of the query has, from its tokens: each operator of a chain is a level, and what stands in parentheses
/// hangs below all operators beside it. A text that does not tokenise has none; parsing it tells why.
fn depth(sql: &str) -> usize {
    let Ok(tokens) = Tokenizer::new(&GenericDialect {}, sql).tokenize() else { return 0 };
    let mut levels = vec![Level::default()];
    for token in &tokens {
        let is_nested = levels.len() > 1;
        let Some(level) = levels.last_mut() else { break };
        match step(token) {
            Step::Operator => level.operators += 1,
            Step::Set => level.sets += 1,
            Step::Separator => level.separate(),
            Step::Open { is_operator } => {
                level.operators += usize::from(is_operator);
                levels.push(Level::default());
            }
            Step::Close if is_nested => {
                let inside = levels.pop().map_or(0, |level| level.depth()) + 1;
                if let Some(level) = levels.last_mut() {
                    level.deepest_inside = level.deepest_inside.max(inside);
                }
            }
            Step::Nothing | Step::Close => {}
        }
    }
    levels.into_iter().rev().fold(0, |inside, level| level.depth() + inside)
}

fn step(token: &Token) -> Step {
    match token {
        Token::Word(word) => match word.keyword {
            Keyword::UNION | Keyword::INTERSECT | Keyword::EXCEPT | Keyword::EXPLAIN => Step::Set,
            Keyword::SELECT
            | Keyword::WHERE
            | Keyword::HAVING
            | Keyword::WHEN
            | Keyword::THEN
            | Keyword::ELSE => Step::Separator,
            Keyword::CASE => Step::Open { is_operator: false },
            Keyword::END => Step::Close,
            Keyword::AND
            | Keyword::OR
            | Keyword::XOR
            | Keyword::NOT
            | Keyword::IS
            | Keyword::IN
            | Keyword::BETWEEN
            | Keyword::COLLATE
            | Keyword::AT
            | Keyword::LIKE
            | Keyword::ILIKE
            | Keyword::SIMILAR
            | Keyword::RLIKE
            | Keyword::REGEXP
            | Keyword::OVERLAPS
            | Keyword::DIV => Step::Operator,
            _ => Step::Nothing,
        },
        Token::LParen | Token::LBrace => Step::Open { is_operator: false },
        Token::LBracket => Step::Open { is_operator: true },
        Token::RParen | Token::RBracket | Token::RBrace => Step::Close,
        Token::Comma | Token::SemiColon => Step::Separator,
        Token::EOF
        | Token::Number(..)
        | Token::SingleQuotedString(_)
        | Token::DoubleQuotedString(_)
        | Token::Whitespace(_)
        | Token::Placeholder(_)
        | Token::Period => Step::Nothing,
        _ => Step::Operator,
    }
}

/// What a query reads so far.
#[derive(Default)]
struct Scope {
    tables: u64,
    /// How much each of its `WITH` queries reads.
    named: HashMap<String, u64>,
    /// The names of those that come next, the next one last.
    coming: Vec<String>,
}

/// Counts tables. The queries that are open, outermost first; the first is the statement around them.
struct Tables {
    queries: Vec<Scope>,
}

impl Visitor for Tables {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        let with = query.with.iter().flat_map(|with| &with.cte_tables);
        let mut coming: Vec<String> = with.map(|named| named.alias.name.value.to_lowercase()).collect();
        coming.reverse();
        self.queries.push(Scope { coming, ..Scope::default() });
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        if let Some(done) = self.queries.pop()
            && let Some(around) = self.queries.last_mut()
        {
            match around.coming.pop() {
                Some(name) => {
                    // One that reads no table is a query all the same.
                    around.named.insert(name, done.tables.max(1));
                }
                None => around.tables = around.tables.saturating_add(done.tables),
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<()> {
        let name = relation.to_string().to_lowercase();
        let known = self.queries.iter().rev().find_map(|scope| scope.named.get(&name));
        let tables = known.copied().unwrap_or(1);
        if let Some(query) = self.queries.last_mut() {
            query.tables = query.tables.saturating_add(tables);
        }
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use datafusion::sql::parser::DFParser;

    use super::*;

    fn tables(sql: &str) -> Result<(), String> {
        let statement = DFParser::parse_sql(sql).expect("parses").pop_front().expect("a statement");
        check_tables(&statement).map_err(|error| error.to_string())
    }

    #[test]
    fn depth_is_of_the_deepest_chain() {
        assert_eq!(depth("SELECT a, b FROM t WHERE x IN (1, 2, 3)"), 2);
        assert_eq!(depth("SELECT 1 + 2 + 3, 4 + 5"), 2);
        assert_eq!(depth("SELECT (1 + 2) * (3 + 4)"), 3);
        assert_eq!(depth("SELECT ((((1))))"), 4);
        assert_eq!(depth("SELECT CASE WHEN a = 1 THEN 2 + 3 + 4 ELSE 5 END + 6"), 4);
        assert_eq!(depth("SELECT 1 + 2 UNION ALL SELECT 3 UNION ALL SELECT 4 + 5 + 6"), 4);
        assert_eq!(depth("SELECT a[1][2][3]"), 4);
        let chained = |count: usize| vec!["a = 'x'"; count].join(" OR ");
        assert!(check_text(&format!("SELECT 1 WHERE {}", chained(400))).is_ok());
        let error = check_text(&format!("SELECT 1 WHERE {}", chained(1_000))).unwrap_err();
        assert!(error.to_string().contains("IN (…)"), "{error}");
        let listed = vec!["'x'"; 100_000].join(", ");
        assert!(check_text(&format!("SELECT 1 WHERE a IN ({listed})")).is_ok());
        check_text(&" ".repeat(MAX_SQL_BYTES + 1)).unwrap_err();
    }

    #[test]
    fn tables_are_counted_as_often_as_they_are_read() {
        let joined: Vec<String> = (0..128).map(|at| format!("t AS t{at}")).collect();
        assert_eq!(tables(&format!("SELECT 1 FROM {}", joined.join(", "))), Ok(()));
        assert!(tables(&format!("SELECT 1 FROM {}, t", joined.join(", "))).is_err());
        let doubled = |count: usize| {
            let with: Vec<String> =
                (1..=count).map(|at| format!("T{at} AS (SELECT 1 FROM t{0} a, t{0} b)", at - 1)).collect();
            tables(&format!("WITH t0 AS (SELECT 1 FROM x), {} SELECT * FROM t{count}", with.join(", ")))
        };
        assert_eq!(doubled(7), Ok(()));
        for count in [8, 40, 70] {
            assert!(doubled(count).is_err(), "{count}");
        }
        let twice = "WITH a AS (SELECT 1), b AS (SELECT 1 FROM a x, a y), c AS (SELECT 1 FROM b x, b y) SELECT 1 FROM c";
        assert_eq!(tables(twice), Ok(()));
        let eighth = (0..8).fold("WITH t AS (SELECT 1)".to_owned(), |text, at| {
            let before = if at == 0 { "t".to_owned() } else { format!("t{}", at - 1) };
            format!("{text}, t{at} AS (SELECT 1 FROM {before} x, {before} y)")
        });
        assert!(tables(&format!("{eighth} SELECT 1 FROM t7")).is_err());
        assert!(tables(&format!("EXPLAIN SELECT 1 FROM {}, t", joined.join(", "))).is_err());
    }
}
