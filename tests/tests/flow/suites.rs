//! Suites of several kinds in one run: pytest with pytest-django, unittest, and a command.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use muletrain_proto::verdict::Verdict;
use muletrain_tests::flow::Flow;
use muletrain_tests::journal::{Journal, Verdicts};
use muletrain_tests::oracle;
use muletrain_tests::project;
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

in_both_runtimes!(each_kind_of_suite_beside_the_others);

fn each_kind_of_suite_beside_the_others(runtime: &str) {
    let flow = Flow::sample("suites");
    let ended = flow.run(runtime, &[]).end();
    ended.expect(1);
    let journal = flow.journal().expect("a run leaves its journal");
    assert!(journal.is_closed());
    let verdicts = journal.verdicts();

    let ours = cases(&fs::read_to_string(flow.junit()).unwrap());
    let serial = serially(&flow);
    // What is no test, such as a module that cannot be imported, pytest names in no class.
    let is_test = |class: &str, name: &str| class.starts_with("site.") && !name.ends_with(".py");
    let of_site: Cases =
        ours.into_iter().filter(|((class, name), _)| is_test(class, name)).collect();
    assert_eq!(red_as_one(&of_site), red_as_one(&serial), "reports agree on names and kinds");
    assert_eq!(judged(&verdicts), serial, "and verdicts are those of pytest");
    let kinds: BTreeSet<Kind> = serial.into_values().collect();
    assert_eq!(kinds.len(), 5, "{kinds:?} are not all there are");
    assert_eq!(verdict(&verdicts, "site/pages/test_broken.py"), Verdict::Error);
    assert_eq!(verdict(&verdicts, "site/pages/test_later.py"), Verdict::Skipped);

    let rules = |name: &str| verdict(&verdicts, &format!("checks.test_rules.RulesTest.{name}"));
    assert_eq!((rules("test_rules"), rules("test_broken")), (Verdict::Passed, Verdict::Failed));

    let frontend: Vec<(&str, Verdict)> = verdicts
        .iter()
        .filter_map(|(id, verdict)| Some((id.strip_prefix("frontend::")?, *verdict)))
        .collect();
    let wanted = [
        ("cart", Verdict::Passed),
        ("cart::cart::opens", Verdict::Passed),
        ("menu", Verdict::Failed),
        ("menu::menu::closes", Verdict::Failed),
        ("menu::menu::opens", Verdict::Passed),
    ];
    assert_eq!(frontend, wanted);
    if runtime == "process" {
        are_selected(&flow);
    }
}

/// By their names, by what pytest calls a test, and by tags, which marks of pytest are.
fn are_selected(flow: &Flow) {
    let selected = |arguments: &[&str], code: i32| {
        flow.run("process", arguments).end().expect(code);
        let journal: Journal = flow.journal().expect("a run leaves its journal");
        journal.verdicts().into_keys().collect::<Vec<_>>()
    };
    assert_eq!(selected(&["tools"], 1).len(), 2);
    let id = "site/shop/tests/test_products.py::test_paths[/tea/1.5?x=a::b]";
    assert_eq!(selected(&[id], 0), [id]);
    assert_eq!(selected(&["shop", "--tag", "slow"], 0).len(), 1);
    let job = "frontend::cart";
    assert_eq!(selected(&[job, "tools", "-k", "cart"], 0), [job, "frontend::cart::cart::opens"]);
}

fn verdict(verdicts: &Verdicts, id: &str) -> Verdict {
    *verdicts.get(id).unwrap_or_else(|| panic!("nothing is known of {id}: {verdicts:?}"))
}

/// How a case ended, by its class name and its name.
type Cases = BTreeMap<(String, String), Kind>;

/// What a JUnit report says of a case, the strongest last: one may be there more than once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Passed,
    Skipped,
    ExpectedFailure,
    Failure,
    Error,
}

impl Kind {
    /// What passes where it must not is a failure to pytest, whose report has no word for it.
    fn of_verdict(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Passed => Self::Passed,
            Verdict::Skipped => Self::Skipped,
            Verdict::ExpectedFailure => Self::ExpectedFailure,
            Verdict::Failed | Verdict::UnexpectedSuccess => Self::Failure,
            Verdict::Error => Self::Error,
            other => panic!("pytest has nothing like {other}"),
        }
    }

    /// Of an element of a case; none for what says nothing of its end.
    fn of(element: &BytesStart<'_>) -> Option<Self> {
        match element.name().as_ref() {
            "failure" => Some(Self::Failure),
            "error" => Some(Self::Error),
            "skipped" => match attribute(element, "type").as_deref() {
                // Of a module that is skipped as it is collected, pytest names none.
                Some("pytest.skip" | "muletrain.Skipped") | None => Some(Self::Skipped),
                Some("pytest.xfail" | "muletrain.ExpectedFailure") => Some(Self::ExpectedFailure),
                Some(other) => panic!("a case is skipped as {other}"),
            },
            _ => None,
        }
    }
}

/// In a report of ours, what a test raises is an error if it is no assertion; in pytest's it is an
/// error only outside of the test itself, as it is for our verdicts.
fn red_as_one(cases: &Cases) -> Cases {
    let kind = |kind: Kind| if kind == Kind::Error { Kind::Failure } else { kind };
    cases.iter().map(|(key, one)| (key.clone(), kind(*one))).collect()
}

/// Verdicts on the tests of the site, by the names that pytest has for them in its report.
fn judged(verdicts: &Verdicts) -> Cases {
    let of_test = |(id, verdict): (&String, &Verdict)| {
        let (path, inside) =
            id.split_once(".py::").filter(|(path, _)| path.starts_with("site/"))?;
        let (names, parameters) = inside.split_at(inside.find('[').unwrap_or(inside.len()));
        let (class, name) = names.rsplit_once("::").unwrap_or(("", names));
        let class = [path, class].join("/").replace("::", "/").replace('/', ".");
        let key = (class.trim_end_matches('.').to_owned(), format!("{name}{parameters}"));
        Some((key, Kind::of_verdict(*verdict)))
    };
    verdicts.iter().filter_map(of_test).collect()
}

/// What one run of pytest itself says of the site.
fn serially(flow: &Flow) -> Cases {
    let report = flow.path("serial.xml");
    let python = oracle::virtual_environment("suites").join("bin/python");
    let mut command = Command::new(python);
    command
        .args([
            "-m",
            "pytest",
            "--continue-on-collection-errors",
            "-p",
            "no:cacheprovider",
            "--rootdir",
        ])
        .arg(&flow.project);
    command.arg("-c").arg(flow.project.join("site/pytest.ini"));
    command.arg(format!("--junitxml={}", report.display()));
    let status = command.current_dir(flow.project.join("site")).output().unwrap().status;
    assert_eq!(status.code(), Some(1), "some tests of the site are red");
    let cases = cases(&fs::read_to_string(report).unwrap());
    cases.into_iter().filter(|((class, _), _)| !class.is_empty()).collect()
}

/// Cases of a report; pytest writes one with an error in its set-up and its tear-down twice.
fn cases(xml: &str) -> Cases {
    let mut reader = Reader::from_str(xml);
    let (mut cases, mut current) = (Cases::new(), None);
    loop {
        match reader.read_event().unwrap() {
            Event::Eof => return cases,
            Event::Empty(element) if element.name().as_ref() == "testcase" => {
                cases.entry(key(&element)).or_insert(Kind::Passed);
            }
            Event::Start(element) if element.name().as_ref() == "testcase" => {
                let key = key(&element);
                cases.entry(key.clone()).or_insert(Kind::Passed);
                current = Some(key);
            }
            Event::Start(element) | Event::Empty(element) => {
                let case = current.as_ref().and_then(|key| cases.get_mut(key));
                if let (Some(case), Some(kind)) = (case, Kind::of(&element)) {
                    *case = kind.max(*case);
                }
            }
            _ => {}
        }
    }
}

fn key(element: &BytesStart<'_>) -> (String, String) {
    let of_case = |name: &str| attribute(element, name).expect("a case has names");
    (of_case("classname"), of_case("name"))
}

fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let value = element.try_get_attribute(name).unwrap()?;
    Some(value.normalized_value(XmlVersion::Implicit1_0).unwrap().into_owned())
}

#[test]
fn a_project_with_pytest_needs_no_configuration() {
    let flow = Flow::small(&[
        ("muletrain.toml", ""),
        ("requirements.txt", "pytest==9.2.0\n"),
        ("pytest.ini", "[pytest]\n"),
        ("tests/unit/test_cart.py", "def test_adds():\n    assert 1 + 1 == 2\n"),
    ]);
    fs::remove_file(flow.project.join("manage.py")).unwrap();
    project::commit(&flow.project, "no site");
    let ended = flow.run("process", &["tests/unit/test_cart.py::test_adds"]).end();
    ended.expect(0);
    let verdicts = flow.journal().unwrap().verdicts();
    assert_eq!(verdicts.into_keys().collect::<Vec<_>>(), ["tests/unit/test_cart.py::test_adds"]);
    assert!(Path::new(&flow.junit()).exists());
}
