//! Where a Docker Engine listens, and whether it is safe to talk to it there.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

/// Where the engine of a host listens.
const SOCKET: &str = "/var/run/docker.sock";

/// Where an engine listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// A socket in the file system.
    Unix(PathBuf),
    /// `host:port`, in plain text.
    Tcp(String),
}

/// Why an address is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is none.
    #[error("Docker host {text:?} is neither unix:///PATH nor tcp://HOST:PORT")]
    Malformed {
        /// As given.
        text: String,
    },
    /// A kind that this version cannot speak.
    #[error(
        "Docker host {text:?}: {scheme} is not supported yet; run an agent on that host, or \
         forward its socket: ssh -nNT -L /tmp/docker.sock:/var/run/docker.sock HOST"
    )]
    Unsupported {
        /// As given.
        text: String,
        /// Its scheme.
        scheme: String,
    },
    /// Plain text over a network.
    #[error(
        "Docker host {text:?} is plain TCP to another host, where anyone on the way becomes root \
         on it; forward its socket over ssh (an agent can be told --insecure-docker-host)"
    )]
    Insecure {
        /// As given.
        text: String,
    },
}

/// The engine of this host: the system's, or else one that runs without root, whose socket is in
/// `$XDG_RUNTIME_DIR`.
#[must_use]
pub fn local() -> Endpoint {
    let run = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    choose(run.as_deref(), Path::exists)
}

fn choose(run: Option<&Path>, exists: impl Fn(&Path) -> bool) -> Endpoint {
    let system = Path::new(SOCKET);
    let rootless = run.map(|run| run.join("docker.sock"));
    match rootless.filter(|path| !exists(system) && exists(path)) {
        Some(path) => Endpoint::Unix(path),
        None => Endpoint::Unix(system.to_owned()),
    }
}

/// Reads the address of an engine.
///
/// # Errors
/// When it is none, of a kind not supported, or plain TCP to another host without `insecure`.
pub fn parse(text: &str, insecure: bool) -> Result<Endpoint, Error> {
    let malformed = || Error::Malformed { text: text.to_owned() };
    let (scheme, rest) = text.split_once("://").ok_or_else(malformed)?;
    match scheme {
        "unix" if rest.starts_with('/') => Ok(Endpoint::Unix(PathBuf::from(rest))),
        "tcp" => {
            let address = rest.trim_end_matches('/');
            let (host, port) = address.rsplit_once(':').ok_or_else(malformed)?;
            port.parse::<u16>().map_err(|_| malformed())?;
            match insecure || is_loopback(host) {
                true => Ok(Endpoint::Tcp(address.to_owned())),
                false => Err(Error::Insecure { text: text.to_owned() }),
            }
        }
        "ssh" | "https" | "npipe" => {
            Err(Error::Unsupported { text: text.to_owned(), scheme: scheme.to_owned() })
        }
        _ => Err(malformed()),
    }
}

fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

impl std::fmt::Display for Endpoint {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unix(path) => write!(formatter, "unix://{}", path.display()),
            Self::Tcp(address) => write!(formatter, "tcp://{address}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_without_root_is_found_where_there_is_no_other() {
        let rootless = Path::new("/run/user/7/docker.sock");
        let run = Some(Path::new("/run/user/7"));
        assert_eq!(choose(run, |path| path == rootless), Endpoint::Unix(rootless.to_owned()));
        assert_eq!(choose(run, |_| true), Endpoint::Unix(SOCKET.into()));
        assert_eq!(choose(None, |_| false), Endpoint::Unix(SOCKET.into()));
    }

    #[test]
    fn plain_tcp_is_for_loopback_alone() {
        assert_eq!(parse("unix:///run/d.sock", false), Ok(Endpoint::Unix("/run/d.sock".into())));
        for host in ["tcp://127.0.0.1:2375", "tcp://localhost:2375/", "tcp://[::1]:2375"] {
            assert!(parse(host, false).is_ok(), "{host}");
        }
        let elsewhere = "tcp://10.0.0.7:2375";
        assert_eq!(parse(elsewhere, false), Err(Error::Insecure { text: elsewhere.to_owned() }));
        assert!(parse(elsewhere, true).is_ok());
    }

    #[test]
    fn other_addresses_are_refused_with_the_way_out() {
        let message = |text| parse(text, true).unwrap_err().to_string();
        assert!(message("ssh://host").contains("not supported yet"));
        for text in ["", "docker.sock", "unix://relative", "tcp://host", "tcp://host:x", "a://b"] {
            assert!(message(text).contains("neither"), "{text}");
        }
    }
}
