//! Reaching an engine, and what it says of itself.

use bollard::{API_DEFAULT_VERSION, Docker};
use muletrain_proto::docker_host::Endpoint;

use super::error::within;
use super::{ACT, ASK, Error, registry};

/// What an engine says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts {
    /// Version of the engine.
    pub version: String,
    /// Version of its interface.
    pub interface: String,
    /// `os/architecture`.
    pub platform: String,
    /// What tells it from other engines.
    pub id: Option<String>,
    /// Where it keeps its data, on its host.
    pub folder: Option<String>,
    /// Memory of its host, in bytes.
    pub memory: Option<u64>,
    /// What it says is missing, such as memory limits.
    pub warnings: Vec<String>,
    /// Security options in force, such as `name=seccomp,profile=default`.
    pub security: Vec<String>,
}

/// A client that speaks the highest version both ends know.
pub(super) async fn open(endpoint: &Endpoint) -> Result<Docker, Error> {
    let unreachable = |source| Error::Unreachable { endpoint: endpoint.clone(), source };
    let seconds = ACT.as_secs();
    let client = match endpoint {
        Endpoint::Unix(path) => {
            Docker::connect_with_unix(&path.to_string_lossy(), seconds, API_DEFAULT_VERSION)
        }
        Endpoint::Tcp(address) => Docker::connect_with_http(address, seconds, API_DEFAULT_VERSION),
    };
    let client = registry::telling_who_asks(client.map_err(unreachable)?);
    match tokio::time::timeout(ASK, client.negotiate_version()).await {
        Ok(negotiated) => negotiated.map_err(unreachable),
        Err(_) => Err(unreachable(bollard::errors::Error::RequestTimeoutError)),
    }
}

/// Asks an engine about itself.
pub(super) async fn facts(engine: &Docker) -> Result<Facts, Error> {
    let what = || "ask the Docker Engine about itself".to_owned();
    let version = within(ASK, what, engine.version()).await?;
    let info = within(ASK, what, engine.info()).await?;
    let os = version.os.unwrap_or_else(|| "linux".to_owned());
    let architecture = version.arch.unwrap_or_default();
    let mut warnings = info.warnings.unwrap_or_default();
    for (present, name) in [(info.memory_limit, "memory"), (info.pids_limit, "process")] {
        if present == Some(false) {
            warnings.push(format!("no {name} limit support"));
        }
    }
    Ok(Facts {
        version: version.version.unwrap_or_default(),
        interface: version.api_version.unwrap_or_default(),
        platform: format!("{os}/{architecture}"),
        id: info.id.filter(|id| !id.is_empty()),
        folder: info.docker_root_dir,
        memory: info.mem_total.and_then(|bytes| bytes.try_into().ok()),
        warnings,
        security: info.security_options.unwrap_or_default(),
    })
}
