//! What a user's LABEL means, by what the snapshot's files show.
//!
//! A label is an app label, an app's dotted package, a module, a class or a method in one, a
//! package that holds apps or test modules, `app.Class[.method]`, or a path of any of these.

use muletrain_proto::id::{AppLabel, TestId};
use muletrain_proto::inventory::Class;
use muletrain_proto::snapshot::App;

/// What a label means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// What the project's runner is asked for.
    pub dotted: String,
    /// The app it names as a whole.
    pub app: Option<AppLabel>,
    /// For `app.Class[.method]`: only these of the app.
    pub member: Option<Member>,
}

/// A class of an app, wherever in the app it is, or a method of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The app.
    pub app: AppLabel,
    /// The class's own name.
    pub class: String,
    /// The method.
    pub method: Option<String>,
}

/// A label that names nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no app, package or test module is called {label:?}{}", hint(near))]
pub struct Unknown {
    /// As given.
    pub label: String,
    /// Labels that are like it.
    pub near: Vec<String>,
}

fn hint(near: &[String]) -> String {
    match near {
        [] => "; `muletrain-builder suites` lists what there is".to_owned(),
        near => format!("; did you mean {}?", near.join(" or ")),
    }
}

/// Finds out what each label means.
///
/// # Errors
/// At the first label that names nothing.
pub fn resolve(labels: &[String], apps: &[App]) -> Result<Vec<Target>, Unknown> {
    labels.iter().map(|label| resolve_one(label, apps)).collect()
}

fn resolve_one(label: &str, apps: &[App]) -> Result<Target, Unknown> {
    let dotted = to_dotted(label);
    if let Some(app) = apps.iter().find(|app| app.label.as_str() == dotted) {
        return Ok(whole(app));
    }
    if let Some(app) = apps.iter().find(|app| app.module == dotted && !app.module.is_empty()) {
        return Ok(whole(app));
    }
    if is_known(&dotted, apps) {
        return Ok(Target { dotted, app: None, member: None });
    }
    member(&dotted, apps)
        .ok_or_else(|| Unknown { label: label.to_owned(), near: near(&dotted, apps) })
}

fn whole(app: &App) -> Target {
    Target { dotted: app.module.clone(), app: Some(app.label.clone()), member: None }
}

/// A path becomes dotted, anything else stays as it is.
fn to_dotted(label: &str) -> String {
    let path = label.trim_start_matches("./").trim_end_matches('/');
    match path.contains('/') || path.ends_with(".py") {
        true => path.trim_end_matches(".py").replace('/', "."),
        false => path.to_owned(),
    }
}

/// Whether a dotted name lies on the way to a test module, is one, or is something inside one.
fn is_known(dotted: &str, apps: &[App]) -> bool {
    apps.iter().any(|app| {
        let modules = app.test_files.iter().map(|file| to_dotted(file));
        modules.chain([app.module.clone()]).any(|module| {
            !module.is_empty() && (is_inside(dotted, &module) || is_inside(&module, dotted))
        }) && !names_class_of_package(dotted, app)
    })
}

/// `app.Class` looks like something inside the app's package, but a package holds no tests.
fn names_class_of_package(dotted: &str, app: &App) -> bool {
    is_inside(dotted, &app.module)
        && dotted[app.module.len()..].trim_start_matches('.').starts_with(char::is_uppercase)
}

fn is_inside(inner: &str, outer: &str) -> bool {
    inner == outer || inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with('.'))
}

fn member(dotted: &str, apps: &[App]) -> Option<Target> {
    apps.iter().find_map(|app| {
        let names = [app.label.as_str(), app.module.as_str()];
        let rest = names.iter().find_map(|name| dotted.strip_prefix(name)?.strip_prefix('.'))?;
        let (class, method) = match rest.split_once('.') {
            Some((class, method)) => (class, Some(method)),
            None => (rest, None),
        };
        let simple = |name: &str| !name.is_empty() && !name.contains('.');
        (simple(class) && class.starts_with(char::is_uppercase) && method.is_none_or(simple)).then(
            || Target {
                dotted: app.module.clone(),
                app: None,
                member: Some(Member {
                    app: app.label.clone(),
                    class: class.to_owned(),
                    method: method.map(str::to_owned),
                }),
            },
        )
    })
}

fn near(label: &str, apps: &[App]) -> Vec<String> {
    let names = apps.iter().flat_map(|app| [app.label.as_str(), app.module.as_str()]);
    let mut near: Vec<(f64, String)> = names
        .filter(|name| !name.is_empty())
        .map(|name| (strsim::jaro_winkler(label, name), name.to_owned()))
        .filter(|(likeness, _)| *likeness > 0.8)
        .collect();
    near.sort_by(|left, right| right.0.total_cmp(&left.0).then_with(|| left.1.cmp(&right.1)));
    near.dedup_by(|left, right| left.1 == right.1);
    near.into_iter().take(3).map(|(_, name)| name).collect()
}

/// Apps with tests that are named as a whole; all of them where nothing is named.
#[must_use]
pub fn named_apps<'a>(targets: &[Target], apps: &'a [App]) -> Vec<&'a App> {
    let named = |app: &App| targets.iter().any(|target| target.app.as_ref() == Some(&app.label));
    let wanted = |app: &&App| !app.test_files.is_empty() && (targets.is_empty() || named(app));
    apps.iter().filter(wanted).collect()
}

/// Whether a test that was collected for targets is wanted by one of them.
#[must_use]
pub fn wants(targets: &[Target], class: &Class, test: &TestId) -> bool {
    // Plain labels mean what the project's own runner makes of them, and it has already picked.
    let is_plain = |target: &Target| target.member.is_none() && !target.dotted.is_empty();
    targets.iter().all(is_plain)
        || targets.iter().any(|target| match &target.member {
            Some(member) => member.holds(class, test),
            None => reaches(target, class, test),
        })
}

impl Member {
    fn holds(&self, class: &Class, test: &TestId) -> bool {
        let is = |id: &str, name: &str| id.rsplit('.').next() == Some(name);
        class.app == self.app
            && is(class.id.as_str(), &self.class)
            && self.method.as_ref().is_none_or(|method| is(test.as_str(), method))
    }
}

/// Whether a target without a member is one that brought a test in.
fn reaches(target: &Target, class: &Class, test: &TestId) -> bool {
    let dotted = target.dotted.as_str();
    if dotted.is_empty() {
        // Tests outside all apps have no package to ask for: everything was collected.
        return target.app.as_ref() == Some(&class.app);
    }
    let is_imported = !is_inside(class.id.as_str(), &class.module);
    is_inside(&class.module, dotted)
        || is_inside(test.as_str(), dotted)
        || (is_imported && is_inside(dotted, &class.module))
}

#[cfg(test)]
mod tests {
    use muletrain_proto::id::ClassId;

    use super::*;

    fn apps() -> Vec<App> {
        let app = |label: &str, module: &str, files: &[&str]| App {
            label: AppLabel::new(label).unwrap(),
            module: module.to_owned(),
            path: module.replace('.', "/"),
            test_files: files.iter().map(|file| (*file).to_owned()).collect(),
        };
        vec![
            app("catalog", "shop.catalog", &["shop/catalog/tests/test_models.py"]),
            app("blog", "blog", &["blog/tests.py"]),
            app("(other)", "", &["integration/test_flow.py"]),
        ]
    }

    fn dotted(label: &str) -> Result<String, Unknown> {
        resolve_one(label, &apps()).map(|target| target.dotted)
    }

    #[test]
    fn apps_go_by_label_package_or_path() {
        for label in ["catalog", "shop.catalog", "shop/catalog", "./shop/catalog/"] {
            let target = resolve_one(label, &apps()).unwrap();
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
            let target = resolve_one(label, &apps()).unwrap();
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
            let labels: Vec<String> = labels.iter().map(|label| (*label).to_owned()).collect();
            let (module, _) = class.rsplit_once('.').unwrap();
            let class = Class {
                id: ClassId::new(class).unwrap(),
                app: AppLabel::new(app).unwrap(),
                module: module.to_owned(),
                file: String::new(),
                line: None,
                phase: 0,
                whole_module: false,
                tags: vec![],
                databases: vec![],
                bases: vec![],
                tests: vec![],
            };
            let test = TestId::new(format!("{}.{method}", class.id)).unwrap();
            wants(&resolve(&labels, &apps()).unwrap(), &class, &test)
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
    fn an_unknown_label_names_what_is_like_it() {
        let error = dotted("catalgo").unwrap_err();
        assert_eq!(
            error.to_string(),
            "no app, package or test module is called \"catalgo\"; did you mean catalog?"
        );
        assert!(dotted("zzz").unwrap_err().to_string().contains("muletrain-builder suites"));
    }
}
