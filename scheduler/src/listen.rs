//! Where a scheduler listens: a socket that only its owner can reach, or a loopback port.

use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tokio::net::{TcpListener, UnixListener};
use tokio_stream::wrappers::{TcpListenerStream, UnixListenerStream};
use tonic::transport::server::Router;

/// An open listener.
#[derive(Debug)]
pub enum Listener {
    /// A socket in the file system.
    Unix(UnixListener),
    /// A TCP port.
    Tcp(TcpListener),
}

/// Why nobody can connect.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is none.
    #[error("{0:?} is no address to listen on; use 127.0.0.1:PORT or unix:PATH")]
    Address(String),
    /// Anybody could connect and there is no way yet to tell who it is.
    #[error(
        "{0} can be reached from other machines, and connections are not encrypted; listen on a \
         loopback address and forward it, for instance with `ssh -L`"
    )]
    NotLoopback(SocketAddr),
    /// The system says no.
    #[error("cannot listen on {address}")]
    Bind {
        /// Where.
        address: String,
        /// Why.
        source: io::Error,
    },
    /// The server failed.
    #[error("the server failed")]
    Serve(#[from] tonic::transport::Error),
}

impl Listener {
    /// Opens a listener on an address as a user writes it.
    ///
    /// # Errors
    /// When the address is none, can be reached from other machines, or is not to be had.
    pub async fn open(text: &str) -> Result<Self, Error> {
        if let Some(path) = text.strip_prefix("unix:") {
            return Self::unix(Path::new(path));
        }
        let address: SocketAddr = text.parse().map_err(|_| Error::Address(text.to_owned()))?;
        if !address.ip().is_loopback() {
            return Err(Error::NotLoopback(address));
        }
        let bound = TcpListener::bind(address).await;
        Ok(Self::Tcp(bound.map_err(|source| Error::Bind { address: text.to_owned(), source })?))
    }

    /// Opens a socket that only its owner can connect to.
    ///
    /// # Errors
    /// When the path is taken by a live scheduler, or not to be had.
    pub fn unix(path: &Path) -> Result<Self, Error> {
        let failed = |source| Error::Bind { address: format!("unix:{}", path.display()), source };
        if is_left_behind(path) {
            std::fs::remove_file(path).map_err(failed)?;
        }
        let listener = UnixListener::bind(path).map_err(failed)?;
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o600)).map_err(failed)?;
        Ok(Self::Unix(listener))
    }

    /// Where it listens, as a client writes it.
    #[must_use]
    pub fn address(&self) -> String {
        match self {
            Self::Tcp(listener) => {
                listener.local_addr().map(|at| format!("http://{at}")).unwrap_or_default()
            }
            Self::Unix(listener) => {
                let path: Option<PathBuf> =
                    listener.local_addr().ok().and_then(|at| at.as_pathname().map(Path::to_owned));
                format!("unix:{}", path.unwrap_or_default().display())
            }
        }
    }

    /// Serves until told to stop.
    ///
    /// # Errors
    /// When the server fails.
    pub async fn serve(
        self,
        router: Router,
        stop: impl Future<Output = ()> + Send,
    ) -> Result<(), Error> {
        match self {
            Self::Unix(listener) => {
                router.serve_with_incoming_shutdown(UnixListenerStream::new(listener), stop).await
            }
            Self::Tcp(listener) => {
                router.serve_with_incoming_shutdown(TcpListenerStream::new(listener), stop).await
            }
        }
        .map_err(Error::Serve)
    }
}

/// Whether this is the socket of a scheduler that is gone, and nothing else.
fn is_left_behind(path: &Path) -> bool {
    let is_socket = path.symlink_metadata().is_ok_and(|it| it.file_type().is_socket());
    let answer = || std::os::unix::net::UnixStream::connect(path);
    is_socket && answer().is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_its_owner_reaches_the_socket() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("s");
        let listener = Listener::open(&format!("unix:{}", path.display())).await.unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(listener.address(), format!("unix:{}", path.display()));
        assert!(Listener::unix(&path).is_err(), "a live scheduler keeps its socket");
        drop(listener);
        assert!(Listener::unix(&path).is_ok(), "a dead one's is taken over");
        let file = directory.path().join("file");
        std::fs::write(&file, "precious").unwrap();
        assert!(Listener::unix(&file).is_err() && file.exists(), "a file is left alone");
    }

    #[tokio::test]
    async fn other_machines_are_kept_out() {
        let error = Listener::open("0.0.0.0:0").await.unwrap_err().to_string();
        assert!(error.contains("can be reached from other machines"), "{error}");
        assert!(Listener::open("nowhere").await.is_err());
    }
}
