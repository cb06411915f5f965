//! What is seen while a run goes on.

use muletrain_reporter::pure::progress;
use muletrain_reporter::pure::style::Look;

use crate::journal::fold;
use crate::render::PLAIN;
use crate::site;

#[test]
fn a_log_gets_a_line_for_what_is_worth_one() {
    let mut state = fold(&[]);
    let mut lines = Vec::new();
    for entry in &site::journal().entries {
        let changes = state.apply(entry);
        lines.extend(changes.iter().filter_map(|one| progress::line(&state, one, PLAIN)));
    }
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn a_terminal_sees_the_state_of_things() {
    let entries = site::journal().entries;
    // The collection, a wait for databases, pods coming up, tests, a crash, a lost agent, the end.
    let moments = [1, 4, 7, 12, 19, 30, 35, 76, entries.len()];
    let frames = moments.map(|end| {
        let state = fold(&entries[..end]);
        let now = state.latest + 1500;
        let frame = progress::state(&state, now, PLAIN).join("\n");
        format!("after {end} records\n{frame}\n{}", progress::heartbeat(&state, now, PLAIN))
    });
    insta::assert_snapshot!(frames.join("\n\n"));
}

#[test]
fn a_narrow_terminal_is_never_overrun() {
    let entries = site::journal().entries;
    for width in [1, 10, 39, 40, 79] {
        for end in 0..=entries.len() {
            let state = fold(&entries[..end]);
            for line in progress::state(&state, state.latest, Look { width, ..PLAIN }) {
                let columns = unicode_width::UnicodeWidthStr::width(line.as_str());
                assert!(columns <= width.max(40), "{columns} columns of {width}: {line:?}");
            }
        }
    }
}
