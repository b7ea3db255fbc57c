//! `.gitmodules`: which address stands behind which path. It comes from strangers, so it is read here, line by line, and
//! whatever git's own bugs were ever about is refused by its line: names that leave their folder (CVE-2018-11235), paths
//! and addresses that begin as options do (CVE-2018-17456), programs to update with. Nothing is included from elsewhere.

use std::collections::BTreeMap;

/// A line that is refused, from 1, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) line: usize,
    pub(crate) why: &'static str,
}

#[derive(Debug, Default)]
struct Section {
    line: usize,
    path: Option<String>,
    url: Option<String>,
}

/// Addresses by path, as they are written.
pub(crate) fn parse(text: &str) -> Result<BTreeMap<String, String>, Refused> {
    let mut sections: BTreeMap<String, Section> = BTreeMap::new();
    let mut current = None;
    for (number, line) in (1..).zip(text.lines()) {
        let refuse = |why| Refused { line: number, why };
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if line.starts_with('[') {
            current = name(line).map_err(refuse)?;
            if let Some(name) = &current {
                sections.entry(name.clone()).or_default().line = number;
            }
            continue;
        }
        let Some(section) = current.as_ref().and_then(|name| sections.get_mut(name)) else {
            continue;
        };
        let (key, value) = line.split_once('=').unwrap_or((line, ""));
        let value = unquoted(value.trim()).map_err(refuse)?;
        let place = match key.trim().to_ascii_lowercase().as_str() {
            "path" => &mut section.path,
            "url" => &mut section.url,
            "update" if value.trim_start().starts_with('!') => {
                return Err(refuse("no program may be named to update a submodule with"));
            }
            // Branches, depths and the like are about what people check out: a release has pinned commits.
            _ => continue,
        };
        if value.starts_with('-') {
            return Err(refuse("no path or address begins with a hyphen"));
        }
        if place.replace(value).is_some() {
            return Err(refuse("it is said twice"));
        }
    }
    by_path(sections.into_values())
}

fn by_path(sections: impl Iterator<Item = Section>) -> Result<BTreeMap<String, String>, Refused> {
    let mut found = BTreeMap::new();
    for section in sections {
        let refuse = |why| Refused {
            line: section.line,
            why,
        };
        // An entry without both is one that was given up.
        let (Some(path), Some(url)) = (section.path, section.url) else {
            continue;
        };
        if found.insert(path, url).is_some() {
            return Err(refuse("two submodules have one path"));
        }
    }
    Ok(found)
}

/// The name in `[submodule "name"]`; none of another section.
fn name(line: &str) -> Result<Option<String>, &'static str> {
    let inner = line.strip_prefix('[').and_then(|line| line.strip_suffix(']'));
    let inner = inner.ok_or("a section ends with ]")?.trim();
    let Some((kind, rest)) = inner.split_once(char::is_whitespace) else {
        return Ok(None);
    };
    if !kind.eq_ignore_ascii_case("submodule") {
        return Ok(None);
    }
    let name = unquoted(rest.trim())?;
    if name.is_empty() || name.starts_with('-') {
        return Err("the name of a submodule is not empty and begins with no hyphen");
    }
    if name.split(['/', '\\']).any(|part| part == "..") {
        return Err("the name of a submodule may not lead out of a folder");
    }
    Ok(Some(name))
}

/// A value without its quotes, escapes and comment.
fn unquoted(text: &str) -> Result<String, &'static str> {
    let mut value = String::new();
    let mut kept = 0;
    let mut quoted = false;
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => quoted = !quoted,
            '\\' => match letters.next() {
                Some(escaped @ ('"' | '\\')) => value.push(escaped),
                Some(_) | None => return Err("an escape that is none, or a line that goes on in the next"),
            },
            '#' | ';' if !quoted => break,
            letter if letter.is_control() => return Err("a control character"),
            letter => value.push(letter),
        }
        if quoted || !value.ends_with(char::is_whitespace) {
            kept = value.len();
        }
    }
    if quoted {
        return Err("a quote that does not end");
    }
    value.truncate(kept);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_stand_by_their_paths() {
        let text = "# ours\n[submodule \"lib/a\"]\n\tpath = lib/a\n\turl = ../a.git ; near\n\tbranch = main\n\
                    [submodule \"with \\\"quotes\\\"\"]\n\tURL = \"https://git.example.com/b#c\"\n\tpath = \"lib b\"\n\
                    [other]\n\tpath = x\n[submodule \"given up\"]\n\tpath = gone\n";
        let found = parse(text).unwrap();
        let expected = [("lib b", "https://git.example.com/b#c"), ("lib/a", "../a.git")];
        let expected = expected.map(|(path, url)| (path.to_owned(), url.to_owned()));
        assert_eq!(found, expected.into());
        assert!(parse("").unwrap().is_empty());
    }

    #[test]
    fn what_gits_bugs_were_about_is_refused_by_its_line() {
        let section = |name: &str, path: &str, url: &str| {
            format!("[submodule \"{name}\"]\n\tpath = {path}\n\turl = {url}\n")
        };
        for (text, line) in [
            (section("../../hooks", "a", "../a"), 1),
            (section("x/..", "a", "../a"), 1),
            (section("..\\\\x", "a", "../a"), 1),
            (section("-x", "a", "../a"), 1),
            (section("", "a", "../a"), 1),
            (section("a", "-u./payload", "../a"), 2),
            (section("a", "a", "-u./payload"), 3),
            (section("a", "a", "\"-oProxyCommand=x\""), 3),
            (section("a", "a", "../a\n\tupdate = !touch pwned"), 4),
            (section("a", "a", "../a\n\turl = ../b"), 4),
            (section("a", "a", "../a\\"), 3),
            (section("a", "a", "\"../a"), 3),
            (section("a", "a", "../a") + &section("b", "a", "../b"), 4),
            ("[submodule \"a\"\n".to_owned(), 1),
        ] {
            assert_eq!(parse(&text).map_err(|refused| refused.line), Err(line), "{text}");
        }
    }
}
