//! Where in its file a test failed, as far as its traceback tells.

use muletrain_proto::outcome::Failure;

/// The line of a file that a failure's traceback names last. Files in a traceback are those of a
/// pod or of another host, so they are the same where one path ends in the other.
#[must_use]
pub fn line_of(failure: &Failure, file: &str) -> Option<u32> {
    failure
        .traceback
        .lines()
        .rev()
        .find_map(|line| python(line, file).or_else(|| plain(line, file)))
}

/// `  File "/app/shop/tests.py", line 21, in test`.
fn python(line: &str, file: &str) -> Option<u32> {
    let (path, rest) = line.trim_start().strip_prefix("File \"")?.split_once("\", line ")?;
    same(path, file).then(|| number(rest))?
}

/// `shop/tests.py:21: AssertionError`, as pytest and most other tools have it.
fn plain(line: &str, file: &str) -> Option<u32> {
    let at = line.find(file)?;
    let before = line[..at].chars().next_back();
    let rest = line[at + file.len()..].strip_prefix(':')?;
    before.is_none_or(|one| "/( \t".contains(one)).then(|| number(rest))?
}

fn same(path: &str, file: &str) -> bool {
    path.strip_suffix(file).is_some_and(|before| before.is_empty() || before.ends_with('/'))
}

fn number(text: &str) -> Option<u32> {
    let end = text.find(|one: char| !one.is_ascii_digit()).unwrap_or(text.len());
    text[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use muletrain_proto::outcome::FailureKind;

    use super::*;

    #[test]
    fn the_last_line_of_the_tests_own_file_counts() {
        let failure = |traceback: &str| Failure {
            kind: FailureKind::Failure,
            exception: String::new(),
            message: String::new(),
            traceback: traceback.to_owned(),
            subtest: None,
        };
        let python = "  File \"/app/shop/tests.py\", line 3, in a\n  File \"/app/shop/tests.py\", \
                      line 21, in b\n  File \"/app/other/shop.py\", line 9, in c\n";
        assert_eq!(line_of(&failure(python), "shop/tests.py"), Some(21));
        assert_eq!(line_of(&failure("shop/tests.py:7: AssertionError"), "shop/tests.py"), Some(7));
        assert_eq!(line_of(&failure("at x (/srv/cart.js:7:3)"), "cart.js"), Some(7));
        assert_eq!(line_of(&failure("myshop/tests.py:7: no"), "hop/tests.py"), None);
        assert_eq!(line_of(&failure(""), "shop/tests.py"), None);
    }
}
