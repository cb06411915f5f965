//! The right verdicts: those of one serial `manage.py test`, found out without muletrain.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock, PoisonError};

use muletrain_proto::verdict::Verdict;

use crate::flow::kept;
use crate::journal::Verdicts;
use crate::program::output;
use crate::project::{copy_sample, sample};

/// Verdicts of every test of the sample site.
#[must_use]
pub fn site() -> &'static Verdicts {
    static VERDICTS: OnceLock<Verdicts> = OnceLock::new();
    VERDICTS.get_or_init(|| run_serially("site"))
}

/// Of these verdicts, those of some apps' tests and fixtures.
#[must_use]
pub fn of_apps(verdicts: &Verdicts, apps: &[&str]) -> Verdicts {
    // Ids are dotted names, and those of fixtures hold one in brackets.
    let belongs = |id: &str| {
        let name = id.split_once('(').map_or(id, |(_, name)| name);
        let name = name.strip_prefix("unittest.loader._FailedTest.").unwrap_or(name);
        apps.iter().any(|app| name.strip_prefix(app).is_some_and(|rest| rest.starts_with('.')))
    };
    let wanted = verdicts.iter().filter(|(id, _)| belongs(id));
    wanted.map(|(id, verdict)| (id.clone(), *verdict)).collect()
}

/// Where two accounts of the same tests differ, one line each.
#[must_use]
pub fn differences(found: &Verdicts, wanted: &Verdicts) -> Vec<String> {
    let ids: BTreeSet<&String> = found.keys().chain(wanted.keys()).collect();
    let shown = |verdict: Option<&Verdict>| verdict.map_or("absent", |verdict| verdict.as_str());
    ids.into_iter()
        .filter(|id| found.get(*id) != wanted.get(*id))
        .map(|id| format!("{id}: {}, not {}", shown(found.get(id)), shown(wanted.get(id))))
        .collect()
}

fn run_serially(name: &str) -> Verdicts {
    let folder = tempfile::tempdir().expect("there is room for temporary files");
    let checkout = folder.path().join(name);
    copy_sample(name, &checkout);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("bin/serial-verdicts");
    let mut command = Command::new(script);
    command.arg(&checkout).arg("--python").arg(virtual_environment(name).join("bin/python"));
    let text = output(command.env("SITE_SECRET_KEY", "only-for-tests"));
    serde_json::from_str(&text).expect("the script writes verdicts as muletrain calls them")
}

/// A virtual environment with what a sample requires; made once and kept.
///
/// # Panics
/// When it cannot be made.
#[must_use]
pub fn virtual_environment(name: &str) -> PathBuf {
    // Tests run side by side, and several of them want the same.
    static MAKING: Mutex<()> = Mutex::new(());
    let _making = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
    let requirements = sample(name).join("requirements.txt");
    let wanted = fs::read_to_string(&requirements).expect("samples can be read");
    let folder = kept(&format!("serial-{name}"));
    // Written last, so what is complete says for what.
    let complete = folder.join("complete");
    if fs::read_to_string(&complete).is_ok_and(|made_for| made_for == wanted) {
        return folder;
    }
    output(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder));
    let mut pip = Command::new(folder.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]);
    output(pip.arg(&requirements));
    fs::write(complete, wanted).expect("the environment can be written to");
    folder
}

#[cfg(test)]
mod tests {

    use super::*;

    #[test]
    fn a_difference_names_both_sides() {
        let one = |id: &str, verdict| (id.to_owned(), verdict);
        let found = [one("a", Verdict::Passed), one("b", Verdict::Passed)].into();
        let wanted = [one("b", Verdict::Failed), one("c", Verdict::TimedOut)].into();
        let lines = ["a: passed, not absent", "b: passed, not failed", "c: absent, not timed_out"];
        assert_eq!(differences(&found, &wanted), lines);
        assert!(differences(&found, &found).is_empty());
    }

    #[test]
    fn fixtures_and_modules_that_do_not_load_belong_to_apps_too() {
        let ids = [
            "blog.tests.T.test",
            "blogs.tests.T.test",
            "setUpClass (blog.tests.T)",
            "unittest.loader._FailedTest.blog.tests",
            "setUpClass (api.tests.T)",
        ];
        let all = ids.map(|id| (id.to_owned(), Verdict::Passed)).into();
        let found: Vec<String> = of_apps(&all, &["blog"]).into_keys().collect();
        assert_eq!(found, [ids[0], ids[2], ids[3]]);
    }
}
