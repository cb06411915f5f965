//! What is around the tests: commands, files that are taken out of pods, coverage.

use super::super::schema::{Config, Hooks};
use super::{climbs, none_blank, within_project};

pub(super) fn check(config: &Config) -> Result<(), String> {
    check_hooks(&config.hooks)?;
    let check = |glob: &String| artifact(glob).map(drop);
    config
        .run
        .artifacts
        .iter()
        .try_for_each(check)
        .map_err(|why| format!("run.artifacts: {why}"))?;
    within_project("coverage.config", config.coverage.config.as_deref())
}

fn check_hooks(hooks: &Hooks) -> Result<(), String> {
    let Hooks {
        run_setup,
        run_teardown,
        pod_setup,
        pod_teardown,
        app_setup,
        app_teardown,
        timeout: _,
    } = hooks;
    let lists = [
        ("hooks.run_setup", run_setup),
        ("hooks.run_teardown", run_teardown),
        ("hooks.pod_setup", pod_setup),
        ("hooks.pod_teardown", pod_teardown),
        ("hooks.app_setup", app_setup),
        ("hooks.app_teardown", app_teardown),
    ];
    lists.iter().try_for_each(|(key, commands)| none_blank(key, commands))
}

/// A glob of files that are taken out of pods, as an argument and in the file.
///
/// # Errors
/// When it can match no file.
pub fn artifact(glob: &str) -> Result<String, String> {
    if glob.split('/').all(|part| part.trim().is_empty() || part == ".") {
        return Err(format!("{glob:?} names no file"));
    }
    match climbs(glob) {
        true => Err(format!(
            "{glob:?} must not lead upwards by \"..\"; name a file below the project, below \
             $WORKSPACE, or by its absolute path in the pod"
        )),
        false => Ok(glob.to_owned()),
    }
}
