//! The gRPC services: wire messages in and out, and nothing decided.

use std::path::PathBuf;
use std::pin::Pin;

use muletrain_proto::client::MESSAGE_LIMIT;
use muletrain_proto::hook::Hook;
use muletrain_proto::id::{AgentId, RunId};
use muletrain_proto::link::ToScheduler;
use muletrain_proto::run::{Stop, Submission, Watch};
use muletrain_proto::wire;
use muletrain_proto::wire::agents_server::{Agents, AgentsServer};
use muletrain_proto::wire::runs_server::{Runs, RunsServer};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::{Stream, StreamExt};
use tonic::transport::server::Router;
use tonic::{Request, Response, Status, Streaming};

use crate::blobs;
use crate::handle::{Followed, Handle, Outbox, SubmitError};
use crate::packed;
use crate::pure::fleet::Connection;

/// Journal lines read ahead of whoever watches.
const READ_AHEAD: usize = 256;

/// All services, ready to be given a listener. Without databases it is for one machine alone, whose
/// agent has nobody to share them with.
#[must_use]
pub fn router(
    handle: Handle,
    blobs: blobs::Service,
    databases: Option<blobs::Databases>,
) -> Router {
    let service = Service { handle };
    let keepalive = Some(std::time::Duration::from_secs(5));
    tonic::transport::Server::builder()
        .http2_keepalive_interval(keepalive)
        .add_service(
            AgentsServer::new(service.clone())
                .max_decoding_message_size(MESSAGE_LIMIT)
                .max_encoding_message_size(MESSAGE_LIMIT),
        )
        .add_service(
            RunsServer::new(service)
                .max_decoding_message_size(MESSAGE_LIMIT)
                .max_encoding_message_size(MESSAGE_LIMIT),
        )
        .add_service(blobs.server())
        .add_optional_service(databases.map(blobs::Databases::server))
}

#[derive(Clone)]
struct Service {
    handle: Handle,
}

type Reply<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl Agents for Service {
    type AttachStream = Reply<wire::SchedulerMessage>;

    async fn attach(
        &self,
        request: Request<Streaming<wire::AgentMessage>>,
    ) -> Result<Response<Self::AttachStream>, Status> {
        let mut inbound = request.into_inner();
        let first = inbound.message().await?;
        let first =
            first.ok_or_else(|| Status::invalid_argument("the stream begins with hello"))?;
        let ToScheduler::Hello(hello) = ToScheduler::try_from(first)? else {
            return Err(Status::invalid_argument("the stream begins with hello"));
        };
        let agent = hello.agent.clone();
        let attached = self.handle.attach(hello).await;
        let (connection, outbox) = attached.ok_or_else(shutting_down)?;
        tokio::spawn(listen(self.handle.clone(), agent, connection, inbound));
        Ok(Response::new(Box::pin(speak(outbox))))
    }
}

/// Passes on what an agent says until its stream ends or makes no sense.
async fn listen(
    handle: Handle,
    agent: AgentId,
    connection: Connection,
    mut inbound: Streaming<wire::AgentMessage>,
) {
    loop {
        let message = match inbound.message().await {
            Ok(Some(message)) => ToScheduler::try_from(message),
            Ok(None) => break,
            Err(status) => {
                tracing::info!(%agent, "its stream broke: {}", status.message());
                break;
            }
        };
        match message {
            Ok(message) => handle.heard(connection, agent.clone(), message).await,
            Err(error) => {
                tracing::warn!(%agent, "its stream is ended: {error}");
                break;
            }
        }
    }
    handle.detach(connection, agent).await;
}

fn speak(outbox: Outbox) -> impl Stream<Item = Result<wire::SchedulerMessage, Status>> {
    tokio_stream::wrappers::UnboundedReceiverStream::new(outbox)
        .map(|message| message.map(Into::into).map_err(Status::failed_precondition))
}

#[tonic::async_trait]
impl Runs for Service {
    type WatchStream = Reply<wire::JournalLine>;

    async fn submit(
        &self,
        request: Request<wire::SubmitRequest>,
    ) -> Result<Response<wire::SubmitReply>, Status> {
        let submission = Submission::try_from(request.into_inner())?;
        let run = self.handle.submit(submission).await.map_err(refuse)?;
        Ok(Response::new(run.into()))
    }

    async fn watch(
        &self,
        request: Request<wire::WatchRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let Watch { run, from } = request.into_inner().try_into()?;
        let followed = self.handle.follow(run).await;
        let followed = followed.ok_or_else(|| Status::not_found("there is no such run"))?;
        let (sender, lines) = mpsc::channel(READ_AHEAD);
        tokio::spawn(async move {
            if let Err(error) = read_along(followed, from, &sender).await {
                let status = Status::internal(format!("the journal cannot be read: {error}"));
                // Whoever watched may have gone.
                let _ = sender.send(Err(status)).await;
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(lines))))
    }

    async fn cancel(
        &self,
        request: Request<wire::CancelRequest>,
    ) -> Result<Response<wire::CancelReply>, Status> {
        let run = RunId::try_from(request.into_inner())?;
        match self.handle.stop(run.clone(), Stop::Interrupted).await {
            true => Ok(Response::new(wire::CancelReply {})),
            false => Err(Status::not_found(format!("run {run} is over, or there is no such run"))),
        }
    }

    async fn tear_down(
        &self,
        request: Request<wire::TearDownRequest>,
    ) -> Result<Response<wire::TearDownReply>, Status> {
        let (run, hooks) = <(RunId, Vec<Hook>)>::try_from(request.into_inner())?;
        match self.handle.torn_down(run.clone(), hooks).await {
            true => Ok(Response::new(wire::TearDownReply {})),
            false => Err(Status::not_found(format!("run {run} is over, or there is no such run"))),
        }
    }

    async fn list(
        &self,
        _: Request<wire::ListRequest>,
    ) -> Result<Response<wire::ListReply>, Status> {
        Ok(Response::new(self.handle.list().await.into()))
    }
}

/// Sends a journal's lines as they are written, until it is closed and all are sent.
async fn read_along(
    mut followed: Followed,
    from: u64,
    sender: &mpsc::Sender<Result<wire::JournalLine, Status>>,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(open(followed.path.clone()).await?);
    let (mut number, mut line) = (0, String::new());
    loop {
        let written = *followed.written.borrow_and_update();
        while number < written.lines {
            line.clear();
            reader.read_line(&mut line).await?;
            if number >= from {
                let line = line.trim_end_matches('\n').to_owned();
                if sender.send(Ok(wire::JournalLine { number, line })).await.is_err() {
                    return Ok(());
                }
            }
            number += 1;
        }
        if written.closed || followed.written.changed().await.is_err() {
            // The sender may have gone right after a last change.
            if number >= followed.written.borrow().lines {
                return Ok(());
            }
        }
    }
}

/// A journal's text. That of a run that is over may be packed by now.
async fn open(path: PathBuf) -> std::io::Result<tokio::fs::File> {
    let text = tokio::task::spawn_blocking(move || match packed::is_packed(&path) {
        true => packed::unpacked(&path),
        false => std::fs::File::open(&path).or_else(|_| packed::unpacked(&path)),
    });
    Ok(tokio::fs::File::from_std(text.await??))
}

#[expect(clippy::needless_pass_by_value, reason = "the signature that map_err wants")]
fn refuse(error: SubmitError) -> Status {
    let text = muletrain_proto::cli::chain(&error);
    match error {
        SubmitError::Label(_) | SubmitError::Selection(_) => Status::invalid_argument(text),
        SubmitError::Journal(_) => Status::internal(text),
        SubmitError::ShuttingDown => shutting_down(),
    }
}

fn shutting_down() -> Status {
    Status::unavailable("the scheduler is shutting down")
}
