//! A step that prepares a project in its image: `"command"`, or
//! `{ run = "command", files = ["what it reads"] }`.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// A step that prepares a project.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Step {
    /// Shell command.
    pub run: String,
    /// Patterns of the files that it reads, as in a `.dockerignore`; empty: it may read any.
    pub files: Vec<String>,
}

impl<'de> Deserialize<'de> for Step {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Table {
            run: String,
            files: Vec<String>,
        }
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Step;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a command, or a table with run and files")
            }

            fn visit_str<E>(self, run: &str) -> Result<Step, E> {
                Ok(Step { run: run.to_owned(), files: Vec::new() })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Step, A::Error> {
                let Table { run, files } = Table::deserialize(MapAccessDeserializer::new(map))?;
                match files.is_empty() {
                    false => Ok(Step { run, files }),
                    true => Err(A::Error::custom(
                        "files is empty; write the command alone if it may read any file",
                    )),
                }
            }
        }
        deserializer.deserialize_any(Either)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{FILE, parse};

    fn prepare(list: &str) -> String {
        match parse(&format!("[image]\nprepare = [{list}]"), FILE) {
            Ok(config) => format!("{:?}", config.image.prepare),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_step_is_a_command_or_a_command_and_the_files_it_reads() {
        insta::assert_snapshot!(prepare("'make', { run = 'make css', files = ['css/**'] }"), @r#"[Step { run: "make", files: [] }, Step { run: "make css", files: ["css/**"] }]"#);
        insta::assert_snapshot!(prepare("{ run = 'make', file = ['a'] }"), @r#"muletrain.toml:2: unknown key "file"; did you mean "files"?"#);
        insta::assert_snapshot!(prepare("{ run = 'make' }"), @"muletrain.toml:2: missing key `files`");
        insta::assert_snapshot!(prepare("{ run = 'make', files = [] }"), @"muletrain.toml:2: files is empty; write the command alone if it may read any file");
        insta::assert_snapshot!(prepare("{ run = 'make', files = [''] }"), @"muletrain.toml: image.prepare is empty");
        insta::assert_snapshot!(prepare("' '"), @"muletrain.toml: image.prepare is empty");
        insta::assert_snapshot!(prepare("3"), @"muletrain.toml:2: invalid type: integer `3`, expected a command, or a table with run and files");
    }
}
