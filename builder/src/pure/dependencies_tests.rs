//! What is made of the files that projects keep their dependencies in.

use proptest::prelude::*;

use super::*;

fn commands(paths: &str) -> String {
    let recipe = recipe(paths.split_whitespace(), &Texts::new());
    recipe.commands.join("\n")
}

fn texts(name: &str, text: &str) -> Texts {
    Texts::from([(name.to_owned(), text.to_owned())])
}

#[test]
fn a_lock_file_goes_before_requirements() {
    assert!(commands("uv.lock pyproject.toml requirements.txt").contains("uv export"));
    assert!(commands("poetry.lock pyproject.toml").contains("poetry install"));
    assert!(commands("Pipfile Pipfile.lock").contains("pipenv sync"));
}

#[test]
fn a_tool_leaves_nothing_of_its_own() {
    insta::assert_snapshot!(commands("Pipfile.lock"), @"tool=$(mktemp -d) && python3 -m venv $tool && $tool/bin/pip install pipenv && $tool/bin/pipenv sync --dev --system && rm -r $tool");
}

#[test]
fn what_tests_need_is_added_to_the_base_set() {
    assert_eq!(commands("requirements.txt"), "pip install -r requirements.txt");
    assert_eq!(
        commands("requirements.txt requirements-dev.txt requirements-test.txt"),
        "pip install -r requirements.txt -r requirements-test.txt"
    );
    assert_eq!(
        commands("requirements/base.txt requirements/local.txt requirements/production.txt"),
        "pip install -r requirements/base.txt -r requirements/local.txt"
    );
    assert_eq!(commands("setup.py docs/requirements.txt"), "");
}

#[test]
fn a_pyproject_without_a_lock_gives_its_lists() {
    let text = "[project]\ndependencies = ['Django>=5,<6', 'x; python_version < \"3\"', '--evil']\n\
                [project.optional-dependencies]\ndocs = ['sphinx']\ntest = ['factory-boy']\n\
                [dependency-groups]\ndev = ['ruff', {include-group = 'x'}]\n";
    let found = recipe(["pyproject.toml"], &texts("pyproject.toml", text));
    insta::assert_snapshot!(found.commands.join("\n"), @r#"pip install 'Django>=5,<6' 'x; python_version < "3"' factory-boy ruff"#);
    assert_eq!(recipe(["pyproject.toml"], &texts("pyproject.toml", "broken [")), Recipe::default());
}

#[test]
fn the_python_version_comes_from_the_most_definite_file() {
    let version = |name, text| python(&texts(name, text)).map(|(version, _)| version);
    assert_eq!(version(".python-version", "3.11.2").as_deref(), Some("3.11"));
    let pyproject = "[project]\nrequires-python = '>=3.13'";
    assert_eq!(version("pyproject.toml", pyproject).as_deref(), Some("3.13"));
    let poetry = "[tool.poetry.dependencies]\npython = '^3.10'";
    assert_eq!(version("pyproject.toml", poetry).as_deref(), Some("3.12"));
    let lock = "{\"_meta\": {\"requires\": {\"python_version\": \"3.9\"}}}";
    assert_eq!(version("Pipfile.lock", lock).as_deref(), Some("3.9"));
    assert_eq!(python(&Texts::new()), None);
}

#[test]
fn installing_reads_what_the_rule_says_and_no_more() {
    let reads = |command: &str, path: &str| reads(&[command.to_owned()], Path::new(path));
    for path in ["requirements.txt", "requirements/deep/base.txt", "uv.lock", "setup.cfg"] {
        assert!(reads("true", path), "{path}");
    }
    for path in ["shop/models.py", "docs/setup.py", "robots.txt", "bin/install.sh"] {
        assert!(!reads("pip install -r requirements.txt", path), "{path}");
    }
    assert!(reads("sh ./bin/install.sh", "bin/install.sh"));
    assert!(reads("cp vendor/ /x", "vendor/wheels/a.whl"));
    assert!(reads("pip install --find-links=wheels x", "wheels/a.whl"));
    for command in ["pip install .", "pip install -e '.[test]'", "cd . && make"] {
        assert!(reads(command, "shop/models.py"), "{command}");
    }
}

proptest! {
    #[test]
    fn no_file_makes_it_panic(text in ".{0,120}", path in ".{0,40}") {
        for name in SPEAKING {
            let texts = texts(name, &text);
            let _ = recipe([path.as_str()], &texts);
            let _ = python(&texts);
        }
        let _ = reads(&[text], Path::new(&path));
    }
}
