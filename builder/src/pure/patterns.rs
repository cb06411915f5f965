//! Patterns of files, as a `.dockerignore` has them.

use std::path::Path;

use globset::{GlobBuilder, GlobMatcher};

/// Patterns, of which the last one that matches a file wins.
#[derive(Debug, Default)]
pub struct Patterns(Vec<Rule>);

#[derive(Debug)]
struct Rule {
    glob: GlobMatcher,
    keeps: bool,
}

/// What is no pattern.
#[derive(Debug, thiserror::Error)]
#[error("{line:?} is not a pattern of files")]
pub struct Error {
    line: String,
    source: globset::Error,
}

impl Patterns {
    /// Reads patterns, one a line.
    ///
    /// # Errors
    /// When a line is not a pattern.
    pub fn read(text: &str) -> Result<Self, Error> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut rules = Vec::new();
        for line in text.lines() {
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
            let glob = glob.map_err(|source| Error { line: line.to_owned(), source })?;
            rules.push(Rule { glob: glob.compile_matcher(), keeps });
        }
        Ok(Self(rules))
    }

    /// Whether they mean a file. A pattern that names a folder means all in it.
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

    fn means(rules: &str, path: &str) -> bool {
        Patterns::read(rules).unwrap().matches(Path::new(path))
    }

    #[test]
    fn patterns_count_from_the_root() {
        assert!(means("tests", "tests/test_a.py"));
        assert!(means("/tests/", "tests/test_a.py"));
        assert!(!means("tests", "shop/tests/test_a.py"));
        assert!(means("**/tests", "shop/tests/test_a.py"));
        assert!(means("*.md", "README.md"));
        assert!(!means("*.md", "docs/README.md"));
        assert!(means("*/temp*", "shop/temporary.txt"));
        assert!(!means("# comment\n\n", "# comment"));
    }

    #[test]
    fn the_last_rule_that_matches_wins() {
        let rules = "*\n!shop\nshop/*.log\n!shop/keep.log";
        assert!(means(rules, "other.py"));
        assert!(!means(rules, "shop/models.py"));
        assert!(means(rules, "shop/a.log"));
        assert!(!means(rules, "shop/keep.log"));
    }

    #[test]
    fn a_broken_pattern_is_named() {
        let error = Patterns::read("a\n[b").unwrap_err();
        assert_eq!(error.to_string(), r#""[b" is not a pattern of files"#);
    }

    proptest! {
        #[test]
        fn no_file_makes_it_panic(text in ".{0,100}", path in "[a-z/.*]{0,20}") {
            if let Ok(rules) = Patterns::read(&text) {
                let _ = rules.matches(Path::new(&path));
            }
        }
    }
}
