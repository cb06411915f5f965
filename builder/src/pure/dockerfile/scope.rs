//! What a stage of a Dockerfile knows at a line: its variables and its working folder.

use std::collections::BTreeMap;

/// Values by name.
pub(super) type Variables = BTreeMap<String, String>;

/// What is known at a line of a stage.
#[derive(Debug, Clone, Default)]
pub(super) struct Scope {
    /// The working folder, absolute.
    pub folder: String,
    /// What `ENV` has set, here and in what the stage starts from.
    pub environment: Variables,
    /// What `ARG` has declared here.
    pub arguments: Variables,
}

impl Scope {
    /// A text with the values of its variables. None where one is unknown, or is written in a way
    /// that takes more than that, or where there are quotes and escapes.
    pub(super) fn expand(&self, text: &str) -> Option<String> {
        let mut parts = text.split('$');
        let mut expanded = parts.next()?.to_owned();
        for part in parts {
            let (name, rest) = match part.strip_prefix('{') {
                Some(braced) => {
                    let (said, rest) = braced.split_once('}')?;
                    match said.split_once(":-") {
                        // The default is for what has no value, or an empty one.
                        Some((name, _)) if self.value(name)?.is_empty() => return None,
                        Some((name, _)) => (name, rest),
                        None => (said, rest),
                    }
                }
                None => {
                    let is_end = |c: char| !c.is_ascii_alphanumeric() && c != '_';
                    part.split_at(part.find(is_end).unwrap_or(part.len()))
                }
            };
            expanded.push_str(self.value(name)?);
            expanded.push_str(rest);
        }
        (!text.contains(['\\', '"', '\''])).then_some(expanded)
    }

    fn value(&self, name: &str) -> Option<&String> {
        self.environment.get(name).or_else(|| self.arguments.get(name))
    }

    /// An absolute path without empty parts and `.`, of one that may be relative to the working
    /// folder; none where it goes up.
    pub(super) fn path(&self, text: &str) -> Option<String> {
        let path = self.expand(text)?;
        let above = if path.starts_with('/') { "" } else { &self.folder };
        Some(format!("/{}", parts(&format!("{above}/{path}"))?))
    }

    /// Takes what `ENV` says. A variable whose value cannot be told is unknown from then on.
    pub(super) fn set(&mut self, said: &str) -> Option<()> {
        let before = self.clone();
        for (name, value) in assignments(said)? {
            self.arguments.remove(&name);
            self.environment.remove(&name);
            let value = value.and_then(|value| before.expand(&value));
            self.environment.extend(value.map(|value| (name, value)));
        }
        Some(())
    }

    /// Takes what `ARG` says: a value that the build is given goes before the default, and a
    /// default before that of an argument above all stages.
    pub(super) fn declare(
        &mut self,
        said: &str,
        given: &Variables,
        above: &Variables,
    ) -> Option<()> {
        for (name, default) in assignments(said)? {
            let value = match (given.get(&name), default) {
                (Some(given), _) => Some(given.clone()),
                (None, Some(default)) => self.expand(&default),
                (None, None) => above.get(&name).cloned(),
            };
            self.arguments.remove(&name);
            self.arguments.extend(value.map(|value| (name, value)));
        }
        Some(())
    }
}

/// The parts of a path, without empty ones and `.`; none where it goes up.
pub(super) fn parts(path: &str) -> Option<String> {
    let parts: Vec<&str> = path.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    (!parts.contains(&"..")).then(|| parts.join("/"))
}

/// The names and values of an `ENV` or an `ARG`; none where its quotes say more than what is
/// between them.
fn assignments(said: &str) -> Option<Vec<(String, Option<String>)>> {
    if said.contains('$') && said.contains(['\\', '\'']) {
        return None;
    }
    let words = shlex::split(said)?;
    match said.split_once(|c: char| c.is_ascii_whitespace()) {
        // `ENV NAME a value`, as it was written once.
        Some((name, value)) if !name.contains('=') => {
            Some(vec![(name.to_owned(), Some(value.trim().to_owned()))])
        }
        _ => Some(
            words
                .iter()
                .map(|word| match word.split_once('=') {
                    Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                    None => (word.clone(), None),
                })
                .collect(),
        ),
    }
}
