//! A container as the engine's interface has it.
//!
//! What hardens it is said here without a condition; whatever is left at its default is off.

use std::collections::HashMap;

use bollard::models::{ContainerCreateBody, HealthConfig, HostConfig, HostConfigLogConfig};

use crate::pure::pod::{Container, Network, Role};

/// Host name of a pod, an alias of `localhost` in it.
const HOST_NAME: &str = "pod";

/// How a container is created; `first` is the one that owns the pod's network.
pub(super) fn create(container: &Container, image: String, first: &str) -> ContainerCreateBody {
    let tests = matches!(container.role, Role::Tests { .. });
    let (host_name, _) = names(&container.network);
    ContainerCreateBody {
        hostname: host_name,
        image: Some(image),
        entrypoint: given(&container.entrypoint),
        cmd: given(&container.command),
        env: Some(
            container.environment.iter().map(|(name, value)| format!("{name}={value}")).collect(),
        ),
        user: container.user.clone(),
        working_dir: container.folder.clone(),
        labels: Some(container.labels.clone().into_iter().collect()),
        attach_stdin: Some(tests),
        attach_stdout: Some(tests),
        attach_stderr: Some(tests),
        open_stdin: Some(tests),
        stdin_once: Some(tests),
        tty: Some(false),
        // The engine must not run commands of the image in the pod.
        healthcheck: Some(HealthConfig {
            test: Some(vec!["NONE".to_owned()]),
            ..HealthConfig::default()
        }),
        host_config: Some(host_config(container, first)),
        ..ContainerCreateBody::default()
    }
}

fn host_config(container: &Container, first: &str) -> HostConfig {
    let (_, hosts) = names(&container.network);
    HostConfig {
        network_mode: Some(match container.network {
            Network::Own(_) => "none".to_owned(),
            Network::Joined => format!("container:{first}"),
        }),
        extra_hosts: hosts,
        cap_drop: Some(vec!["ALL".to_owned()]),
        cap_add: given(
            &container.capabilities.iter().map(|&name| name.to_owned()).collect::<Vec<_>>(),
        ),
        security_opt: Some(vec!["no-new-privileges".to_owned()]),
        privileged: Some(false),
        ipc_mode: Some("private".to_owned()),
        init: Some(true),
        memory: Some(signed(container.memory)),
        // The same number, which means memory and swap together: no swap.
        memory_swap: Some(signed(container.memory)),
        pids_limit: Some(container.processes.into()),
        nano_cpus: container.cpu_millis.map(|millis| i64::from(millis) * 1_000_000),
        tmpfs: (!container.temporary.is_empty())
            .then(|| container.temporary.iter().map(in_memory).collect()),
        log_config: Some(log(&container.role)),
        auto_remove: Some(false),
        ..HostConfig::default()
    }
}

fn in_memory((folder, bytes): (&String, &u64)) -> (String, String) {
    (folder.clone(), format!("rw,exec,nosuid,nodev,mode=1777,size={bytes}"))
}

/// Host name and names of `127.0.0.1`, which only the container that owns the network may have.
fn names(network: &Network) -> (Option<String>, Option<Vec<String>>) {
    match network {
        Network::Own(aliases) => {
            let all = std::iter::once(HOST_NAME).chain(aliases.iter().map(String::as_str));
            let hosts = all.map(|name| format!("{name}:127.0.0.1")).collect();
            (Some(HOST_NAME.to_owned()), Some(hosts))
        }
        Network::Joined => (None, None),
    }
}

/// What the tests say is read as it comes and kept nowhere else; a service's log is kept for the
/// message that says why it ended.
fn log(role: &Role) -> HostConfigLogConfig {
    match role {
        Role::Tests { .. } | Role::Probe => {
            HostConfigLogConfig { typ: Some("none".to_owned()), config: None }
        }
        Role::Service { .. } => HostConfigLogConfig {
            typ: Some("json-file".to_owned()),
            config: Some(HashMap::from([
                ("max-size".to_owned(), "1m".to_owned()),
                ("max-file".to_owned(), "1".to_owned()),
            ])),
        },
    }
}

fn given(list: &[String]) -> Option<Vec<String>> {
    (!list.is_empty()).then(|| list.to_owned())
}

fn signed(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

#[cfg(test)]
#[path = "body_tests.rs"]
mod body_tests;
