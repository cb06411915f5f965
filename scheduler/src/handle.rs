//! How the rest of the process talks to the engine.

use std::path::PathBuf;

use muletrain_proto::blob::Digest;
use muletrain_proto::hook::Hook;
use muletrain_proto::id::{AgentId, RunId};
use muletrain_proto::link::{Hello, ToAgent, ToScheduler};
use muletrain_proto::run::{Options, Overview, Stop, Submission};
use muletrain_proto::snapshot::Snapshot;
use tokio::sync::{mpsc, oneshot, watch};

use crate::journal;
use crate::pure::fleet::Connection;
use crate::pure::rules::Rules;
use crate::pure::{label, select};

/// What is said to an agent; an error ends its stream.
pub type Outbox = mpsc::UnboundedReceiver<Result<ToAgent, String>>;

/// Every way to reach the engine.
pub(crate) enum Command {
    Submit(Box<Submission>, oneshot::Sender<Result<RunId, SubmitError>>),
    Attach(Box<Hello>, oneshot::Sender<(Connection, Outbox)>),
    Heard(Connection, AgentId, Box<ToScheduler>),
    Detach(Connection, AgentId),
    Stop(RunId, Stop, oneshot::Sender<bool>),
    TornDown(RunId, Vec<Hook>, oneshot::Sender<bool>),
    List(oneshot::Sender<Vec<Overview>>),
    Follow(Option<RunId>, oneshot::Sender<Option<Followed>>),
    Images(oneshot::Sender<Vec<Digest>>),
}

/// A journal to read along.
#[derive(Debug)]
pub struct Followed {
    /// Where it is.
    pub path: PathBuf,
    /// How far it is written.
    pub written: watch::Receiver<Written>,
}

/// How far a journal is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Written {
    /// Lines, the header counted.
    pub lines: u64,
    /// Nothing follows.
    pub closed: bool,
}

/// Why a run is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// A label names nothing.
    #[error(transparent)]
    Label(#[from] label::Unknown),
    /// A pattern of the selection is none.
    #[error(transparent)]
    Selection(#[from] select::Error),
    /// Its journal cannot be kept.
    #[error(transparent)]
    Journal(#[from] journal::Error),
    /// The engine has ended.
    #[error("the scheduler is shutting down")]
    ShuttingDown,
}

/// Checks what a user asks for against what the snapshot's files show.
///
/// # Errors
/// When a label names nothing or a pattern is none.
pub fn check(snapshot: &Snapshot, options: &Options) -> Result<(), SubmitError> {
    label::resolve(options, snapshot)?;
    let selections = options.suites.values().chain([&options.selection]);
    selections.map(select::Selector::new).try_for_each(|selector| selector.map(drop))?;
    Rules::new(options)?.with_services(&snapshot.services)?;
    Ok(())
}

/// A way to reach the engine; clones reach the same one.
#[derive(Clone)]
pub struct Handle {
    commands: mpsc::Sender<Command>,
}

impl Handle {
    pub(crate) fn new(commands: mpsc::Sender<Command>) -> Self {
        Self { commands }
    }

    /// Hands in a run.
    ///
    /// # Errors
    /// When a label names nothing, a pattern is none, or no journal can be kept.
    pub async fn submit(&self, submission: Submission) -> Result<RunId, SubmitError> {
        let ask = |reply| Command::Submit(Box::new(submission), reply);
        self.ask(ask).await.unwrap_or(Err(SubmitError::ShuttingDown))
    }

    /// Connects an agent. None when the engine has ended.
    pub async fn attach(&self, hello: Hello) -> Option<(Connection, Outbox)> {
        self.ask(|reply| Command::Attach(Box::new(hello), reply)).await
    }

    /// Passes on what an agent says on a stream.
    pub async fn heard(&self, connection: Connection, agent: AgentId, message: ToScheduler) {
        // An engine that has ended hears nothing.
        let _ = self.commands.send(Command::Heard(connection, agent, Box::new(message))).await;
    }

    /// An agent's stream has ended.
    pub async fn detach(&self, connection: Connection, agent: AgentId) {
        let _ = self.commands.send(Command::Detach(connection, agent)).await;
    }

    /// Ends a run before its work is done; tells whether there is such a run that is not over.
    pub async fn stop(&self, run: RunId, stop: Stop) -> bool {
        self.ask(|reply| Command::Stop(run, stop, reply)).await.unwrap_or(false)
    }

    /// Tells what became of the commands that end a run; whether there is such a run that is not
    /// over.
    pub async fn torn_down(&self, run: RunId, hooks: Vec<Hook>) -> bool {
        self.ask(|reply| Command::TornDown(run, hooks, reply)).await.unwrap_or(false)
    }

    /// Every run, the oldest first.
    pub async fn list(&self) -> Vec<Overview> {
        self.ask(Command::List).await.unwrap_or_default()
    }

    /// A run's journal, the newest run's where none is named; none when there is no such run.
    pub async fn follow(&self, run: Option<RunId>) -> Option<Followed> {
        self.ask(|reply| Command::Follow(run, reply)).await.flatten()
    }

    /// Images that runs need which are not over.
    pub async fn images(&self) -> Vec<Digest> {
        self.ask(Command::Images).await.unwrap_or_default()
    }

    async fn ask<T>(&self, command: impl FnOnce(oneshot::Sender<T>) -> Command) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(command(reply)).await.ok()?;
        answer.await.ok()
    }
}
