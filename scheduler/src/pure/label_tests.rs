//! What labels mean.

use muletrain_proto::id::{ClassId, SuiteName};

use super::*;

fn project() -> Snapshot {
    let suite = |name: &str, adapter| Suite::new(SuiteName::new(name).unwrap(), adapter);
    let pytest = Adapter::Pytest { settings: None, arguments: vec![], django: false };
    let command = Adapter::Command { command: "run".to_owned(), list: None, junit: vec![] };
    let suites = vec![
        suite("django", Adapter::Django { manage: None, settings: None }),
        suite("tools", pytest),
        suite("frontend", command),
    ];
    serde_json::from_value(serde_json::json!({
        "version": 3,
        "id": "s",
        "name": "site",
        "content": {"runtime": "process", "root": "/site"},
        "python": "python3",
        "suites": suites,
        "apps": apps(),
    }))
    .unwrap()
}

fn apps() -> Vec<App> {
    let app = |label: &str, module: &str, files: &[&str]| App {
        label: AppLabel::new(label).unwrap(),
        module: module.to_owned(),
        path: module.replace('.', "/"),
        test_files: files.iter().map(|file| (*file).to_owned()).collect(),
        suite: SuiteName::default(),
    };
    vec![
        app("catalog", "shop.catalog", &["shop/catalog/tests/test_models.py"]),
        app("blog", "blog", &["blog/tests.py"]),
        app("(other)", "", &["integration/test_flow.py"]),
        App {
            suite: SuiteName::new("tools").unwrap(),
            ..app("lint", "tools.lint", &["tools/lint/test_rules.py"])
        },
        App { suite: SuiteName::new("frontend").unwrap(), ..app("frontend", "frontend", &[]) },
    ]
}

fn class(app: &str, id: &str) -> Class {
    Class {
        id: ClassId::new(id).unwrap(),
        app: AppLabel::new(app).unwrap(),
        module: id.rsplit_once('.').unwrap().0.to_owned(),
        file: String::new(),
        line: None,
        phase: 0,
        whole_module: false,
        tags: vec![],
        databases: vec![],
        bases: vec![],
        tests: vec![],
    }
}

fn resolve_labels(labels: &[&str]) -> Result<Vec<Target>, Unknown> {
    let labels = labels.iter().map(|label| (*label).to_owned()).collect();
    resolve(&Options { labels, ..Options::default() }, &project())
}

fn resolved(label: &str) -> Target {
    let targets = resolve_labels(&[label]).unwrap();
    assert_eq!(targets.len(), 1, "{targets:?}");
    targets[0].clone()
}

fn dotted(label: &str) -> Result<String, Unknown> {
    resolve_labels(&[label]).map(|targets| targets[0].dotted.clone())
}

#[test]
fn apps_go_by_label_package_or_path() {
    for label in ["catalog", "shop.catalog", "shop/catalog", "./shop/catalog/"] {
        let target = resolved(label);
        assert_eq!(target.dotted, "shop.catalog", "{label}");
        assert_eq!(target.app, Some(AppLabel::new("catalog").unwrap()));
    }
}

#[test]
fn modules_classes_methods_and_packages_above_go_to_the_runner() {
    for label in [
        "shop",
        "integration",
        "integration.test_flow.FlowTest.test_order",
        "blog.tests",
        "blog.tests.PostTest",
        "shop.catalog.tests.test_models.ProductTest.test_price",
    ] {
        assert_eq!(dotted(label).unwrap(), label);
    }
    assert_eq!(dotted("integration/test_flow.py").unwrap(), "integration.test_flow");
}

#[test]
fn a_class_may_be_named_by_its_app() {
    for label in ["catalog.ProductTest.test_price", "shop.catalog.ProductTest.test_price"] {
        let target = resolved(label);
        assert_eq!(target.dotted, "shop.catalog");
        let member = target.member.unwrap();
        assert_eq!(
            (member.class.as_str(), member.method.as_deref()),
            ("ProductTest", Some("test_price"))
        );
    }
}

#[test]
fn each_test_that_a_label_names_is_wanted_and_no_other() {
    let wants = |labels: &[&str], app: &str, class: &str, method: &str| {
        let class = self::class(app, class);
        let test = TestId::new(format!("{}.{method}", class.id)).unwrap();
        let targets = resolve_labels(labels).unwrap();
        wants(&targets.iter().collect::<Vec<_>>(), &class, &test)
    };
    let two = ["blog.PostTest.test_a", "blog.PostTest.test_b"];
    assert!(wants(&two, "blog", "blog.tests.PostTest", "test_a"));
    assert!(wants(&two, "blog", "blog.tests.PostTest", "test_b"));
    assert!(!wants(&two, "blog", "blog.tests.PostTest", "test_c"));
    let mixed = ["catalog.ProductTest", "blog.tests.PostTest.test_a"];
    assert!(wants(&mixed, "blog", "blog.tests.PostTest", "test_a"));
    assert!(!wants(&mixed, "blog", "blog.tests.PostTest", "test_b"));
    assert!(!wants(&mixed, "blog", "blog.tests.OtherTest", "test_a"));
    let other = ["(other)"];
    assert!(wants(&other, "(other)", "integration.test_flow.FlowTest", "test_order"));
    assert!(!wants(&other, "blog", "blog.tests.PostTest", "test_a"));
}

#[test]
fn what_pytest_calls_a_test_goes_to_its_suite_as_it_is() {
    let id = "tools/lint/test_rules.py::RulesTest::test_length[80/x.y]";
    assert_eq!((resolved(id).suite.as_str(), resolved(id).dotted.as_str()), ("tools", id));
    assert_eq!(resolved("tools/lint/test_rules.py").dotted, "tools/lint/test_rules.py");
    let app = resolved("lint");
    assert_eq!((app.dotted.as_str(), app.app.unwrap().as_str()), ("tools/lint", "lint"));
    let member = resolved("lint.RulesTest.test_length").member.unwrap();
    let class = Class {
        id: ClassId::new("tools/lint/test_rules.py::RulesTest").unwrap(),
        app: AppLabel::new("lint").unwrap(),
        module: "tools/lint/test_rules.py".to_owned(),
        ..class("lint", "tools.lint.test_rules.RulesTest")
    };
    assert!(member.holds(&class, &TestId::new(id).unwrap()));
    for label in ["tools/lint", "tools.lint.test_rules.RulesTest", id] {
        let target = Target { dotted: label.to_owned(), ..resolved("tools/lint") };
        let target = Target { app: None, ..target };
        assert!(reaches(&target, &class, &TestId::new(id).unwrap()), "{label}");
    }
}

#[test]
fn a_suite_goes_by_its_name_and_its_jobs_by_their_ids() {
    let whole = resolved("tools");
    assert!(whole.is_everything());
    let named = |label: &str| {
        let snapshot = project();
        let apps = named_apps(&[resolved(label)], &snapshot.apps);
        apps.into_iter().map(|app| app.label.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(named("tools"), ["lint"]);
    assert_eq!(resolved("frontend").app.unwrap().as_str(), "frontend");
    assert_eq!(resolved("frontend::src/cart.test.js").dotted, "frontend::src/cart.test.js");
}

#[test]
fn an_unknown_label_names_what_is_like_it() {
    let error = dotted("catalgo").unwrap_err();
    assert_eq!(
        error.to_string(),
        "no app, package or test module is called \"catalgo\"; did you mean catalog?"
    );
    assert!(dotted("zzz").unwrap_err().to_string().contains("muletrain-builder suites"));
}

#[test]
fn globs_name_what_they_match() {
    let targets = |glob: &str| resolve_labels(&[glob]).unwrap();
    let dotted = |glob: &str| {
        let targets = targets(glob).into_iter();
        targets.map(|target| (target.dotted, target.app.is_some())).collect::<Vec<_>>()
    };
    assert_eq!(dotted("shop.*g"), [("shop.catalog".to_owned(), true)], "an app, once");
    assert_eq!(dotted("*.test_flow"), [("integration.test_flow".to_owned(), false)]);
    assert_eq!(
        dotted("*.tests"),
        [("blog.tests".to_owned(), false), ("shop.catalog.tests".to_owned(), false)]
    );

    let classes = targets("*.Post*Test");
    assert!(classes.iter().all(|target| target.dotted.is_empty() && target.glob.is_some()));
    let target = classes.iter().find(|target| target.suite == SuiteName::default()).unwrap();
    let wants = |id: &str| {
        let test = TestId::new(format!("{id}.test_a")).unwrap();
        target.wants(&class("blog", id), &test)
    };
    assert!(wants("blog.tests.PostListTest") && !wants("blog.tests.FeedTest"));
}

/// What is asked for of which suite, by labels of the run and of suites.
fn asked(of_run: &[&str], of_suites: &[(&str, &[&str])]) -> Result<Vec<String>, String> {
    let texts = |labels: &[&str]| labels.iter().map(|label| (*label).to_owned()).collect();
    let of_suites = of_suites.iter().map(|(suite, labels)| {
        let suite = SuiteName::new(*suite).unwrap();
        (suite, texts(labels))
    });
    let options =
        Options { labels: texts(of_run), suite_labels: of_suites.collect(), ..Options::default() };
    let shown = |target: Target| format!("{}: {}", target.suite, target.dotted);
    let targets = resolve(&options, &project()).map_err(|unknown| unknown.to_string())?;
    Ok(targets.into_iter().map(shown).collect())
}

#[test]
fn labels_of_a_suite_narrow_that_suite_and_no_other() {
    let all = ["tools: ", "frontend: ", "django: blog"];
    assert_eq!(asked(&[], &[("django", &["blog"])]).unwrap(), all);
    let of_run = ["tools: tools/lint", "django: blog"];
    assert_eq!(asked(&["lint"], &[("django", &["blog"])]).unwrap(), of_run);
    let every = [("django", &["blog"][..]), ("tools", &[]), ("frontend", &[])];
    let wanted = ["django: blog", "tools: ", "frontend: "];
    assert_eq!(asked(&["nothing"], &every).unwrap(), wanted, "nobody asks for those of the run");
}

#[test]
fn a_label_of_a_suite_that_names_something_in_another_names_nothing() {
    let error = asked(&[], &[("django", &["lint"])]).unwrap_err();
    assert!(error.starts_with("no app, package or test module is called \"lint\""), "{error}");
    assert!(!error.contains("did you mean"), "{error}");
}
