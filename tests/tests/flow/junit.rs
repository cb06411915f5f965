//! JUnit reports, read as a CI server would.

use std::fs;
use std::path::Path;

use quick_xml::Reader;
use quick_xml::events::Event;

/// Number of test cases in a report, which has to be well-formed.
#[track_caller]
pub(crate) fn count_cases(path: &Path) -> usize {
    let text = fs::read_to_string(path).expect("a report was written");
    let mut reader = Reader::from_str(&text);
    let (mut depth, mut roots, mut cases) = (0_usize, 0, 0);
    loop {
        let event = reader.read_event().unwrap_or_else(|error| panic!("{error}:\n{text}"));
        if let Event::Start(tag) | Event::Empty(tag) = &event {
            roots += usize::from(depth == 0);
            cases += usize::from(tag.name().as_ref() == "testcase");
        }
        match event {
            Event::Start(_) => depth += 1,
            Event::End(_) => depth -= 1,
            Event::Eof => break,
            _ => {}
        }
    }
    assert_eq!((depth, roots), (0, 1), "one whole document:\n{text}");
    cases
}
