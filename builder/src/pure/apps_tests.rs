//! Projects as lists of paths, and the apps found in them.

use proptest::prelude::*;

use super::*;

/// One line for each app: label, module, test files relative to its folder.
fn apps(manage: &str, configs: &[(&str, &str)], paths: &str) -> String {
    found(manage, configs, paths, TestFiles::Django)
}

fn found(manage: &str, configs: &[(&str, &str)], paths: &str, test_files: TestFiles) -> String {
    let configs: BTreeMap<String, String> =
        configs.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
    let paths = paths.split_whitespace().chain(configs.keys().map(String::as_str));
    let lines = discover(paths, manage, &configs, test_files).into_iter().map(|app| {
        let relative =
            |file: &String| file.strip_prefix(&format!("{}/", app.path)).unwrap_or(file).to_owned();
        let files: Vec<String> = app.test_files.iter().map(relative).collect();
        format!("{} [{}] {}", app.label, app.module, files.join(" ")).trim_end().to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn an_app_is_a_package_with_what_only_apps_have() {
    let found = apps(
        "",
        &[],
        "manage.py shop/__init__.py shop/models.py shop/tests.py
         blog/__init__.py blog/migrations/__init__.py blog/tests/__init__.py blog/tests/test_a.py
         blog/tests/unit/__init__.py blog/tests/unit/test_b.py
         config/__init__.py config/settings.py scripts/models.py",
    );
    insta::assert_snapshot!(found, @r"
    blog [blog] tests/test_a.py tests/unit/test_b.py
    shop [shop] tests.py
    ");
}

#[test]
fn a_package_with_tests_is_a_suite_though_it_has_no_models() {
    let found = apps(
        "",
        &[],
        "search/__init__.py search/tests/__init__.py search/tests/test_index.py
         integration/__init__.py integration/test_checkout.py
         tests/__init__.py tests/test_a.py tests/shop/__init__.py tests/shop/test_b.py
         loose/test_c.py test_d.py",
    );
    insta::assert_snapshot!(found, @r"
    integration [integration] test_checkout.py
    search [search] tests/test_index.py
    tests [tests] shop/test_b.py test_a.py
    (other) [] loose/test_c.py test_d.py
    ");
}

#[test]
fn for_pytest_a_folder_with_tests_is_an_app_though_it_is_no_package() {
    let found = found(
        "",
        &[],
        "shop/__init__.py shop/models.py shop/cart_test.py conftest.py
         tests/unit/test_a.py tests/unit/deep/test_b.py tests/browser/test_c.py test_d.py",
        TestFiles::Pytest,
    );
    insta::assert_snapshot!(found, @r"
    shop [shop] cart_test.py
    browser [tests.browser] test_c.py
    unit [tests.unit] deep/test_b.py test_a.py
    (other) [] test_d.py
    ");
}

#[test]
fn a_file_belongs_to_the_innermost_app() {
    let found = apps(
        "",
        &[],
        "shop/__init__.py shop/apps.py shop/tests/test_a.py shop/utils/__init__.py
         shop/utils/test_u.py shop/reviews/__init__.py shop/reviews/apps.py
         shop/reviews/tests/test_r.py shop/forms/__init__.py shop/forms/models.py
         shopping/__init__.py shopping/admin.py shopping/test_s.py
         shop/tests/app/__init__.py shop/tests/app/migrations/__init__.py shop/tests/app/test_t.py",
    );
    insta::assert_snapshot!(found, @r"
    shop [shop] tests/test_a.py utils/test_u.py
    reviews [shop.reviews] tests/test_r.py
    app [shop.tests.app] test_t.py
    shopping [shopping] test_s.py
    ");
}

#[test]
fn labels_and_names_are_read_from_apps_py() {
    let found = apps(
        "",
        &[
            ("apps/shop/apps.py", "class C(AppConfig):\n    name = 'shop'\n    label = 'store'\n"),
            ("blog/apps.py", "class C(AppConfig):\n    name = 'someone.elses'\n"),
        ],
        "apps/shop/__init__.py apps/cart/__init__.py apps/cart/models.py blog/__init__.py",
    );
    insta::assert_snapshot!(found, @r"
    cart [apps.cart]
    store [shop]
    blog [blog]
    ");
}

#[test]
fn equal_labels_become_dotted_names() {
    let found = apps(
        "",
        &[],
        "a/users/__init__.py a/users/models.py b/users/__init__.py b/users/models.py
         c/__init__.py c/models.py",
    );
    insta::assert_snapshot!(found, @r"
    a.users [a.users]
    b.users [b.users]
    c [c]
    ");
}

#[test]
fn dotted_names_count_from_manage_py() {
    let found = apps(
        "src",
        &[],
        "src/manage.py src/shop/__init__.py src/shop/models.py
         lib/extra/__init__.py lib/extra/inner/__init__.py lib/extra/inner/models.py",
    );
    insta::assert_snapshot!(found, @r"
    inner [extra.inner]
    shop [shop]
    ");
}

#[test]
fn the_code_of_others_is_left_alone() {
    let found = apps(
        "",
        &[],
        "venv/pyvenv.cfg venv/lib/django/__init__.py venv/lib/django/apps.py venv/lib/test_x.py
         .tox/x/__init__.py .tox/x/models.py node_modules/x/test_y.py
         shop/__init__.py shop/models.py shop/testing/helpers.py",
    );
    insta::assert_snapshot!(found, @"shop [shop]");
}

proptest! {
    #[test]
    fn every_test_module_has_exactly_one_owner_and_every_label_is_unique(
        paths in prop::collection::btree_set(
            "((a|b|tests|test)/){0,4}(__init__|models|apps|test_a|tests|x)\\.py", 0..30),
        manage in "(|a|a/b)",
        kind in prop::sample::select(vec![TestFiles::Django, TestFiles::Pytest]),
    ) {
        let found = discover(paths.iter().map(String::as_str), &manage, &BTreeMap::new(), kind);
        let mut owned: Vec<&String> = found.iter().flat_map(|app| &app.test_files).collect();
        owned.sort();
        let test = |path: &&String| kind.holds(path);
        prop_assert_eq!(owned, paths.iter().filter(test).collect::<Vec<_>>());
        let labels: BTreeSet<&AppLabel> = found.iter().map(|app| &app.label).collect();
        prop_assert_eq!(labels.len(), found.len());
    }

    #[test]
    fn no_text_of_an_apps_py_makes_it_panic(text in ".{0,100}(class XConfig\\(\n\\s.{0,60})?") {
        let _ = app_config::read(&text);
    }
}
