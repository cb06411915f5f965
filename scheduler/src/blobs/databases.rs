//! The gRPC service of databases that agents offer one another.

use std::pin::Pin;
use std::sync::Arc;

use muletrain_proto::blob::Digest;
use muletrain_proto::id::SnapshotId;
use muletrain_proto::offer::{Offer, Seek};
use muletrain_proto::wire;
use muletrain_proto::wire::databases_server::{Databases, DatabasesServer};
use tokio::sync::mpsc;
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use super::service::blocking;
use super::turns::Turns;
use super::{Offers, Store};

/// Databases for whoever asks.
#[derive(Clone)]
pub struct Service {
    store: Arc<Store>,
    offers: Arc<Offers>,
    turns: Arc<Turns<(Digest, SnapshotId)>>,
}

type Answers = mpsc::Sender<Result<wire::SeekReply, Status>>;

impl Service {
    pub(super) fn new(store: Arc<Store>, offers: Arc<Offers>) -> Self {
        Self { store, offers, turns: Arc::default() }
    }

    /// The service, ready to be given to a server.
    #[must_use]
    pub fn server(self) -> DatabasesServer<Self> {
        DatabasesServer::new(self)
    }

    /// Answers once there is something to say, and holds the turn while its holder listens.
    async fn answer(&self, seek: Seek, answers: &Answers) -> Result<(), Status> {
        let found = self.find(&seek).await?;
        if !found.is_empty() {
            return say(answers, found).await;
        }
        let _turn = self.turns.of((seek.key, seek.snapshot.clone())).await;
        let found = self.find(&seek).await?;
        let is_turn = found.is_empty();
        say(answers, found).await?;
        if is_turn {
            answers.closed().await;
        }
        Ok(())
    }

    async fn find(&self, seek: &Seek) -> Result<Vec<Digest>, Status> {
        let (store, offers, seek) = (self.store.clone(), self.offers.clone(), seek.clone());
        blocking(move || Ok(offers.find(&store, &seek.key, &seek.known))).await
    }
}

async fn say(answers: &Answers, found: Vec<Digest>) -> Result<(), Status> {
    // Who asked may have gone.
    let _ = answers.send(Ok(found.into())).await;
    Ok(())
}

#[tonic::async_trait]
impl Databases for Service {
    type SeekStream = Pin<Box<dyn Stream<Item = Result<wire::SeekReply, Status>> + Send>>;

    async fn seek(
        &self,
        request: Request<wire::SeekRequest>,
    ) -> Result<Response<Self::SeekStream>, Status> {
        let seek = Seek::try_from(request.into_inner())?;
        let (answers, messages) = mpsc::channel(1);
        let service = self.clone();
        tokio::spawn(async move {
            let answered = tokio::select! {
                answered = service.answer(seek, &answers) => answered,
                // Nobody waits for a turn who does not want it any more.
                () = answers.closed() => Ok(()),
            };
            if let Err(status) = answered {
                let _ = answers.send(Err(status)).await;
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(messages))))
    }

    async fn offer(
        &self,
        request: Request<wire::OfferRequest>,
    ) -> Result<Response<wire::OfferReply>, Status> {
        let offer = Offer::try_from(request.into_inner())?;
        if !self.store.missing(&[offer.entry]).is_empty() {
            return Err(Status::failed_precondition(format!("there is no {} here", offer.entry)));
        }
        let offers = self.offers.clone();
        blocking(move || offers.add(offer)).await?;
        tracing::info!(key = %offer.key, entry = %offer.entry, "databases are offered");
        Ok(Response::new(wire::OfferReply {}))
    }
}
