//! A scheduler that does as it is told.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use muletrain_proto::wire;
use muletrain_proto::wire::runs_server::{Runs, RunsServer};
use tokio::sync::{Notify, mpsc};
use tokio_stream::wrappers::{ReceiverStream, UnixListenerStream};
use tonic::{Request, Response, Status};

/// What one call of `Watch` gets.
pub(crate) enum Answer {
    /// Lines up to this one, then a broken connection.
    Break(usize),
    /// Lines up to this one, and the rest once told to go on.
    Hold(usize, Arc<Notify>),
    /// All lines.
    Whole,
}

struct Scheduler {
    lines: Vec<String>,
    answers: Mutex<VecDeque<Answer>>,
    asked: Arc<Mutex<Vec<wire::WatchRequest>>>,
}

type Lines = mpsc::Sender<Result<wire::JournalLine, Status>>;

#[tonic::async_trait]
impl Runs for Scheduler {
    type WatchStream = ReceiverStream<Result<wire::JournalLine, Status>>;

    async fn watch(
        &self,
        request: Request<wire::WatchRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let request = request.into_inner();
        let (from, lines) = (usize::try_from(request.from).unwrap(), self.lines.clone());
        self.asked.lock().unwrap().push(request);
        let answer = self.answers.lock().unwrap().pop_front();
        let answer = answer.ok_or_else(|| Status::not_found("there is no such run"))?;
        let (sender, stream) = mpsc::channel(1);
        tokio::spawn(async move {
            match answer {
                Answer::Break(end) => {
                    send(&sender, &lines, from..end).await;
                    let _ = sender.send(Err(Status::unavailable("going down"))).await;
                }
                Answer::Hold(end, go_on) => {
                    send(&sender, &lines, from..end).await;
                    go_on.notified().await;
                    send(&sender, &lines, end..lines.len()).await;
                }
                Answer::Whole => send(&sender, &lines, from..lines.len()).await,
            }
        });
        Ok(Response::new(ReceiverStream::new(stream)))
    }

    async fn submit(
        &self,
        _: Request<wire::SubmitRequest>,
    ) -> Result<Response<wire::SubmitReply>, Status> {
        Err(Status::unimplemented("only watched here"))
    }

    async fn cancel(
        &self,
        _: Request<wire::CancelRequest>,
    ) -> Result<Response<wire::CancelReply>, Status> {
        Err(Status::unimplemented("only watched here"))
    }

    async fn tear_down(
        &self,
        _: Request<wire::TearDownRequest>,
    ) -> Result<Response<wire::TearDownReply>, Status> {
        Err(Status::unimplemented("only watched here"))
    }

    async fn list(
        &self,
        _: Request<wire::ListRequest>,
    ) -> Result<Response<wire::ListReply>, Status> {
        Err(Status::unimplemented("only watched here"))
    }
}

async fn send(sender: &Lines, lines: &[String], range: std::ops::Range<usize>) {
    for number in range {
        let line = wire::JournalLine { number: number as u64, line: lines[number].clone() };
        // Who watched may have gone.
        let _ = sender.send(Ok(line)).await;
    }
}

/// A scheduler on a socket of its own, and what it was asked.
pub(crate) struct Stage {
    directory: tempfile::TempDir,
    pub(crate) asked: Arc<Mutex<Vec<wire::WatchRequest>>>,
    pub(crate) server: tokio::task::JoinHandle<()>,
}

impl Stage {
    pub(crate) fn with(journal: &str, answers: impl IntoIterator<Item = Answer>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let socket = directory.path().join("socket");
        let listener = tokio::net::UnixListener::bind(&socket).unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let scheduler = Scheduler {
            lines: journal.lines().map(str::to_owned).collect(),
            answers: Mutex::new(answers.into_iter().collect()),
            asked: asked.clone(),
        };
        let server = tonic::transport::Server::builder()
            .add_service(RunsServer::new(scheduler))
            .serve_with_incoming(UnixListenerStream::new(listener));
        let server = tokio::spawn(async move { server.await.unwrap() });
        Self { directory, asked, server }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn address(&self) -> String {
        format!("unix:{}", self.path("socket").display())
    }
}
