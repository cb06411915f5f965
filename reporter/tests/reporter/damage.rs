//! Files that are cut off, damaged, lying or hostile: what was complete counts, and what is wrong
//! is said by the report and by the exit code.

use std::io::Write;
use std::path::PathBuf;

use flate2::Compression;
use flate2::write::GzEncoder;
use muletrain_proto::exit_code::ExitCode;
use muletrain_proto::seconds::Seconds;
use muletrain_proto::verdict::Verdict;
use muletrain_reporter::pure::summary::Summary;
use tempfile::TempDir;

use crate::dialects::{read, summary};

/// A file of its own.
pub(crate) struct Scratch {
    pub(crate) folder: TempDir,
    pub(crate) path: PathBuf,
}

pub(crate) fn scratch(content: impl AsRef<[u8]>) -> Scratch {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("result");
    std::fs::write(&path, content).unwrap();
    Scratch { folder, path }
}

fn report(content: impl AsRef<[u8]>) -> Summary {
    summary(&[scratch(content).path])
}

/// A suite with two cases and whatever else.
fn suite(more: &str) -> String {
    let cases = "<testcase classname='T' name='one'/><testcase classname='T' name='two'/>";
    format!("<testsuites><testsuite name='s'>{cases}{more}</testsuite></testsuites>")
}

fn case(inner: &str) -> String {
    suite(&format!("<testcase classname='T' name='three'>{inner}</testcase>"))
}

fn packed(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

#[track_caller]
fn assert_incomplete(summary: &Summary, passed: u32, reason: &str) {
    assert_eq!(summary.exit, ExitCode::Incomplete);
    assert_eq!(summary.counts.passed, passed);
    assert_eq!(summary.problems.len(), 1);
    let said = &summary.unfinished[0];
    assert!(said.contains("unreadable report: ") && said.contains(reason), "{said}");
}

#[test]
fn entities_are_never_expanded() {
    let laughs: String = (1..10)
        .map(|level| {
            let inner = format!("&l{};", level - 1).repeat(10);
            format!("<!ENTITY l{level} \"{inner}\">")
        })
        .collect();
    let external = "<!ENTITY secret SYSTEM \"file:///etc/passwd\">";
    let head = format!("<?xml version='1.0'?><!DOCTYPE x [<!ENTITY l0 \"ha\">{laughs}{external}]>");
    let body = case("<failure message='&l9;'>&l9; &secret; &lt;</failure>");
    let summary = report(head + &body);
    let failure = &summary.tests[2].decisive.failures[0];
    assert_eq!((failure.message.as_str(), failure.traceback.as_str()), ("&l9;", "&l9; &secret; <"));
    assert!(summary.incidents[0].contains("declares entities, which are never expanded"));
    assert!(summary.incidents[1].contains("2 references to entities kept as text"));
}

#[test]
fn a_text_of_any_size_is_held_in_parts() {
    let line = "0123456789abcdef".repeat(64);
    for (open, close) in [("", ""), ("<![CDATA[", "]]>")] {
        let text = format!("first{}last", line.repeat(8 << 10));
        let whole = case(&format!("<failure>{open}{text}{close}</failure>"));
        let scratch = scratch(whole);
        let (parts, _) = read(&scratch.path);
        let case = parts.iter().rev().find_map(|part| match part {
            muletrain_reporter::pure::junit::Part::Case(case) => Some(case),
            _ => None,
        });
        let kept = &case.unwrap().children[0].text;
        assert!(kept.len() <= 1 << 20 && kept.starts_with("first") && kept.ends_with("last"));
        assert!(kept.contains(" bytes omitted from the middle]"));
    }
}

#[test]
fn a_tag_that_never_ends_is_given_up() {
    let summary = report(suite(&format!("<testcase name='{}'/>", "x".repeat(20 << 20))));
    assert_incomplete(&summary, 2, "one piece of it is larger than 16 MiB");
}

#[test]
fn attributes_and_depth_have_limits() {
    let attributes: String = (0..50_000).map(|number| format!(" a{number}='x'")).collect();
    let deep = "<a>".repeat(20_000) + &"</a>".repeat(20_000);
    let more = format!("<testcase classname='T' name='three'{attributes}>{deep}</testcase>");
    let summary = report(suite(&more));
    assert_eq!((summary.counts.passed, summary.exit), (3, ExitCode::Green));
    assert!(summary.incidents[0].contains("beyond the limits or broken, left out"));

    let nested = "<testsuite name='x'>".repeat(20_000);
    let ends = "</testsuite>".repeat(20_000);
    let summary = report(format!("{nested}<testcase name='t'/>{ends}"));
    assert_eq!((summary.counts.passed, summary.exit), (1, ExitCode::Green));
    assert!(summary.incidents[0].contains("suites nested too deep, made one"));
}

#[test]
fn what_is_no_utf_8_is_shown_as_such() {
    let mut bytes = case("<failure message='caf").into_bytes();
    bytes.truncate(bytes.len() - "</testcase></testsuite></testsuites>".len());
    bytes.extend(b"\xe9'/></testcase></testsuite></testsuites>");
    let summary = report(bytes);
    assert_eq!(summary.tests[2].decisive.failures[0].message, "caf\u{fffd}");
    assert!(summary.incidents[0].contains("bytes that are no UTF-8"));
    assert_eq!(summary.exit, ExitCode::Red);
}

#[test]
fn control_characters_are_read_as_they_are() {
    let summary = report(case("<failure message='&#27;[31m&#0;'>a\u{1b}[0m\u{8}b</failure>"));
    let failure = &summary.tests[2].decisive.failures[0];
    assert_eq!(failure.message, "\u{1b}[31m\0");
    assert_eq!(failure.traceback, "a\u{1b}[0m\u{8}b");
    let named = report(suite("<testcase classname='T' name='nul &#0; here'/>"));
    assert_eq!(named.tests[2].id.as_str(), "T.nul ␀ here");
}

#[test]
fn cut_off_anywhere_what_was_complete_counts() {
    let text = case("<failure message='no'>why &amp; how</failure><system-out>x</system-out>");
    let scratch = scratch("");
    let whole = summary(&[{
        std::fs::write(&scratch.path, &text).unwrap();
        scratch.path.clone()
    }]);
    assert_eq!((whole.exit, whole.counts.tests()), (ExitCode::Red, 3));
    let ends: Vec<usize> = text
        .match_indices("name='one'/>")
        .chain(text.match_indices("name='two'/>"))
        .map(|(at, found)| at + found.len())
        .collect();
    for end in (0..text.len()).step_by(3) {
        std::fs::write(&scratch.path, &text[..end]).unwrap();
        let cut = summary(std::slice::from_ref(&scratch.path));
        assert_eq!(cut.exit, ExitCode::Incomplete, "cut off at byte {end}");
        let complete = ends.iter().filter(|at| **at <= end).count();
        assert_eq!(cut.counts.passed as usize, complete, "cut off at byte {end}");
    }
}

#[test]
fn a_case_that_was_cut_off_is_an_error() {
    let text = case("<system-out>it was doing something");
    let end = text.find("</testcase></testsuite>").unwrap();
    let summary = report(&text[..end]);
    assert_incomplete(
        &summary,
        2,
        "it ends inside of <system-out>".replace("system-out", "testcase").as_str(),
    );
    let cut = &summary.tests[2];
    assert_eq!(cut.outcome.verdict, Verdict::Error);
    assert_eq!(cut.decisive.failures[0].exception, "muletrain.CutOff");
    assert_eq!(cut.decisive.output.text, "it was doing something");
}

#[test]
fn two_documents_in_one_file_are_both_read() {
    let summary = report(suite("") + &suite("").replace("'T'", "'U'"));
    assert_eq!((summary.counts.passed, summary.exit), (4, ExitCode::Green));
    assert!(summary.incidents[0].contains("2 root elements"));
}

#[test]
fn mismatched_tags_end_the_reading() {
    assert_incomplete(&report(suite("</testcase>")), 2, "</testcase>");
}

#[test]
fn counts_are_made_anew() {
    let text = "<testsuite name='s' tests='-5' failures='9'><testcase name='a'/></testsuite>";
    let wrong = "<testsuite name='s' tests='7'><testcase name='a'/></testsuite>";
    assert_eq!(report(text).counts.tests(), 1);
    let summary = report(wrong);
    assert_eq!((summary.counts.tests(), summary.exit), (1, ExitCode::Green));
    assert!(summary.incidents[0].contains("1 suite with another number of tests than stated"));
}

#[test]
fn times_that_are_none_are_told_once() {
    let summary = report(suite(
        "<testcase name='a' time='soon'/><testcase name='b' time='NaN'/><testcase name='c' time='1.5s'/>",
    ));
    let notes = &summary.incidents;
    assert!(
        notes.len() == 1 && notes[0].ends_with("2 times that cannot be read, such as \"soon\""),
        "{notes:?}"
    );
    let seconds: Vec<Option<f64>> =
        summary.tests[2..].iter().map(|test| test.decisive.seconds.map(Seconds::get)).collect();
    assert_eq!(seconds, [None, None, Some(1.5)]);
}

#[test]
fn what_is_no_report_says_what_it_is() {
    for (content, what) in [
        (&b""[..], "it is empty"),
        (b" \n\t", "it is blank"),
        (&[0; 100], "it is filled with zero bytes"),
        (b"<!DOCTYPE html><html><body>502 Bad Gateway</body></html>", "it is an HTML page"),
        (b"<project><target/></project>", "root element <project> is not that of a JUnit report"),
        (b"Segmentation fault", "it is neither a journal"),
        (b"{\"a\": 1}", "it is JSON, but without a list of results"),
        (b"{\"a\": ", "EOF while parsing"),
        (b"<?xml version='1.0'?>", "it has no element at all"),
    ] {
        assert_incomplete(&report(content), 0, what);
    }
    assert_eq!(report("<testsuites/>").exit, ExitCode::Green);
}

#[test]
fn packed_files_are_known_by_their_content() {
    assert_eq!(report(packed(suite("").as_bytes())).counts.passed, 2);
    let both = [packed(suite("").as_bytes()), packed(suite("").replace("'T'", "'U'").as_bytes())];
    assert_eq!(report(both.concat()).counts.passed, 4);
}

#[test]
fn of_a_packed_file_that_is_cut_off_the_start_counts() {
    let many: String = (0..5000).map(|number| format!("<testcase name='{number}'/>")).collect();
    let whole = packed(suite(&many).as_bytes());
    let summary = report(&whole[..whole.len() / 2]);
    assert_eq!(summary.exit, ExitCode::Incomplete);
    assert!(summary.counts.passed > 100, "{:?}", summary.counts);
    assert!(summary.unfinished[0].contains("the compressed data is cut off"));
}

#[test]
fn a_bomb_is_given_up() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder
        .write_all(suite("").replace("</testsuite></testsuites>", "<system-out>").as_bytes())
        .unwrap();
    let piece = vec![b'x'; 1 << 20];
    (0..300).for_each(|_| encoder.write_all(&piece).unwrap());
    let summary = report(encoder.finish().unwrap());
    assert_incomplete(&summary, 2, "unpacks to more than 200 times its size");
}

#[test]
fn every_encoding_is_read() {
    let text = "<?xml version='1.0' encoding='UTF-16'?><testsuite name='s'><testcase name='größe 日本'/></testsuite>";
    let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    for bytes in [
        [b"\xff\xfe".as_slice(), &little].concat(),
        [b"\xfe\xff".as_slice(), &big].concat(),
        little,
        big,
        [b"\xef\xbb\xbf".as_slice(), text.as_bytes()].concat(),
        text.as_bytes().to_vec(),
    ] {
        let summary = report(&bytes);
        assert_eq!(summary.tests[0].id.as_str(), "s.größe 日本", "{:?}", &bytes[..4]);
        assert_eq!(summary.exit, ExitCode::Green);
    }
}

#[test]
fn a_log_that_is_cut_off_keeps_its_tests_and_names_those_that_ran() {
    let log = std::fs::read_to_string(crate::dialects::dialect("reportlog.jsonl")).unwrap();
    let lines: Vec<&str> = log.lines().collect();
    let cut = format!("{}\n{}", lines[..6].join("\n"), &lines[6][..40]);
    let summary = report(cut);
    assert_eq!(summary.exit, ExitCode::Incomplete);
    assert!(summary.unfinished[0].contains("its last line was cut off"));
    assert_eq!((summary.counts.lost, summary.counts.errors), (2, 1));
    let lost = summary.tests.iter().find(|test| test.decisive.lost).unwrap();
    assert_eq!(lost.decisive.reason.as_deref(), Some("the log ends while it was running"));
}

#[test]
fn of_a_document_in_json_that_is_cut_off_the_tests_before_count() {
    let text = std::fs::read_to_string(crate::dialects::dialect("ctrf.json")).unwrap();
    let end = text.find("\"pays\"").unwrap();
    let summary = report(&text[..end]);
    assert_eq!(summary.exit, ExitCode::Incomplete);
    assert_eq!((summary.counts.passed, summary.counts.failed), (1, 1));
}

fn ctrf(tests: &str) -> String {
    format!("{{\"results\": {{\"tool\": {{\"name\": \"t\"}}, \"tests\": [{tests}]}}}}")
}

#[test]
fn a_string_of_json_of_any_size_is_clipped_and_ends_nothing() {
    let long = format!("first {} last", "é\\n".repeat(5 << 20));
    let one = format!("{{\"name\": \"a\", \"status\": \"failed\", \"trace\": \"{long}\"}}");
    let summary = report(ctrf(&format!("{one}, {{\"name\": \"b\", \"status\": \"passed\"}}")));
    assert_eq!((summary.counts.failed, summary.counts.passed), (1, 1));
    assert_eq!((summary.exit, summary.incidents.len()), (ExitCode::Red, 0));
    let kept = &summary.tests[0].decisive.failures[0].traceback;
    assert!(kept.starts_with("first é") && kept.ends_with("\n last"), "{}", kept.len());
    let call = format!(
        "{{\"$report_type\": \"TestReport\", \"nodeid\": \"a.py::b\", \"when\": \"teardown\", \
         \"outcome\": \"failed\", \"longrepr\": \"{long}\"}}"
    );
    let summary = report(format!("{call}\n{{\"$report_type\": \"SessionFinish\"}}\n"));
    assert_eq!((summary.counts.errors, summary.exit), (1, ExitCode::Red));
    let kept = &summary.tests[0].decisive.failures[0].traceback;
    assert!(kept.starts_with("first é") && kept.ends_with("\n last"), "{}", kept.len());
}

#[test]
fn a_test_in_json_that_says_too_much_is_shortened_and_keeps_its_verdict() {
    let lines = "\"x\",".repeat(1 << 20);
    let big = format!("{{\"name\": \"a\", \"stdout\": [{lines}\"\"], \"status\": \"failed\"}}");
    let summary = report(ctrf(&format!("{big}, {{\"name\": \"b\", \"status\": \"passed\"}}")));
    assert_eq!((summary.counts.failed, summary.counts.passed), (1, 1));
    assert!(summary.incidents[0].ends_with("1 test larger than 16 MiB, shortened"));
}

#[test]
fn json_that_is_nested_too_deep_ends_there_and_costs_a_log_one_line() {
    let deep = "[".repeat(100_000);
    let summary = report(ctrf(&format!("{{\"name\": \"a\", \"status\": \"passed\"}}, {deep}")));
    assert_incomplete(&summary, 1, "it is nested more than 100 deep");
    let log = std::fs::read_to_string(crate::dialects::dialect("reportlog.jsonl")).unwrap();
    let whole = report(&log);
    let closed = format!("{{\"a\": {deep}{}}}", "]".repeat(100_000));
    let damaged = report(format!("{log}{closed}\n"));
    assert_eq!(damaged.counts.passed, whole.counts.passed);
    assert!(damaged.unfinished[0].contains("1 line cannot be read"), "{:?}", damaged.unfinished);
}

#[test]
fn a_line_of_a_log_that_is_too_long_costs_only_itself() {
    let log = std::fs::read_to_string(crate::dialects::dialect("reportlog.jsonl")).unwrap();
    let whole = report(&log);
    let long = format!("{{\"a\": [{}0]}}", "0,".repeat(9 << 20));
    let damaged = report(format!("{long}\n{log}").replacen(
        &long,
        &format!("{{\"$report_type\": \"x\"}}\n{long}"),
        1,
    ));
    assert_eq!(damaged.counts.passed, whole.counts.passed);
    let said = &damaged.unfinished[0];
    assert!(said.contains("1 line longer than 16 MiB"), "{said}");
}

#[test]
fn of_a_log_without_teardowns_the_oldest_tests_are_told_as_they_are() {
    let line = |number: usize| {
        format!(
            "{{\"$report_type\": \"TestReport\", \"nodeid\": \"a.py::t{number}\", \"when\": \"call\", \"outcome\": \"failed\"}}\n"
        )
    };
    let lines: String = (0..5000).map(line).collect();
    let summary = report(format!("{lines}{{\"$report_type\": \"SessionFinish\"}}\n"));
    assert_eq!((summary.tests.len(), summary.exit), (5000, ExitCode::Red));
    let why = |index: usize| summary.tests[index].decisive.failures.last().unwrap().message.clone();
    assert_eq!(why(0), "too many tests are open to wait for its teardown");
    assert_eq!(why(4999), "the log ends before its teardown");
}

#[test]
fn a_bad_file_costs_only_itself() {
    let (good, bad) = (scratch(suite("")), scratch("<html>"));
    let summary = summary(&[bad.path.clone(), good.path.clone(), bad.path.clone()]);
    assert_eq!((summary.counts.passed, summary.files), (2, 3));
    assert_eq!((summary.unfinished.len(), summary.exit), (2, ExitCode::Incomplete));
    assert!(good.folder.path().exists());
}

#[test]
fn a_declaration_that_lies_is_told() {
    let text = "<?xml version='1.0' encoding='ISO-8859-1'?>".to_owned();
    let summary = report(text + &suite("<testcase classname='T' name='größe'/>"));
    assert_eq!(summary.tests[2].id.as_str(), "T.größe");
    assert!(summary.incidents[0].ends_with("it is UTF-8, whatever it declares"));
}

#[test]
fn links_in_a_folder_are_not_followed() {
    let (outside, folder) = (scratch(suite("")), tempfile::tempdir().unwrap());
    std::os::unix::fs::symlink(&outside.path, folder.path().join("link.xml")).unwrap();
    std::os::unix::fs::symlink(outside.folder.path(), folder.path().join("loop")).unwrap();
    std::fs::write(folder.path().join("own.xml"), suite("").replace("'T'", "'U'")).unwrap();
    let summary = summary(&[folder.path().to_owned()]);
    assert_eq!((summary.files, summary.counts.passed), (1, 2));
}

#[test]
fn what_an_attachment_names_stays_text() {
    let secret = scratch("the secret");
    let mark = format!("[[ATTACHMENT|{}]] [[ATTACHMENT|../../etc/passwd]]", secret.path.display());
    let case = case(&format!("<failure/><system-out>{mark}</system-out>"));
    assert_eq!(report(case).tests[2].decisive.output.text, mark);
}

#[test]
fn an_element_that_is_left_out_hides_nothing_beside_it() {
    let more = "<größe><a>b</a></größe><größe/><testcase classname='T' name='three'/>";
    let summary = report(suite(more));
    assert_eq!((summary.counts.passed, summary.exit), (3, ExitCode::Green));
    assert!(summary.incidents[0].contains("2 parts beyond the limits or broken, left out"));
}
