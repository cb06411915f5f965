//! What the types alone cannot rule out. Every message names its key.

mod around;
mod service;
mod suite;

pub use around::artifact;

use crate::run::parse_db_prefix;

use super::order::Retry;
use super::schema::{Config, Env, Image, Project, Run};

/// Checks values and their combinations.
pub(super) fn check(config: &Config) -> Result<(), String> {
    check_project(&config.project)?;
    check_image(&config.image)?;
    suite::check(&config.suite)?;
    check_env(&config.env)?;
    service::check(&config.services)?;
    around::check(config)?;
    check_run(&config.run)
}

fn check_project(project: &Project) -> Result<(), String> {
    within_project("project.manage", project.manage.as_deref())?;
    not_blank("project.settings", project.settings.as_deref())?;
    not_blank("project.python", project.python.as_deref())
}

fn check_image(image: &Image) -> Result<(), String> {
    not_blank("image.base", image.base.as_deref())?;
    within_project("image.dockerfile", image.dockerfile.as_deref())?;
    if image.base.is_some() && image.dockerfile.is_some() {
        return Err(
            "image.base and image.dockerfile are two ways to say one thing; keep one".into()
        );
    }
    if image.dockerfile.is_none() && (image.target.is_some() || !image.build_args.is_empty()) {
        return Err("image.target and image.build_args belong to image.dockerfile".into());
    }
    not_blank("image.target", image.target.as_deref())?;
    not_blank("image.ca_bundle", image.ca_bundle.as_deref())?;
    none_blank("image.install", &image.install)?;
    below_root("image.root", image.root.as_deref())?;
    let package = |name: &&String| !name.starts_with(|c: char| c.is_ascii_alphanumeric());
    if let Some(name) = image.packages.iter().find(package) {
        return Err(format!("image.packages: {name:?} is not the name of a Debian package"));
    }
    for step in &image.prepare {
        not_blank("image.prepare", Some(&step.run))?;
        step.files.iter().try_for_each(|it| not_blank("image.prepare", Some(it)))?;
    }
    user("image.user", image.user.as_deref())
}

fn check_env(env: &Env) -> Result<(), String> {
    env.set.keys().try_for_each(|name| variable("env.set", name))?;
    env.pass.iter().try_for_each(|name| variable("env.pass", name))?;
    match env.pass.iter().find(|name| env.set.contains_key(*name)) {
        Some(name) => Err(format!("{name:?} is in env.set and in env.pass; keep one")),
        None => Ok(()),
    }
}

fn check_run(run: &Run) -> Result<(), String> {
    let numbers = [
        ("run.slots", run.slots),
        ("run.max_failures", run.max_failures),
        ("run.processes", run.processes),
    ];
    if let Some((key, _)) = numbers.iter().find(|(_, number)| *number == Some(0)) {
        return Err(format!("{key} must be at least 1"));
    }
    if let Some(prefix) = &run.db_prefix {
        parse_db_prefix(prefix).map_err(|why| format!("run.db_prefix {why}"))?;
    }
    let lists = [
        ("run.labels", &run.labels),
        ("run.include", &run.include),
        ("run.exclude", &run.exclude),
        ("run.tags", &run.tags),
        ("run.exclude_tags", &run.exclude_tags),
        ("run.patterns", &run.patterns),
        ("run.serial", &run.serial),
    ];
    lists.iter().try_for_each(|(key, list)| none_blank(key, list))?;
    not_blank("run.docker_host", run.docker_host.as_deref())?;
    run.retry.iter().try_for_each(check_retry)?;
    match run.cpus {
        Some(cpus) if !(0.01..=4096.0).contains(&cpus) => {
            Err(format!("run.cpus {cpus} must be between 0.01 and 4096"))
        }
        _ => Ok(()),
    }
}

fn check_retry(retry: &Retry) -> Result<(), String> {
    not_blank("run.retry.match", retry.class.as_deref())?;
    not_blank("run.retry.tag", retry.tag.as_deref())?;
    match (&retry.class, &retry.tag) {
        (Some(_), None) | (None, Some(_)) => Ok(()),
        _ => Err("each [[run.retry]] has either match or tag".into()),
    }
}

fn not_blank(key: &str, value: Option<&str>) -> Result<(), String> {
    match value {
        Some(text) if text.trim().is_empty() => Err(format!("{key} is empty")),
        _ => Ok(()),
    }
}

fn none_blank(key: &str, values: &[String]) -> Result<(), String> {
    match values.iter().position(|value| value.trim().is_empty()) {
        Some(place) => Err(format!("{key}: entry {} is empty", place + 1)),
        None => Ok(()),
    }
}

fn within_project(key: &str, value: Option<&str>) -> Result<(), String> {
    not_blank(key, value)?;
    match value {
        Some(path) if path.starts_with('/') || climbs(path) => {
            Err(format!("{key} {path:?} must be a path inside the project"))
        }
        _ => Ok(()),
    }
}

fn below_root(key: &str, value: Option<&str>) -> Result<(), String> {
    match value {
        Some(path)
            if !path.starts_with('/') || path.trim_matches('/').is_empty() || climbs(path) =>
        {
            Err(format!("{key} {path:?} must be an absolute path below /"))
        }
        _ => Ok(()),
    }
}

fn user(key: &str, value: Option<&str>) -> Result<(), String> {
    let is_user = |text: &str| {
        let safe = |c: char| c.is_ascii_alphanumeric() || "_.-:".contains(c);
        !text.is_empty() && text.chars().all(safe) && text.matches(':').count() <= 1
    };
    match value {
        Some(text) if !is_user(text) => {
            Err(format!("{key} {text:?} must be a name, \"uid\" or \"uid:gid\""))
        }
        _ => Ok(()),
    }
}

fn climbs(path: &str) -> bool {
    path.contains('\0') || path.split('/').any(|part| part == "..")
}

fn variable(key: &str, name: &str) -> Result<(), String> {
    match name.is_empty() || name.contains(['=', '\0']) {
        true => Err(format!("{key}: {name:?} cannot be the name of a variable")),
        false => Ok(()),
    }
}
