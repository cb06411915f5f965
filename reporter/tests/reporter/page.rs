//! The page: one file that allows itself nothing else, shows what failed without scripts, and takes
//! whatever comes from outside for text. `tests/browser` opens it in a browser.

use std::io::Read;
use std::path::Path;
use std::process::{Command, Output};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::read::ZlibDecoder;
use muletrain_reporter::pure::compare::{Noise, compare};
use muletrain_reporter::pure::history::History;
use muletrain_reporter::pure::summary::Summary;
use muletrain_reporter::render::html::{Beside, html};
use proptest::prelude::*;
use sha2::{Digest, Sha256};

use crate::damage::scratch;
use crate::dialects::{dialect, summary};
use crate::site;

/// Elements that have no end.
const VOID: [&str; 2] = ["meta", "link"];

fn page(summaries: &[&Summary]) -> String {
    html(summaries, &Beside::default())
}

/// A run, with all that can be told beside it.
fn everything() -> String {
    let run = site::journal().summary();
    let before = summary(&[dialect("surefire.xml")]);
    let mut history = History::default();
    history.take(&before, "before");
    history.take(&run, "now");
    let comparison = compare(&[&before], &[&run], Noise::default());
    let beside = Beside {
        comparison: Some(("before.xml".to_owned(), comparison)),
        history: Some(history.in_order()),
    };
    html(&[&run, &before], &beside)
}

/// What is between the first of a beginning and the next of an end.
fn between<'a>(text: &'a str, begin: &str, end: &str) -> &'a str {
    text.split_once(begin).unwrap().1.split_once(end).unwrap().0
}

/// The parts of a page that are neither style nor script nor data.
fn bare(page: &str) -> String {
    let mut rest = page;
    let mut kept = String::new();
    while let Some(at) = ["<script", "<style"].iter().filter_map(|tag| rest.find(tag)).min() {
        kept.push_str(&rest[..at]);
        let end = if rest[at..].starts_with("<style") { "</style>" } else { "</script>" };
        rest = rest[at..].split_once(end).unwrap().1;
    }
    kept + rest
}

/// Names of elements in order, `/` before those that end, and attributes as they are written.
fn tags(bare: &str) -> Vec<(String, String)> {
    let inside = bare.split('<').skip(1).map(|tag| tag.split_once('>').unwrap().0);
    let part = |tag: &str| {
        let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        (name.trim_end_matches('/').to_owned(), attributes.to_owned())
    };
    inside.map(part).collect()
}

#[track_caller]
fn assert_balanced(page: &str) {
    let mut open = Vec::new();
    for (name, attributes) in tags(&bare(page)) {
        let closes_itself = attributes.ends_with('/');
        match name.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop().as_deref(), Some(name)),
            None if name.starts_with('!') || closes_itself || VOID.contains(&&*name) => {}
            None => open.push(name),
        }
    }
    assert_eq!(open, Vec::<String>::new());
}

/// A part of the data that the script reads.
fn unpacked(page: &str, part: &str) -> String {
    let packed = between(page, &format!("id=\"data-{part}\">"), "</script>");
    let mut text = String::new();
    let bytes = STANDARD.decode(packed).unwrap();
    ZlibDecoder::new(&bytes[..]).read_to_string(&mut text).unwrap();
    text
}

#[test]
fn the_same_results_give_the_same_bytes() {
    assert_eq!(everything(), everything());
}

#[test]
fn the_policy_allows_this_script_and_this_style_alone() {
    let page = everything();
    let policy = between(&page, "http-equiv=\"Content-Security-Policy\" content=\"", "\">");
    let policy = policy.replace("&#39;", "'");
    let hash = |text: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)));
    let style = between(&page, "<style>", "</style>");
    let script = between(&page, "<script>", "</script>");
    assert!(policy.contains(&format!("script-src {};", hash(script))), "{policy}");
    assert!(policy.contains(&format!("style-src {};", hash(style))), "{policy}");
    assert!(policy.starts_with("default-src 'none'; "), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    // One script that runs; all others are data, which browsers never run.
    assert_eq!(page.matches("<script>").count(), 1);
    let data = page.matches("<script type=\"text/plain\" id=\"data-").count();
    assert_eq!(page.matches("<script").count(), 1 + data);
    assert_eq!(page.matches("<style").count(), 1);
}

#[test]
fn nothing_is_asked_of_a_network() {
    let page = everything();
    for (name, attributes) in tags(&bare(&page)) {
        assert!(!["img", "iframe", "object", "embed", "form", "base"].contains(&&*name), "{name}");
        for (word, rest) in attributes.split(' ').filter_map(|one| one.split_once('=')) {
            assert!(!word.starts_with("on") && word != "style" && word != "src", "{attributes}");
            let inside = rest.starts_with("\"#") || rest.starts_with("\"data:");
            assert!(word != "href" || inside, "{attributes}");
        }
    }
    let script = between(&page, "<script>", "</script>");
    for word in ["fetch(", "XMLHttpRequest", "WebSocket", "import(", "innerHTML", "eval("] {
        assert!(!script.contains(word), "{word}");
    }
}

#[test]
fn without_scripts_everything_that_failed_is_told() {
    let run = site::journal().summary();
    let bare = bare(&page(&[&run]));
    let red = run.tests.iter().filter(|test| test.outcome.verdict.is_red());
    for test in red {
        assert!(bare.contains(test.id.as_str()), "{}", test.id);
        for failure in &test.decisive.failures {
            let lines = failure.traceback.lines().map(|line| line.replace('"', "&quot;"));
            for line in lines {
                let line = line.replace('<', "&lt;").replace('>', "&gt;").replace('\'', "&#39;");
                assert!(bare.contains(line.trim()), "{line}");
            }
        }
    }
    for problem in &run.problems {
        assert!(bare.contains(&problem.id), "{}", problem.id);
    }
    assert!(bare.contains("no space left"), "trouble along the way");
}

#[test]
fn the_page_reads_like_this_without_scripts() {
    let page = everything();
    let main = between(&page, "<main", "</main>");
    let text: Vec<&str> = main
        .split('<')
        .filter_map(|tag| Some(tag.split_once('>')?.1.trim()))
        .filter(|text| !text.is_empty())
        .collect();
    insta::assert_snapshot!(text.join("\n"));
}

#[test]
fn every_test_is_in_the_data() {
    let run = site::journal().summary();
    let page = page(&[&run]);
    let names = unpacked(&page, "names");
    let names: Vec<&str> = names.split_terminator('\0').collect();
    assert_eq!(names.len(), run.tests.len());
    for (name, test) in names.iter().zip(&run.tests) {
        assert_eq!(format!("{}.{name}", run.class(test).id), test.id.as_str());
    }
    let meta: serde_json::Value = serde_json::from_str(&unpacked(&page, "meta")).unwrap();
    assert_eq!(meta["runs"][0]["tests"], run.tests.len());
    assert_eq!(meta["leases"].as_array().unwrap().len(), run.leases.len());
    let tries = unpacked(&page, "piece-0");
    assert!(tries.contains("segmentation fault"));
}

#[test]
fn much_that_failed_is_bounded_and_what_is_left_out_is_told() {
    let cases: String = (0..4000)
        .map(|number| {
            let trace = format!("File \"/a/m{number}.py\", line 1, in f\n").repeat(40);
            let trace = trace.replace('"', "&quot;");
            format!("<testcase name='t{number}'><failure message='no'>{trace}</failure></testcase>")
        })
        .collect();
    let many = scratch(format!("<testsuite name='s'>{cases}</testsuite>"));
    let page = page(&[&summary(std::slice::from_ref(&many.path))]);
    let bare = bare(&page);
    assert!(bare.len() < 600 << 10, "{}", bare.len());
    assert!(bare.contains("4000 red tests of 4000 causes"));
    let shown = bare.matches("class=\"cause\"").count();
    assert!(bare.contains(&format!("and {} causes more; ", 4000 - shown)), "{shown} are shown");
    assert_balanced(&page);
}

#[test]
fn nothing_but_text_gets_in() {
    let hostile = crate::hostile::journal().summary();
    let before = tags(&bare(&page(&[&site::journal().summary()])));
    let names: Vec<&String> = before.iter().map(|(name, _)| name).collect();
    let page = page(&[&hostile]);
    assert_balanced(&page);
    for (name, _) in tags(&bare(&page)) {
        assert!(names.contains(&&name), "{name}");
    }
    assert!(!bare(&page).chars().any(|one| one.is_control() && one != '\n'));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn names_of_any_kind_break_nothing(name in "[<>&\"'/a-z=!\\-\\[\\]{}#%é\u{202e} ]{1,60}") {
        let safe: String = name.chars().map(|one| format!("&#{};", u32::from(one))).collect();
        let case = format!(
            "<testsuite name='{safe}' hostname='{safe}'><testcase classname='{safe}' name='{safe}' \
             file='{safe}' time='1'><failure type='{safe}' message='{safe}'>{safe}</failure>\
             <system-out>{safe}</system-out></testcase></testsuite>"
        );
        let file = scratch(case);
        let page = page(&[&summary(std::slice::from_ref(&file.path))]);
        assert_balanced(&page);
        let known = ["img", "iframe", "b", "form", "a", "svg", "use", "p", "li"];
        let strange = tags(&bare(&page)).into_iter().filter(|(name, _)| known.contains(&&**name));
        for (_, attributes) in strange {
            prop_assert!(!attributes.contains("onerror"));
        }
    }
}

fn report(arguments: &[&str], folder: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_muletrain-reporter"));
    command.arg("report").args(arguments).current_dir(folder).output().unwrap()
}

#[test]
fn the_page_is_written_where_it_was_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = dialect("pytest.xml");
    let path = path.to_str().unwrap();
    let output = report(&[path, "--html", "deep/page.html"], folder.path());
    assert_eq!(output.status.code(), Some(1));
    let page = std::fs::read_to_string(folder.path().join("deep/page.html")).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>\n<html lang=\"en\">"));
    assert!(page.contains("<title>RED · 1 result file</title>"));
}

#[test]
fn what_cannot_be_read_of_the_past_costs_only_itself() {
    let folder = tempfile::tempdir().unwrap();
    let path = dialect("pytest.xml");
    let path = path.to_str().unwrap();
    let flags = ["--html", "page.html", "--html-against", "gone.xml", "--html-history", path];
    let output = report(&[&[path], &flags[..]].concat(), folder.path());
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(errors.contains("failed to read gone.xml"), "{errors}");
    assert_eq!(output.status.code(), Some(1), "red is stronger");
    let page = std::fs::read_to_string(folder.path().join("page.html")).unwrap();
    assert!(page.contains("id=\"history\"") && !page.contains("id=\"compare\""));
    let output = report(&[path, "--html-against", path], folder.path());
    assert_eq!(output.status.code(), Some(2), "there is no page to tell it in");
}
