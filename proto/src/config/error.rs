//! What is wrong with a configuration, said with its file, line and the way out.

use std::path::PathBuf;

/// What is wrong with a configuration.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file is there and cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// What stands in it is wrong.
    #[error("{origin}{}: {message}", line.map(|line| format!(":{line}")).unwrap_or_default())]
    Invalid {
        /// The file, as the user knows it.
        origin: String,
        /// Line, from 1, where one is to blame.
        line: Option<usize>,
        /// What is wrong and what would be right.
        message: String,
    },
}

/// Similarity from which a known key is worth suggesting.
const NEAR: f64 = 0.7;

/// What the parser says, in a user's words.
pub(super) fn explain(source: &toml::de::Error, text: &str, origin: &str) -> Error {
    let start = source.span().map(|span| span.start);
    let line = start
        .and_then(|start| text.as_bytes().get(..start))
        .map(|before| before.iter().filter(|byte| **byte == b'\n').count() + 1);
    let message = source.message();
    let message = unknown_name(message).unwrap_or_else(|| plain(message));
    Error::Invalid { origin: origin.to_owned(), line, message }
}

/// Rewords serde's "unknown field `x`, expected one of `a`, `b`"; none for any other message.
fn unknown_name(message: &str) -> Option<String> {
    let (what, rest) = match message.strip_prefix("unknown field `") {
        Some(rest) => ("key", rest),
        None => ("value", message.strip_prefix("unknown variant `")?),
    };
    let (name, rest) = rest.split_once('`')?;
    let known: Vec<&str> = rest.split('`').skip(1).step_by(2).collect();
    let nearest = known
        .iter()
        .map(|key| (strsim::jaro_winkler(name, key), key))
        .filter(|(similarity, _)| *similarity >= NEAR)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    let advice = match nearest {
        Some((_, key)) => format!("did you mean {key:?}?"),
        None => format!("known here: {}", known.join(", ")),
    };
    Some(format!("unknown {what} {name:?}; {advice}"))
}

/// The parser's message on one line, without the names of Rust's types.
fn plain(message: &str) -> String {
    let words = [
        ("expected a sequence", "expected a list"),
        ("expected u32", "expected a whole number from 0 to 4294967295"),
        ("expected u16", "expected a whole number from 0 to 65535"),
        ("expected f64", "expected a number"),
        ("expected a map", "expected a table"),
        ("invalid type: sequence", "invalid type: list"),
        ("invalid type: map", "invalid type: table"),
        ("missing field", "missing key"),
    ];
    let joined = message.lines().map(str::trim).collect::<Vec<_>>().join(", ");
    let plain = words.iter().fold(joined, |text, (from, to)| text.replace(from, to));
    match plain.find("expected struct ") {
        Some(at) => format!("{}expected a table", &plain[..at]),
        None => plain,
    }
}
