//! A scheduler that has parts of images, and breaks off however often it is told to.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use muletrain_proto::blob::{Digest, Got, Request as Wanted};
use muletrain_proto::client::Address;
use muletrain_proto::wire;
use muletrain_proto::wire::blobs_server::{Blobs, BlobsServer};
use tempfile::TempDir;
use tokio_stream::Stream;
use tokio_stream::wrappers::UnixListenerStream;
use tonic::{Request, Response, Status, Streaming};

/// A scheduler of blobs, as long as this is kept.
pub struct Served {
    pub address: Address,
    /// What it was asked for, with offsets.
    pub asked: Arc<Mutex<Vec<(Digest, u64)>>>,
    _folder: TempDir,
}

/// Serves blobs, so many bytes by each connection.
pub fn serve(blobs: BTreeMap<Digest, Vec<u8>>, breath: usize) -> Served {
    serve_fickle(Fickle { blobs, breath, asked: Arc::default(), shrinks: false })
}

/// Serves blobs, each as if it ended where the connection before broke.
pub fn serve_shrinking(blobs: BTreeMap<Digest, Vec<u8>>, breath: usize) -> Served {
    serve_fickle(Fickle { blobs, breath, asked: Arc::default(), shrinks: true })
}

fn serve_fickle(fickle: Fickle) -> Served {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("s");
    let listener = UnixListenerStream::new(tokio::net::UnixListener::bind(&socket).unwrap());
    let asked = fickle.asked.clone();
    let server = tonic::transport::Server::builder().add_service(BlobsServer::new(fickle));
    tokio::spawn(server.serve_with_incoming(listener));
    Served { address: Address::Unix(socket), asked, _folder: folder }
}

struct Fickle {
    blobs: BTreeMap<Digest, Vec<u8>>,
    breath: usize,
    asked: Arc<Mutex<Vec<(Digest, u64)>>>,
    shrinks: bool,
}

#[tonic::async_trait]
impl Blobs for Fickle {
    type GetStream = Pin<Box<dyn Stream<Item = Result<wire::GetMessage, Status>> + Send>>;

    async fn get(
        &self,
        request: Request<wire::GetRequest>,
    ) -> Result<Response<Self::GetStream>, Status> {
        let wanted = Wanted::try_from(request.into_inner()).unwrap();
        self.asked.lock().unwrap().push((wanted.digest, wanted.offset));
        let absent = || Status::not_found("it is not here");
        let content = self.blobs.get(&wanted.digest).ok_or_else(absent)?;
        let start = usize::try_from(wanted.offset).unwrap();
        let shrunk = self.shrinks && start > 0;
        let content = if shrunk { &content[..start] } else { &content[..] };
        let end = content.len().min(start + self.breath);
        let say = |got: Got| Ok(wire::GetMessage::from(got));
        let mut messages = vec![
            say(Got::Size(content.len() as u64)),
            say(Got::Piece(content[start..end].to_vec())),
        ];
        if end < content.len() {
            messages.push(Err(Status::unavailable("the network is gone")));
        }
        Ok(Response::new(Box::pin(tokio_stream::iter(messages))))
    }

    async fn missing(
        &self,
        _: Request<wire::MissingRequest>,
    ) -> Result<Response<wire::MissingReply>, Status> {
        Err(Status::unimplemented("agents do not ask this"))
    }

    async fn stat(
        &self,
        _: Request<wire::StatRequest>,
    ) -> Result<Response<wire::StatReply>, Status> {
        Err(Status::unimplemented("agents do not ask this"))
    }

    async fn put(
        &self,
        _: Request<Streaming<wire::PutMessage>>,
    ) -> Result<Response<wire::PutReply>, Status> {
        Err(Status::unimplemented("agents send nothing"))
    }
}
