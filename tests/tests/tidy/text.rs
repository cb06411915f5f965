//! Rules about the text of a file.

use crate::repository::File;
use crate::{Violation, accepts, catches, holds};

const LONGEST: usize = 500;
const LONGEST_MAIN: usize = 15;

fn size(file: &File) -> Vec<Violation> {
    let lines = file.text.lines().count();
    match (file.is_rust() || file.is_python()) && lines > LONGEST {
        true => vec![Violation::of(file, format!("{lines} lines, the limit is {LONGEST}"))],
        false => vec![],
    }
}

#[test]
fn no_source_file_is_over_500_lines() {
    catches(size, "proto/src/id.rs", &"//\n".repeat(501));
    catches(size, "agent/harness/muletrain_harness/worker.py", &"#\n".repeat(501));
    accepts(size, "proto/src/id.rs", &"//\n".repeat(500));
    holds(size);
}

fn main_size(file: &File) -> Vec<Violation> {
    let lines = file.text.lines().count();
    match file.path.ends_with("src/main.rs") && lines >= LONGEST_MAIN {
        true => vec![Violation::of(file, format!("{lines} lines; what it does is the library's"))],
        false => vec![],
    }
}

#[test]
fn every_main_is_under_15_lines() {
    catches(main_size, "agent/src/main.rs", &"//\n".repeat(15));
    accepts(main_size, "agent/src/main.rs", &"//\n".repeat(14));
    holds(main_size);
}

fn module_doc(file: &File) -> Vec<Violation> {
    let mut lines = file.text.lines();
    let first = lines.next().unwrap_or_default();
    let (has, wanted) = if file.is_rust() {
        (first.starts_with("//! "), "`//!` and what the file owns")
    } else if file.is_python() {
        let code = file.text.lines().find(|line| !line.is_empty() && !line.starts_with('#'));
        (
            code.is_some_and(|line| line.trim_start_matches(['r', 'R']).starts_with("\"\"\"")),
            "a docstring",
        )
    } else if file.is_shell() {
        let line = if first.starts_with("#!") { lines.next().unwrap_or_default() } else { first };
        (line.starts_with("# "), "a comment on what it does, right after the interpreter")
    } else {
        return vec![];
    };
    match has {
        true => vec![],
        false => vec![Violation::of(file, format!("does not begin with {wanted}"))],
    }
}

#[test]
fn every_file_says_what_it_is() {
    catches(module_doc, "proto/src/id.rs", "use std::fmt;\n//! Late.\n");
    catches(module_doc, "proto/src/id.rs", "// Not a module doc.\n");
    accepts(module_doc, "proto/src/id.rs", "//! Names of things.\n");
    catches(module_doc, "tests/projects/site/blog/__init__.py", "");
    catches(module_doc, "agent/harness/bootstrap.py", "import sys\n\"\"\"Late.\"\"\"\n");
    catches(module_doc, "tests/bin/record", "#!/usr/bin/env python3\nimport sys\n");
    accepts(module_doc, "tests/bin/record.py", "#!/usr/bin/env python3\n\"\"\"Records.\"\"\"\n");
    catches(module_doc, "tests/bin/base-image", "#!/bin/sh\nset -eu\n");
    accepts(
        module_doc,
        "tests/bin/base-image",
        "#!/usr/bin/env bash\n# Makes an image.\nset -eu\n",
    );
    accepts(module_doc, "README.md", "# muletrain\n");
    holds(module_doc);
}

fn loose_ends(file: &File) -> Vec<Violation> {
    // Put together, so that the rule has nothing against the file it is written in.
    let marks = [concat!("FIX", "ME"), concat!("TO", "DO")];
    let lines = file.text.lines().zip(1..);
    lines
        .flat_map(|(line, number)| marks.iter().map(move |mark| (line, number, mark)))
        .filter(|(line, _, mark)| line.contains(**mark))
        .map(|(_, number, mark)| Violation::at(file, number, format!("{mark} is left to do")))
        .collect()
}

#[test]
fn nothing_is_left_to_do() {
    catches(
        loose_ends,
        "proto/src/id.rs",
        &format!("//! Ids.\n// {}: check it\n", concat!("FIX", "ME")),
    );
    catches(loose_ends, "README.md", concat!("TO", "DO: write this"));
    accepts(loose_ends, "README.md", "What is done.");
    holds(loose_ends);
}
