//! Opening a connection to a scheduler.

pub mod blobs;
pub mod databases;
pub mod parts;

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use hyper_util::rt::TokioIo;
use tonic::transport::{Channel, Endpoint};
use tower::service_fn;

/// Largest gRPC message accepted, in bytes: an inventory of some hundred thousand tests.
pub const MESSAGE_LIMIT: usize = 64 << 20;

/// How long opening a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How often a connection is asked whether it still lives; it has twice that to answer. A
/// network that drops everything closes no connection.
const KEEP_ALIVE: Duration = Duration::from_secs(5);

/// Where a scheduler listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A socket in the file system: `unix:/path`.
    Unix(PathBuf),
    /// `http://host:port`.
    Tcp(String),
}

/// Why a scheduler cannot be reached.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is not one.
    #[error("scheduler address {text:?} is neither unix:PATH nor http://HOST:PORT")]
    Address {
        /// As given.
        text: String,
    },
    /// Nobody answers there.
    #[error("cannot reach a scheduler at {address}; is it running?")]
    Connect {
        /// The address.
        address: Address,
        /// What the transport says.
        source: tonic::transport::Error,
    },
}

impl FromStr for Address {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if let Some(path) = text.strip_prefix("unix:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            if !path.is_empty() {
                return Ok(Self::Unix(PathBuf::from(path)));
            }
        } else if text.strip_prefix("http://").is_some_and(|rest| !rest.is_empty()) {
            return Ok(Self::Tcp(text.to_owned()));
        }
        Err(Error::Address { text: text.to_owned() })
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unix(path) => write!(formatter, "unix:{}", path.display()),
            Self::Tcp(url) => formatter.write_str(url),
        }
    }
}

/// Connects to a scheduler.
///
/// # Errors
/// When the address is none, or nobody answers there within ten seconds.
pub async fn connect(address: &Address) -> Result<Channel, Error> {
    let failed = |source| Error::Connect { address: address.clone(), source };
    match address {
        Address::Tcp(url) => with_deadlines(
            Endpoint::from_shared(url.clone()).map_err(|_| Error::Address { text: url.clone() })?,
        )
        .connect()
        .await
        .map_err(failed),
        Address::Unix(path) => {
            let path = path.clone();
            // The URI names no host that is ever looked up: the connector goes to the socket.
            with_deadlines(Endpoint::from_static("http://scheduler.invalid"))
                .connect_with_connector(service_fn(move |_| {
                    let path = path.clone();
                    async move { tokio::net::UnixStream::connect(path).await.map(TokioIo::new) }
                }))
                .await
                .map_err(failed)
        }
    }
}

fn with_deadlines(endpoint: Endpoint) -> Endpoint {
    endpoint
        .connect_timeout(CONNECT_TIMEOUT)
        .http2_keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(KEEP_ALIVE * 2)
        .keep_alive_while_idle(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_paths_or_urls() {
        assert_eq!("unix:/a/b".parse::<Address>().unwrap(), Address::Unix("/a/b".into()));
        assert_eq!("unix:///a/b".parse::<Address>().unwrap(), Address::Unix("/a/b".into()));
        assert!("http://127.0.0.1:7443".parse::<Address>().is_ok());
        for text in ["", "unix:", "http://", "host:1", "ftp://x"] {
            assert!(text.parse::<Address>().is_err(), "{text:?}");
        }
    }
}
