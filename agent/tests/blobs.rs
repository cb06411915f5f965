//! Parts of images from a scheduler whose connections break.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::pin::Pin;
use std::sync::{Arc, Mutex};

use muletrain_agent::blobs::{Arriving, Error};
use muletrain_proto::blob::{Digest, Got, Request as Wanted};
use muletrain_proto::client::Address;
use muletrain_proto::wire;
use muletrain_proto::wire::blobs_server::{Blobs, BlobsServer};
use tempfile::TempDir;
use tokio_stream::Stream;
use tokio_stream::wrappers::UnixListenerStream;
use tonic::{Request, Response, Status, Streaming};

/// A scheduler that has one blob and breaks off after so many bytes of it.
#[derive(Clone)]
struct Fickle {
    content: Vec<u8>,
    /// Bytes it sends each time.
    breath: usize,
    /// Offsets it was asked for.
    asked: Arc<Mutex<Vec<u64>>>,
}

#[tonic::async_trait]
impl Blobs for Fickle {
    type GetStream = Pin<Box<dyn Stream<Item = Result<wire::GetMessage, Status>> + Send>>;

    async fn get(
        &self,
        request: Request<wire::GetRequest>,
    ) -> Result<Response<Self::GetStream>, Status> {
        let wanted = Wanted::try_from(request.into_inner()).unwrap();
        if wanted.digest != Digest::of(b"wanted") {
            return Err(Status::not_found("nothing else is here"));
        }
        self.asked.lock().unwrap().push(wanted.offset);
        let start = usize::try_from(wanted.offset).unwrap();
        let end = self.content.len().min(start + self.breath);
        let say = |got: Got| Ok(wire::GetMessage::from(got));
        let mut messages = vec![
            say(Got::Size(self.content.len() as u64)),
            say(Got::Piece(self.content[start..end].to_vec())),
        ];
        if end < self.content.len() {
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

/// Serves a blob as long as the folder is kept.
fn serve(content: &[u8], breath: usize) -> (TempDir, Address, Arc<Mutex<Vec<u64>>>) {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("s");
    let listener = UnixListenerStream::new(tokio::net::UnixListener::bind(&socket).unwrap());
    let asked = Arc::new(Mutex::default());
    let fickle = Fickle { content: content.to_vec(), breath, asked: Arc::clone(&asked) };
    let server = tonic::transport::Server::builder().add_service(BlobsServer::new(fickle));
    tokio::spawn(server.serve_with_incoming(listener));
    (folder, Address::Unix(socket), asked)
}

async fn get(address: &Address, limit: u64) -> Result<Vec<u8>, Error> {
    Arriving::open(address, Digest::of(b"wanted")).await?.whole(limit).await
}

#[tokio::test]
async fn it_goes_on_where_it_was_after_each_connection_that_broke() {
    let (_folder, address, asked) = serve(b"wanted", 2);
    assert_eq!(get(&address, 100).await.unwrap(), b"wanted");
    assert_eq!(*asked.lock().unwrap(), [0, 2, 4]);
}

#[tokio::test]
async fn what_is_something_else_is_an_error() {
    let (_folder, address, _) = serve(b"wasted", 100);
    let error = get(&address, 100).await.unwrap_err();
    assert!(matches!(error, Error::Other { .. }), "{error}");
}

#[tokio::test]
async fn what_is_larger_than_it_can_be_is_not_taken() {
    let (_folder, address, _) = serve(b"wanted", 100);
    let error = get(&address, 5).await.unwrap_err();
    assert!(matches!(error, Error::Large { size: 6, limit: 5, .. }), "{error}");
}

#[tokio::test]
async fn what_the_scheduler_does_not_have_is_not_waited_for() {
    let (_folder, address, _) = serve(b"wanted", 100);
    let absent = Digest::of(b"absent");
    let error = Arriving::open(&address, absent).await.unwrap_err();
    assert!(error.is_absence_of(absent), "{error}");
    assert!(!error.is_absence_of(Digest::of(b"wanted")));
}
