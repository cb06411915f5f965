//! Services: what a pod can start, and tell ready from not ready.

use std::collections::BTreeMap;

use super::super::schema::Service;
use super::{below_root, none_blank, not_blank, user, variable};

pub(super) fn check(services: &BTreeMap<String, Service>) -> Result<(), String> {
    services.iter().try_for_each(|(name, service)| check_one(name, service))?;
    check_ports(services)
}

fn check_one(name: &str, service: &Service) -> Result<(), String> {
    let key = |key: &str| format!("services.{name}.{key}");
    check_names(name, service)?;
    if service.preset.is_none() && service.image.is_none() {
        return Err(format!(
            "services.{name} needs a preset, such as \"postgres:16\", or an image"
        ));
    }
    not_blank(&key("image"), service.image.as_deref())?;
    user(&key("user"), service.user.as_deref())?;
    service.env.keys().try_for_each(|name| variable(&key("env"), name))?;
    none_blank(&key("only"), &service.only)?;
    // Later words may well be empty.
    [("command", &service.command), ("ready", &service.ready)]
        .iter()
        .try_for_each(|(name, words)| not_blank(&key(name), words.first().map(String::as_str)))?;
    check_folders(name, service)?;
    check_readiness(name, service)
}

fn check_names(name: &str, service: &Service) -> Result<(), String> {
    for host in std::iter::once(name).chain(service.aliases.iter().map(String::as_str)) {
        let label = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if host.is_empty() || host.len() > 63 || !host.chars().all(label) {
            return Err(format!("services.{name}: {host:?} cannot be a host name"));
        }
    }
    Ok(())
}

fn check_folders(name: &str, service: &Service) -> Result<(), String> {
    below_root(&format!("services.{name}.data"), service.data.as_deref())?;
    // What its preset, its command and its environment make of it counts.
    let complete = service.complete(name);
    let data = complete.data.as_deref();
    below_root(&format!("services.{name}: its data folder"), data)?;
    if let (Some(said), Some(data)) = (&service.data, data)
        && !(is_within(said, data) && is_within(data, said))
    {
        return Err(format!(
            "services.{name}.data is {said}, and its command or its environment says {data}; \
             keep one"
        ));
    }
    for folder in &service.tmpfs {
        below_root(&format!("services.{name}.tmpfs"), Some(folder))?;
        if data.is_some_and(|data| is_within(data, folder)) {
            return Err(format!(
                "services.{name}: its data in {} is in memory by its tmpfs {folder}, so it \
                 cannot be kept; name another folder in services.{name}.data, or leave that \
                 tmpfs out",
                data.unwrap_or_default()
            ));
        }
    }
    Ok(())
}

/// Whether a path is a folder, or below it.
fn is_within(path: &str, folder: &str) -> bool {
    let parts = |path: &str| -> Vec<String> {
        path.split('/').filter(|part| !["", "."].contains(part)).map(str::to_owned).collect()
    };
    parts(path).starts_with(&parts(folder))
}

fn check_readiness(name: &str, service: &Service) -> Result<(), String> {
    not_blank(&format!("services.{name}.ready_log"), service.ready_log.as_deref())?;
    if service.ready_port == Some(0) {
        return Err(format!("services.{name}.ready_port must be at least 1"));
    }
    let ways =
        [!service.ready.is_empty(), service.ready_port.is_some(), service.ready_log.is_some()];
    match ways.into_iter().filter(|way| *way).count() {
        0 | 1 => Ok(()),
        _ => Err(format!(
            "services.{name}: ready, ready_port and ready_log are ways to say one thing; keep one"
        )),
    }
}

/// All services of a pod have one address.
fn check_ports(services: &BTreeMap<String, Service>) -> Result<(), String> {
    let mut taken = BTreeMap::new();
    for (name, service) in services {
        let Some(preset) = service.preset.as_ref().filter(|_| service.command.is_empty()) else {
            continue;
        };
        let port = preset.kind.port();
        if let Some(other) = taken.insert(port, name) {
            return Err(format!(
                "services.{other} and services.{name} would both listen on port {port} of one \
                 pod; two databases fit on one server"
            ));
        }
    }
    Ok(())
}
