//! Suites of projects as lists of paths.

use super::*;

fn composed(configuration: &str, files: &[(&str, &str)]) -> Result<Suites, Missing> {
    let config = config::parse(configuration, "muletrain.toml").unwrap();
    let paths: Vec<&str> = files.iter().map(|(path, _)| *path).collect();
    let texts = files.iter().filter(|(path, _)| speaks(path));
    let texts = texts.map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
    check(&config, &paths)?;
    compose(&config, &paths, &texts)
}

/// Suites and apps, one a line.
fn shown(configuration: &str, files: &[(&str, &str)]) -> String {
    let Suites { suites, apps, notes } = composed(configuration, files).unwrap();
    let suites = suites.iter().map(|suite| {
        let adapter = serde_json::to_string(&suite.adapter).unwrap();
        format!("{} {:?} {adapter} {}{}", suite.name, suite.path, suite.other, suite.prefix)
    });
    let apps = apps
        .iter()
        .map(|app| format!("{} [{}] {:?} of {}", app.label, app.module, app.path, app.suite));
    suites.chain(apps).chain(notes).collect::<Vec<_>>().join("\n")
}

const SITE: [(&str, &str); 4] = [
    ("site/manage.py", ""),
    ("site/shop/__init__.py", ""),
    ("site/shop/apps.py", ""),
    ("site/shop/tests.py", ""),
];

#[test]
fn a_project_without_suites_in_its_configuration_has_the_one_its_files_show() {
    insta::assert_snapshot!(shown("", &SITE), @r#"
    django "" {"kind":"django","manage":"site/manage.py","settings":null} (other)
    shop [shop] "site/shop" of django
    took site/manage.py, the only manage.py
    "#);
    let pytest = [("pytest.ini", ""), ("tests/unit/test_a.py", ""), ("test_b.py", "")];
    insta::assert_snapshot!(shown("", &pytest), @r#"
    pytest "" {"kind":"pytest","settings":null,"arguments":[],"django":false} (other)
    unit [tests.unit] "tests/unit" of pytest
    (other) [] "" of pytest
    tests are run with pytest: pytest.ini configures pytest
    "#);
    let plain = [("tests/test_a.py", ""), ("requirements.txt", "requests")];
    insta::assert_snapshot!(shown("", &plain), @r#"
    unittest "" {"kind":"unittest","arguments":["-s","tests"]} (other)
    (other) [] "" of unittest
    tests are run with unittest: there is neither a manage.py nor a sign of pytest
    "#);
}

#[test]
fn suites_are_as_configured_and_what_is_not_said_is_detected() {
    let configuration = r#"
        [project]
        settings = "config.settings"
        [[suite]]
        name = "site"
        kind = "django"
        [[suite]]
        name = "tools"
        path = "tools/"
        arguments = ["--strict-markers"]
        kind = "pytest"
        env = { MODE = "test" }
        [[suite]]
        name = "frontend"
        command = "npx jest $TEST"
        list = "ls src"
        junit = "junit.xml"
    "#;
    let files = [SITE.as_slice(), &[("tools/lint/test_rules.py", "")]].concat();
    insta::assert_snapshot!(shown(configuration, &files));
}

#[test]
fn apps_and_tests_of_the_same_name_are_told_apart_by_their_suites() {
    let configuration = r#"
        [[suite]]
        name = "sqlite"
        kind = "django"
        [[suite]]
        name = "postgres"
        kind = "django"
        env = { DATABASE = "postgres" }
        [[suite]]
        name = "shop"
        command = "make test"
    "#;
    insta::assert_snapshot!(shown(configuration, &SITE));
}

#[test]
fn what_cannot_be_run_is_said_before_anything_is_read() {
    let missing =
        |configuration: &str, files: &[(&str, &str)]| composed(configuration, files).unwrap_err();
    assert_eq!(missing("", &[("README", "")]), Missing::Manage);
    let site = [("shop/tests.py", ""), ("requirements.txt", "Django==5.2")];
    assert_eq!(missing("", &site), Missing::Manage, "a site without its manage.py");
    let two = [("a/manage.py", ""), ("b/manage.py", ""), ("a/tests.py", "")];
    let found = vec!["a/manage.py".to_owned(), "b/manage.py".to_owned()];
    assert_eq!(missing("", &two), Missing::SeveralManage(found));
    assert_eq!(
        missing("[[suite]]\nname = 'a'\nkind = 'pytest'\npath = 'nowhere'", &two),
        Missing::Folder { suite: "a".to_owned(), path: "nowhere".to_owned() }
    );
    assert_eq!(
        missing("[[suite]]\nname = 'a'\nkind = 'django'\nmanage = 'c/manage.py'", &two),
        Missing::NamedManage("c/manage.py".to_owned())
    );
}

#[test]
fn python_tests_that_no_suite_names_are_noticed() {
    let configuration = "[[suite]]\nname = 'frontend'\ncommand = 'npx jest'\n";
    let notes = composed(configuration, &SITE).unwrap().notes;
    assert_eq!(
        notes,
        ["the tests of site/manage.py do not run: no [[suite]] of the kind django names them"]
    );
}
