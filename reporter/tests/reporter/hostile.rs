//! Names, messages and output that try to drive a terminal or to break a document.

use muletrain_proto::event::Finished;
use muletrain_proto::journal::Record;
use muletrain_proto::outcome::{Ending, Output};
use muletrain_proto::verdict::Verdict;
use muletrain_reporter::pure::style::Look;
use muletrain_reporter::pure::{progress, text};
use muletrain_reporter::render::junit::junit;
use muletrain_reporter::render::terminal;

use crate::journal::{Journal, classes, failed, failure, fold, printed, test};
use crate::progress::{beat, drawn};
use crate::render::{PLAIN, assert_well_formed};

/// Each tries something else: a window title, a hyperlink, a cleared screen, reordered text, a
/// sequence without an end, markup, a closed CDATA section, characters XML cannot hold.
const SAMPLES: [&str; 9] = [
    "\u{1b}]0;pwned\u{7}title",
    "\u{1b}]8;;https://evil.example\u{1b}\\link\u{1b}]8;;\u{1b}\\",
    "\u{1b}[2J\u{1b}[H\u{1b}[32mGREEN",
    "\u{9b}31mc1 \u{9d}0;title\u{9c} \u{202e}desrever\u{2066}",
    "\u{1b}]0;never ends",
    "<script>alert(1)</script> &amp; \"quoted\" 'too'",
    "]]> <!-- --> <?php",
    "nul \u{0} backspace \u{8}\u{8}\u{8} bell \u{7} \u{ffff}",
    "100%\rwiped\r\nand a tab\t.",
];

/// Every sample as a test's name, message, traceback, subtest and output.
pub(crate) fn journal() -> Journal {
    let names: Vec<String> = SAMPLES.iter().map(|sample| sample.replace(['\0', '.'], "")).collect();
    let methods: Vec<&str> = names.iter().map(String::as_str).collect();
    let inventory = classes("shop", &[("shop.tests.EvilTest", &methods)]);
    let mut journal = Journal::opened();
    journal.inventory(inventory.clone()).lease(1, "shop", "laptop").up(1, inventory);
    for (name, sample) in names.iter().zip(SAMPLES) {
        let mut why = failure("AssertionError", sample, "shop/tests.py\", line 1");
        why.subtest = Some(format!("({sample})"));
        let output = Output { omitted: 7, ..printed(sample) };
        let id = format!("shop.tests.EvilTest.{name}");
        journal.run(1, Finished { output, ..failed(&id, 0.1, vec![why]) });
    }
    journal.end(1, Ending::Infrastructure { reason: SAMPLES.concat() });
    journal.record(Record::Settled {
        test: test("shop.tests.EvilTest.last"),
        r#try: 1,
        verdict: Verdict::NotRun,
        reason: SAMPLES.concat(),
        lease: None,
        lost: true,
    });
    journal.close();
    journal
}

#[test]
fn a_terminal_is_never_driven() {
    let report = terminal::report(&journal().summary(), PLAIN, Some("run\u{1b}[31m"));
    assert_eq!(report, text::for_terminal(&report));
    insta::assert_snapshot!(report);
}

#[test]
fn progress_is_never_driven() {
    let (mut lines, mut state) = (Vec::new(), fold(&[]));
    for entry in &journal().entries {
        let changes = state.apply(entry);
        lines.extend(changes.iter().filter_map(|one| progress::line(&state, one, PLAIN)));
        lines.extend(drawn(&state, state.latest));
        lines.push(beat(&state, state.latest));
    }
    for line in lines {
        assert_eq!(line, text::for_terminal(&line));
        assert!(!line.contains('\n'), "{line:?}");
    }
}

#[test]
fn a_document_is_never_broken() {
    let document = junit(&[journal().summary()]);
    assert_well_formed(&document);
    insta::assert_snapshot!(document);
}

#[test]
fn our_own_colour_is_all_the_colour_there_is() {
    let report = terminal::report(&journal().summary(), Look { color: true, ..PLAIN }, None);
    let ours = ["\u{1b}[0m", "\u{1b}[1m", "\u{1b}[2m", "\u{1b}[31m", "\u{1b}[32m", "\u{1b}[33m"];
    let rest = ours.iter().fold(report, |text, ours| text.replace(ours, ""));
    assert_eq!(rest, text::for_terminal(&rest));
}
