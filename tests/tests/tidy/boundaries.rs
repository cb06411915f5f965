//! Rules about which files know of what is outside.

use crate::code::{contains, words};
use crate::repository::File;
use crate::{Violation, accepts, catches, holds};

/// A word, and the only places in the crates' sources that may name it.
const BOUNDARIES: [(&str, &[&str]); 5] = [
    ("bollard", &["agent/src/docker/", "builder/src/docker/"]),
    ("git2", &["builder/src/source/"]),
    ("quick_xml", &["reporter/src/read/junit"]),
    ("rusqlite", &["scheduler/src/history.rs"]),
    (
        "wire",
        &[
            "proto/src/",
            "agent/src/link.rs",
            "reporter/src/follow.rs",
            "scheduler/src/blobs/databases.rs",
            "scheduler/src/blobs/service.rs",
            "scheduler/src/command/remote.rs",
            "scheduler/src/service.rs",
        ],
    ),
];

fn boundaries(file: &File) -> Vec<Violation> {
    if !file.is_rust() || !file.path.contains("/src/") {
        return vec![];
    }
    let words = words(file);
    let outside = |places: &[&str]| !places.iter().any(|place| file.path.starts_with(place));
    BOUNDARIES
        .iter()
        .filter(|(_, places)| outside(places))
        .filter_map(|(word, places)| Some((contains(&words, word)?, word, places)))
        .map(|(line, word, places)| {
            Violation::at(file, line, format!("names {word}, which is for {}", places.join(", ")))
        })
        .collect()
}

#[test]
fn only_the_edges_know_what_is_outside() {
    for (word, places) in BOUNDARIES {
        let code = format!("//! Code.\nuse {word}::Thing;\n");
        catches(boundaries, "scheduler/src/engine.rs", &code);
        catches(boundaries, "agent/src/pure/pod.rs", &format!("fn f() -> {word}::Thing {{}}"));
        for place in places {
            accepts(boundaries, &format!("{place}x.rs"), &code);
        }
    }
    accepts(boundaries, "agent/src/pure/pod.rs", "//! Not for bollard.\n");
    holds(boundaries);
}
