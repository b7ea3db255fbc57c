//! A script cut into statements, for those that may not share a transaction: PostgreSQL makes one of everything that it
//! is sent at once.
//!
//! It knows what may hold a semicolon that ends nothing: quoted texts and names, dollar quotes, comments. It refuses to
//! understand more; a function with a `BEGIN ATOMIC` body belongs into a script with a transaction.

/// A statement and the line it begins on, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Statement<'a> {
    pub(super) line: usize,
    pub(super) sql: &'a str,
}

/// The statements of `script`, without those that are only comments.
pub(super) fn statements(script: &str) -> Vec<Statement<'_>> {
    let mut found = Vec::new();
    let (mut begin, mut at, mut says) = (None, 0, false);
    while let Some(rest) = script.get(at..).filter(|rest| !rest.is_empty()) {
        let token = token(rest, script.get(..at).unwrap_or_default());
        match token {
            Token::End => {
                found.extend(
                    begin
                        .take()
                        .filter(|_| says)
                        .map(|from| statement(script, from, at)),
                );
                says = false;
            }
            Token::Space(_) | Token::Comment(_) => {}
            Token::Words(_) => {
                begin.get_or_insert(at);
                says = true;
            }
        }
        at += token.length();
    }
    found.extend(
        begin
            .filter(|_| says)
            .map(|from| statement(script, from, script.len())),
    );
    found
}

fn statement(script: &str, from: usize, to: usize) -> Statement<'_> {
    Statement {
        line: script.get(..from).unwrap_or_default().matches('\n').count() + 1,
        sql: script.get(from..to).unwrap_or_default().trim_end(),
    }
}

/// The next piece, by its length in bytes.
#[derive(Debug, Clone, Copy)]
enum Token {
    End,
    Space(usize),
    Comment(usize),
    Words(usize),
}

impl Token {
    const fn length(self) -> usize {
        match self {
            Self::End => 1,
            Self::Space(length) | Self::Comment(length) | Self::Words(length) => length,
        }
    }
}

fn token(rest: &str, before: &str) -> Token {
    let Some(first) = rest.chars().next() else {
        return Token::End;
    };
    match first {
        ';' => Token::End,
        '-' if rest.starts_with("--") => Token::Comment(rest.find('\n').unwrap_or(rest.len())),
        '/' if rest.starts_with("/*") => Token::Comment(comment(rest)),
        '\'' => {
            let escapes = before.ends_with(['e', 'E']) && !ends_in_word(before.get(..before.len() - 1));
            Token::Words(quoted(rest, '\'', escapes))
        }
        '"' => Token::Words(quoted(rest, '"', false)),
        '$' if !ends_in_word(Some(before)) => Token::Words(dollar_quoted(rest).unwrap_or(1)),
        first if first.is_whitespace() => Token::Space(first.len_utf8()),
        first => Token::Words(first.len_utf8()),
    }
}

fn ends_in_word(text: Option<&str>) -> bool {
    let last = text.and_then(|text| text.chars().next_back());
    last.is_some_and(|last| last.is_alphanumeric() || last == '_' || last == '$')
}

/// Comments nest.
fn comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(here) = rest.get(at..).filter(|here| !here.is_empty()) {
        if here.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if here.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += here.chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

/// A doubled quote stands for itself, which two quoted texts side by side do as well.
fn quoted(rest: &str, quote: char, escapes: bool) -> usize {
    let mut inside = rest.char_indices().skip(1);
    while let Some((at, char)) = inside.next() {
        if char == quote {
            return at + 1;
        }
        if escapes && char == '\\' {
            inside.next();
        }
    }
    rest.len()
}

/// `$tag$ ... $tag$`; none when it is a parameter such as `$1`.
fn dollar_quoted(rest: &str) -> Option<usize> {
    let inner = rest.get(1..)?;
    let tag = inner.get(..inner.find('$')?)?;
    let names = tag.chars().all(|char| char.is_alphanumeric() || char == '_');
    if !names || tag.starts_with(|char: char| char.is_ascii_digit()) {
        return None;
    }
    let mark = rest.get(..tag.len() + 2)?;
    let body = rest.get(mark.len()..)?;
    Some(body.find(mark).map_or(rest.len(), |end| 2 * mark.len() + end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(script: &str) -> Vec<(usize, &str)> {
        statements(script)
            .into_iter()
            .map(|statement| (statement.line, statement.sql))
            .collect()
    }

    #[test]
    fn semicolons_cut_where_they_end_something() {
        assert_eq!(
            cut(
                "-- pointsman: no-transaction\n\nCREATE INDEX CONCURRENTLY a ON b (c);\nVACUUM b;;\n-- done; really\n"
            ),
            [(3, "CREATE INDEX CONCURRENTLY a ON b (c)"), (4, "VACUUM b")]
        );
        for whole in [
            "SELECT 'a;b', 'it''s; fine'",
            r"SELECT E'it\'s; fine'",
            r"SELECT name'\' || ';'",
            "SELECT \"odd;name\"",
            "DO $$ BEGIN PERFORM 1; END $$",
            "DO $x_1$ SELECT '$$;'; $x_1$",
            "SELECT a /* ; /* ; */ ; */ + 1",
            "SELECT 1 -- ; no",
            "PREPARE p AS SELECT $1 || $2",
            "SELECT 'ü;', \"ß;\"",
        ] {
            assert_eq!(cut(whole), [(1, whole)], "{whole}");
            assert_eq!(cut(&format!("{whole}\n; SELECT 2")).len(), 2, "{whole}");
        }
        assert_eq!(cut(" \n-- nothing\n/* here; */ ;"), []);
    }

    proptest::proptest! {
        #[test]
        fn nothing_is_lost_and_nothing_panics(script in "[a;'\"$\\-/*\n üE\\\\]{0,60}") {
            let kept: usize = statements(&script).iter().map(|statement| statement.sql.len()).sum();
            proptest::prop_assert!(kept <= script.len());
        }
    }
}
