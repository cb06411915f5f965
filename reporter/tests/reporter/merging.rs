//! Merging JUnit XML: nothing is lost, counts are exact, and in whatever steps it is done, it comes
//! to the same.

use std::path::{Path, PathBuf};

use muletrain_reporter::merge::{Run, documents};
use muletrain_reporter::pure::finish::Detail;
use muletrain_reporter::pure::junit::profile::Profile;
use muletrain_reporter::pure::junit::{Element, Part};
use muletrain_reporter::read::input::Input;
use muletrain_reporter::render::junit::document::Layout;
use muletrain_reporter::results;
use proptest::prelude::*;

use crate::damage::scratch;
use crate::dialects::{XML, corpus, dialect, read, summary};
use crate::render::assert_well_formed;
use crate::site;

/// Merges files into one.
fn merge(paths: &[&Path], layout: Layout) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("merged.xml");
    let inputs: Vec<Input> = paths.iter().map(|path| Input::open(path).unwrap()).collect();
    documents(&path, layout, &[], &inputs).unwrap();
    (folder, path)
}

fn merged(paths: &[&Path], layout: Layout) -> String {
    let (_folder, path) = merge(paths, layout);
    std::fs::read_to_string(path).unwrap()
}

/// Everything but what is made anew: empty files, and roots.
fn content(path: &Path) -> Vec<Part> {
    read(path).0.into_iter().filter(|part| !matches!(part, Part::Root(_))).collect()
}

#[test]
fn nothing_is_lost() {
    let paths = XML.map(dialect);
    let paths: Vec<&Path> = paths.iter().map(PathBuf::as_path).collect();
    let (_folder, path) = merge(&paths, Layout::default());
    let parts: Vec<Part> = paths.iter().flat_map(|path| content(path)).collect();
    assert_eq!(content(&path), parts);
    let document = std::fs::read_to_string(&path).unwrap();
    assert_well_formed(&document);
    insta::assert_snapshot!(document);
    let both = [
        summary(&[path]),
        summary(&paths.iter().map(|path| path.to_path_buf()).collect::<Vec<_>>()),
    ];
    assert_eq!(both[0].counts, both[1].counts);
}

#[test]
fn in_steps_it_comes_to_the_same() {
    let damaged = scratch("<testsuite name='x'><testcase name='a'/><testcase name='b'>");
    let names: Vec<PathBuf> = corpus().into_iter().map(dialect).collect();
    let mut all: Vec<&Path> = names.iter().map(PathBuf::as_path).collect();
    all.push(&damaged.path);
    assert_steps_come_to_the_same(&all);
}

/// Texts that are clipped, of control characters that grow when they are written, too.
#[test]
fn in_steps_it_comes_to_the_same_whatever_the_size() {
    let long = |piece: &str| format!("first{}last", piece.repeat((9 << 17) / piece.len()));
    let message = "line\n".repeat((2 << 20) / 5);
    let ctrf = serde_json::json!({"results": {"tool": {"name": "t"}, "tests": [{
        "name": "n", "status": "failed", "message": message, "trace": long("\u{1b}[0m\n"),
        "stdout": vec!["x".repeat(80); 14_000], "stderr": ["\u{0}\r\n".repeat(230_000)],
        "retryAttempts": vec![serde_json::json!({"status": "failed", "trace": "t"}); 6000],
    }]}});
    let line = |when: &str| {
        serde_json::json!({
            "$report_type": "TestReport", "nodeid": "a.py::b", "when": when, "outcome": "failed",
            "longrepr": long("Error: é\n"), "sections": [["Captured stdout call", long("out\u{1}")]],
            "user_properties": [["p", long("property ")]],
        })
    };
    let log: Vec<String> = ["setup", "call", "teardown"].map(|when| line(when).to_string()).into();
    let log = log.join("\n") + "\n{\"$report_type\": \"SessionFinish\"}\n";
    let files = [scratch(ctrf.to_string()), scratch(log), scratch("<testsuite name='x'/>")];
    let all = files.each_ref().map(|file| file.path.as_path());
    assert_steps_come_to_the_same(&all);
    for path in &all[..2] {
        let (parts, reading) = read(path);
        assert_eq!(reading.damage, None);
        let cases = parts.iter().filter(|part| matches!(part, Part::Case(_)));
        assert_eq!(cases.count(), 1);
    }
    let notes = read(all[0]).1.notes;
    assert!(notes[0].ends_with("parts beyond the limits, left out"), "{notes:?}");
}

fn assert_steps_come_to_the_same(all: &[&Path]) {
    for cut in 1..all.len() {
        let (_folder, first) = merge(&all[..cut], Layout::default());
        let rest = std::iter::once(first.as_path()).chain(all[cut..].iter().copied());
        let stepwise = merged(&rest.collect::<Vec<_>>(), Layout::default());
        assert_eq!(stepwise, merged(all, Layout::default()), "in two steps at {cut}");
    }
}

#[test]
fn jenkins_gets_what_its_schema_allows() {
    let damaged = scratch("<testsuite><testcase><flakyFailure>x<stackTrace/></flakyFailure>");
    let names = XML.map(dialect);
    let mut all: Vec<&Path> = names.iter().map(PathBuf::as_path).collect();
    all.push(&damaged.path);
    let layout = Layout { profile: Profile::JenkinsXsd, split: None };
    let (_folder, path) = merge(&all, layout);
    assert_allowed_on_jenkins(&path);
}

/// The document of a run: of one that is held, of one that is stored, and in parts.
#[test]
fn jenkins_gets_what_its_schema_allows_of_a_run() {
    let journal = site::journal();
    let summary = journal.summary();
    let stored = scratch(journal.text());
    let results =
        results::read_in(Detail::Brief { printing: false }, std::slice::from_ref(&stored.path));
    for split in [None, Some(4)] {
        let layout = Layout { profile: Profile::JenkinsXsd, split };
        for run in [Run::Whole(&summary), results.reports[0].run().unwrap()] {
            let folder = tempfile::tempdir().unwrap();
            documents(&folder.path().join("run.xml"), layout, &[run], &[]).unwrap();
            let paths =
                std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
            let paths: Vec<PathBuf> = paths.collect();
            assert_eq!(paths.len() > 1, split.is_some());
            paths.iter().for_each(|path| assert_allowed_on_jenkins(path));
        }
    }
}

fn assert_allowed_on_jenkins(path: &Path) {
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/junit-10.xsd");
    let output = std::process::Command::new("xmllint")
        .args(["--noout", "--nonet", "--schema"])
        .args([&schema, path])
        .output()
        .expect("needs xmllint: install libxml2-utils");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{}", std::fs::read_to_string(path).unwrap());
}

#[test]
fn what_a_document_has_no_place_for_is_told() {
    let file = |root: &str| {
        let case = "<testcase name='t' x:trace='1' xsi:type='2'/>";
        scratch(format!(
            "<testsuites kind='unit' {root}><testsuite name='s'>{case}</testsuite></testsuites>"
        ))
    };
    let files = [file("name='a' run='1'"), file("name='b'"), file("name='a' run='1'")];
    let inputs = files.each_ref().map(|file| Input::open(&file.path).unwrap());
    let folder = tempfile::tempdir().unwrap();
    for profile in [Profile::Full, Profile::Gitlab] {
        let path = folder.path().join("merged.xml");
        let layout = Layout { profile, split: None };
        let readings = documents(&path, layout, &[], &inputs).unwrap();
        let notes: Vec<&str> = readings.iter().map(|one| one.notes[1].as_str()).collect();
        assert_eq!(notes[0], "name, run of its root left out, since other files differ");
        assert_eq!(notes[1], "name of its root left out, since other files differ");
        assert_eq!(readings[0].notes[0], "1 attribute of other namespaces, left out");
        assert!(std::fs::read_to_string(&path).unwrap().contains("<testsuites kind=\"unit\" "));
    }
    let alone = documents(&folder.path().join("one.xml"), Layout::default(), &[], &inputs[..1]);
    assert_eq!(alone.unwrap()[0].notes.len(), 1);
}

#[test]
fn gitlab_gets_every_name_once() {
    let paths = [dialect("nested.xml"), dialect("nested.xml")];
    let layout = Layout { profile: Profile::Gitlab, split: None };
    let text = merged(&paths.each_ref().map(PathBuf::as_path), layout);
    for name in ["name=\"top\"", "name=\"top #2\"", "name=\"top #4\"", "name=\"adds tax #2\""] {
        assert_eq!(text.matches(name).count(), 1, "{name}");
    }
}

#[test]
fn a_document_of_gitlab_merged_with_itself_has_every_name_once() {
    let layout = Layout { profile: Profile::Gitlab, split: None };
    let nested = dialect("nested.xml");
    let (_folder, once) = merge(&[&nested, &nested], layout);
    let (_folder, twice) = merge(&[&once, &once], layout);
    let names: Vec<(Option<String>, Option<String>)> = content(&twice)
        .into_iter()
        .filter_map(|part| match part {
            Part::Case(case) => {
                Some(["classname", "name"].map(|name| case.get(name).map(str::to_owned)).into())
            }
            _ => None,
        })
        .collect();
    let unique: std::collections::BTreeSet<_> = names.iter().collect();
    assert_eq!((unique.len(), names.len()), (names.len(), 4 * cases(&nested)));
    assert_eq!(summary(&[twice]).counts.tests() as usize, names.len());
}

fn cases(path: &Path) -> usize {
    content(path).iter().filter(|part| matches!(part, Part::Case(_))).count()
}

#[test]
fn parts_have_at_most_so_many_cases_and_stale_ones_are_gone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("junit.xml");
    let inputs = [
        Input::open(&dialect("pytest.xml")).unwrap(),
        Input::open(&dialect("nested.xml")).unwrap(),
    ];
    let parts = || {
        let entries = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
        let mut paths: Vec<PathBuf> = entries.collect();
        paths.sort();
        paths
            .iter()
            .map(|path| summary(std::slice::from_ref(path)).counts.tests())
            .collect::<Vec<u32>>()
    };
    documents(&path, Layout { split: Some(3), ..Layout::default() }, &[], &inputs).unwrap();
    assert_eq!(parts(), [3, 3, 3, 1]);
    documents(&path, Layout { split: Some(6), ..Layout::default() }, &[], &inputs).unwrap();
    assert_eq!(parts(), [6, 4]);
}

#[test]
fn a_document_is_packed_where_its_name_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("merged.xml.gz");
    documents(&path, Layout::default(), &[], &[Input::open(&dialect("pytest.xml")).unwrap()])
        .unwrap();
    assert_eq!(std::fs::read(&path).unwrap()[..2], [0x1f, 0x8b]);
    assert_eq!(content(&path), content(&dialect("pytest.xml")));
}

/// Text that XML can hold, with all that it has to escape, and not just white space.
fn text() -> impl Strategy<Value = String> {
    "[ -~\\t\\n\\r\u{80}-\u{d7ff}\u{e000}-\u{fffd}]{0,20}[!-~]"
}

fn name() -> impl Strategy<Value = String> {
    "[a-z][a-z.-]{0,6}".prop_filter("counts are made anew", |name| {
        !["tests", "failures", "errors", "skipped", "skips", "skip", "time", "xml"]
            .contains(&name.as_str())
    })
}

fn element(names: impl Strategy<Value = String> + 'static) -> impl Strategy<Value = Element> {
    let attributes = || proptest::collection::btree_map(name(), text(), 0..4);
    let leaf = (names, attributes(), prop_oneof![Just(String::new()), text()]).prop_map(
        |(name, attributes, text)| Element {
            name,
            attributes: attributes.into_iter().collect(),
            text,
            children: Vec::new(),
        },
    );
    leaf.prop_recursive(3, 12, 4, |inner| {
        (inner.clone(), proptest::collection::vec(inner, 0..4))
            .prop_map(|(element, children)| Element { children, ..element })
    })
}

fn document() -> impl Strategy<Value = Vec<Part>> {
    let words = ["properties", "system-out", "failure", "error", "flakyFailure", "odd"];
    let inner = || proptest::sample::select(words.to_vec()).prop_map(str::to_owned);
    let case =
        (element(Just("testcase".to_owned())), proptest::collection::vec(element(inner()), 0..3))
            .prop_map(|(case, children)| {
                Part::Case(Element {
                    name: "testcase".to_owned(),
                    text: String::new(),
                    children,
                    ..case
                })
            });
    let part = prop_oneof![3 => case, 1 => element(inner()).prop_map(Part::Aside)];
    let suite = (element(Just("testsuite".to_owned())), proptest::collection::vec(part, 0..6))
        .prop_map(|(suite, inner)| {
            let open = Element {
                name: "testsuite".to_owned(),
                text: String::new(),
                children: Vec::new(),
                ..suite
            };
            let mut parts = vec![Part::Open(open)];
            parts.extend(inner);
            parts.push(Part::Close);
            parts
        });
    proptest::collection::vec(suite, 1..4).prop_map(|suites| suites.concat())
}

/// Writes parts as a document and gives back its path.
fn write(parts: &[Part]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("document.xml");
    let text = muletrain_reporter::render::junit::of_parts(parts);
    std::fs::write(&path, text).unwrap();
    (folder, path)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read_again(parts in document()) {
        let (_folder, path) = write(&parts);
        prop_assert_eq!(content(&path), parts);
    }

    #[test]
    fn merging_is_associative(documents in proptest::collection::vec(document(), 3)) {
        let files: Vec<(tempfile::TempDir, PathBuf)> = documents.iter().map(|parts| write(parts)).collect();
        let [a, b, c] = [0, 1, 2].map(|index: usize| files[index].1.as_path());
        let (_folder, both) = merge(&[a, b], Layout::default());
        prop_assert_eq!(merged(&[&both, c], Layout::default()), merged(&[a, b, c], Layout::default()));
    }
}
