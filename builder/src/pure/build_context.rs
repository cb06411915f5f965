//! Which files of a project a Dockerfile may see: `.dockerignore`.

use std::path::Path;

use globset::{GlobBuilder, GlobMatcher};

/// The rules of a `.dockerignore`: the last one that matches wins.
#[derive(Debug, Default)]
pub struct Ignored(Vec<Rule>);

#[derive(Debug)]
struct Rule {
    glob: GlobMatcher,
    keeps: bool,
}

/// A line of a `.dockerignore` that is no pattern.
#[derive(Debug, thiserror::Error)]
#[error("line {line} of .dockerignore is not a pattern")]
pub struct Error {
    line: usize,
    source: globset::Error,
}

impl Ignored {
    /// Reads a `.dockerignore`.
    ///
    /// # Errors
    /// When a line is not a pattern.
    pub fn read(text: &str) -> Result<Self, Error> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut rules = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (keeps, pattern) = match line.strip_prefix('!') {
                Some(pattern) => (true, pattern.trim()),
                None => (false, line),
            };
            let Some(pattern) = clean(pattern) else { continue };
            let glob = GlobBuilder::new(&pattern).literal_separator(true).build();
            let glob = glob.map_err(|source| Error { line: index + 1, source })?;
            rules.push(Rule { glob: glob.compile_matcher(), keeps });
        }
        Ok(Self(rules))
    }

    /// Whether a file stays out of the context. A pattern that names a folder means all in it.
    #[must_use]
    pub fn matches(&self, path: &Path) -> bool {
        let matches = |rule: &&Rule| {
            path.ancestors()
                .take_while(|part| !part.as_os_str().is_empty())
                .any(|part| rule.glob.is_match(part))
        };
        self.0.iter().rev().find(matches).is_some_and(|rule| !rule.keeps)
    }
}

/// The pattern without leading slash and dots; none where nothing is left.
fn clean(pattern: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in pattern.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    (!parts.is_empty()).then(|| parts.join("/"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ignores(rules: &str, path: &str) -> bool {
        Ignored::read(rules).unwrap().matches(Path::new(path))
    }

    #[test]
    fn patterns_count_from_the_root() {
        assert!(ignores("tests", "tests/test_a.py"));
        assert!(ignores("/tests/", "tests/test_a.py"));
        assert!(!ignores("tests", "shop/tests/test_a.py"));
        assert!(ignores("**/tests", "shop/tests/test_a.py"));
        assert!(ignores("*.md", "README.md"));
        assert!(!ignores("*.md", "docs/README.md"));
        assert!(ignores("*/temp*", "shop/temporary.txt"));
        assert!(!ignores("# comment\n\n", "# comment"));
    }

    #[test]
    fn the_last_rule_that_matches_wins() {
        let rules = "*\n!shop\nshop/*.log\n!shop/keep.log";
        assert!(ignores(rules, "other.py"));
        assert!(!ignores(rules, "shop/models.py"));
        assert!(ignores(rules, "shop/a.log"));
        assert!(!ignores(rules, "shop/keep.log"));
    }

    #[test]
    fn a_broken_pattern_is_named_by_its_line() {
        let error = Ignored::read("a\n[b").unwrap_err();
        assert_eq!(error.to_string(), "line 2 of .dockerignore is not a pattern");
    }

    proptest! {
        #[test]
        fn no_file_makes_it_panic(text in ".{0,100}", path in "[a-z/.*]{0,20}") {
            if let Ok(rules) = Ignored::read(&text) {
                let _ = rules.matches(Path::new(&path));
            }
        }
    }
}
