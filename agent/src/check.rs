//! `muletrain-agent check`: looks at the host and says what is missing.

use std::io::{ErrorKind, Write};
use std::path::Path;

use muletrain_proto::docker_host::Endpoint;
use muletrain_proto::exit_code::ExitCode;

use crate::cli::RuntimeName;
use crate::docker;
use crate::pure::check::{self, Engine, Finding};

/// Prints what was found; the exit code says whether pods can run.
///
/// # Errors
/// When standard output cannot be written.
pub async fn run(endpoint: &Endpoint, runtime: Option<RuntimeName>) -> std::io::Result<ExitCode> {
    let mut findings = Vec::new();
    if runtime != Some(RuntimeName::Process) {
        findings.extend(docker_findings(endpoint).await);
    }
    if runtime != Some(RuntimeName::Docker) {
        findings.push(python().await);
        findings.extend(space(&std::env::temp_dir()));
    }
    std::io::stdout().write_all(check::render(&findings).as_bytes())?;
    Ok(match findings.iter().any(Finding::is_missing) {
        true => ExitCode::Infrastructure,
        false => ExitCode::Green,
    })
}

async fn docker_findings(endpoint: &Endpoint) -> Vec<Finding> {
    if let Endpoint::Unix(path) = endpoint
        && let Err(error) = tokio::net::UnixStream::connect(path).await
    {
        return vec![socket(path, error.kind())];
    }
    let facts = match docker::facts(endpoint).await {
        Ok(facts) => facts,
        Err(error) => {
            return vec![Finding::Missing {
                what: format!("no Docker Engine answers at {endpoint}: {error}"),
                fix: "start it, or name another with --docker-host".to_owned(),
            }];
        }
    };
    let mut findings = check::engine(&Engine {
        endpoint: endpoint.to_string(),
        version: facts.version,
        interface: facts.interface,
        platform: facts.platform,
        warnings: facts.warnings,
        security: facts.security,
    });
    findings.extend(facts.memory.map(check::memory));
    findings.extend(facts.folder.and_then(|folder| space(Path::new(&folder))));
    findings
}

fn socket(path: &Path, error: ErrorKind) -> Finding {
    let path = path.display();
    let (what, fix) = match error {
        ErrorKind::NotFound => (
            format!("there is no Docker socket {path}"),
            "install Docker Engine and start it, or name another with --docker-host",
        ),
        ErrorKind::PermissionDenied => (
            format!("this user may not use the Docker socket {path}"),
            "add the user to the group docker and log in again (that makes the user root)",
        ),
        _ => (
            format!("nobody answers on the Docker socket {path}"),
            "start the engine: systemctl start docker",
        ),
    };
    Finding::Missing { what, fix: fix.to_owned() }
}

async fn python() -> Finding {
    let output = tokio::process::Command::new("python3").arg("--version").output().await;
    match output {
        Ok(output) if output.status.success() => {
            Finding::Good(String::from_utf8_lossy(&output.stdout).trim().to_owned())
        }
        _ => Finding::Missing {
            what: "there is no python3 for host processes".to_owned(),
            fix: "install Python 3.8 or newer, or run pods with Docker".to_owned(),
        },
    }
}

/// Free space of a folder, unless it is on another host or out of sight.
fn space(folder: &Path) -> Option<Finding> {
    let found = rustix::fs::statvfs(folder).ok()?;
    let free = found.f_bavail.saturating_mul(found.f_frsize);
    Some(check::space(&folder.to_string_lossy(), free))
}
