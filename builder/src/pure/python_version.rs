//! Which Python a project wants, from what it says in its files.

use std::str::FromStr;

use pep440_rs::{Version, VersionSpecifiers};

/// Minor versions of Python 3 that are chosen from, the preferred ones first: neither the
/// newest, for which wheels may lack, nor those at the end of their life.
const MINORS: [u64; 7] = [12, 13, 11, 14, 10, 9, 8];

/// The version of a `.python-version`, `runtime.txt` or `[project] python`, such as `3.12`.
#[must_use]
pub fn pinned(text: &str) -> Option<String> {
    let line =
        text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'))?;
    let version = Version::from_str(line.strip_prefix("python-").unwrap_or(line)).ok()?;
    match version.release() {
        [3, minor, ..] => Some(format!("3.{minor}")),
        _ => None,
    }
}

/// The version to take for a `requires-python`, such as `>=3.10,<3.13`.
#[must_use]
pub fn required(text: &str) -> Option<String> {
    let specifiers = VersionSpecifiers::from_str(&without_caret(text)?).ok()?;
    // A late patch release, so that `>=3.10.2` takes 3.10.
    let fits = |minor: &&u64| specifiers.contains(&Version::new([3, **minor, 99]));
    MINORS.iter().find(fits).map(|minor| format!("3.{minor}"))
}

/// Poetry's `^3.11` as `>=3.11,<4`.
fn without_caret(text: &str) -> Option<String> {
    let parts = text.split(',').map(str::trim).map(|part| match part.strip_prefix('^') {
        None => Some(part.to_owned()),
        Some(rest) => {
            let major: u64 = rest.split('.').next()?.trim().parse().ok()?;
            Some(format!(">={rest},<{}", major + 1))
        }
    });
    parts.collect::<Option<Vec<_>>>().map(|parts| parts.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pinned_version_is_taken_to_its_minor() {
        let version = |text| pinned(text);
        assert_eq!(version("3.11.4\n").as_deref(), Some("3.11"));
        assert_eq!(version("# ours\npython-3.10.1").as_deref(), Some("3.10"));
        assert_eq!(version("pypy3.10"), None);
        assert_eq!(version("2.7"), None);
        assert_eq!(version(""), None);
    }

    #[test]
    fn a_range_gives_a_version_inside_it() {
        let version = |text| required(text);
        assert_eq!(version(">=3.8").as_deref(), Some("3.12"));
        assert_eq!(version(">=3.10.2,<3.11").as_deref(), Some("3.10"));
        assert_eq!(version("^3.13").as_deref(), Some("3.13"));
        assert_eq!(version("==3.11.*").as_deref(), Some("3.11"));
        assert_eq!(version("<3"), None);
        assert_eq!(version("whatever"), None);
        assert_eq!(version("^"), None);
    }
}
