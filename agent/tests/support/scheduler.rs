//! A scheduler that does as a test tells it, over a real socket.

use std::path::PathBuf;
use std::pin::Pin;
use std::time::Duration;

use futures_util::{Stream, StreamExt};
use muletrain_proto::event::Event;
use muletrain_proto::id::{AppLabel, Epoch, LeaseId, LeaseKey, RunId, SuiteName};
use muletrain_proto::lease::{Grant, Lease, Work};
use muletrain_proto::link::{Hello, Report, RunBrief, ToAgent, ToScheduler};
use muletrain_proto::outcome::Ending;
use muletrain_proto::seconds::Seconds;
use muletrain_proto::wire;
use tokio::net::UnixListener;
use tokio::sync::mpsc;
use tokio_stream::wrappers::{UnboundedReceiverStream, UnixListenerStream};
use tonic::{Request, Response, Status, Streaming};

use super::PATIENCE;

/// How often agents of these tests send heartbeats.
pub const HEARTBEAT: Duration = Duration::from_millis(200);

/// A scheduler that waits for agents.
pub struct Scheduler {
    folder: tempfile::TempDir,
    connections: mpsc::UnboundedReceiver<Connection>,
    server: tokio::task::JoinHandle<()>,
}

/// The stream of an agent.
pub struct Connection {
    from_agent: mpsc::UnboundedReceiver<ToScheduler>,
    to_agent: Option<mpsc::UnboundedSender<Result<wire::SchedulerMessage, Status>>>,
    /// Whether reports are acknowledged as they are read.
    pub acknowledges: bool,
}

impl Scheduler {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (server, connections) = serve(&folder.path().join("scheduler.sock"));
        Self { folder, connections, server }
    }

    pub fn address(&self) -> String {
        format!("unix:{}", self.socket().display())
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("scheduler.sock")
    }

    /// Takes the server away, and with it the stream of an agent.
    pub fn stop(&mut self, connection: &mut Connection) {
        connection.to_agent = None;
        self.server.abort();
        std::fs::remove_file(self.socket()).unwrap();
    }

    /// Brings it back at the same address.
    pub fn restart(&mut self) {
        (self.server, self.connections) = serve(&self.socket());
    }

    /// The next agent that attaches.
    pub async fn accept(&mut self) -> Connection {
        let accepted = tokio::time::timeout(PATIENCE, self.connections.recv()).await;
        accepted.expect("an agent attaches").unwrap()
    }

    /// An agent that attached, said hello, and was made welcome.
    pub async fn welcome(&mut self) -> (Connection, Hello) {
        let mut connection = self.accept().await;
        let ToScheduler::Hello(hello) = connection.next().await else { panic!("no hello") };
        connection.send(ToAgent::Welcome { heartbeat: HEARTBEAT.into() });
        (connection, hello)
    }
}

impl Connection {
    pub fn send(&self, message: ToAgent) {
        let to_agent = self.to_agent.as_ref().expect("the stream is open");
        let _ = to_agent.send(Ok(message.into()));
    }

    /// Ends the stream with an error.
    pub fn refuse(&mut self, status: Status) {
        let _ = self.to_agent.take().unwrap().send(Err(status));
    }

    pub async fn next(&mut self) -> ToScheduler {
        let received = tokio::time::timeout(PATIENCE, self.from_agent.recv()).await;
        received.expect("the agent says something").expect("the stream is open")
    }

    /// The next message that is no heartbeat.
    pub async fn said(&mut self) -> ToScheduler {
        loop {
            match self.next().await {
                ToScheduler::Heartbeat(_) => {}
                message => return message,
            }
        }
    }

    /// The next report, whatever else is said before it.
    pub async fn report(&mut self) -> Report {
        loop {
            if let ToScheduler::Event(report) = self.next().await {
                if self.acknowledges {
                    let (lease, sequence) = (report.lease.clone(), report.sequence);
                    self.send(ToAgent::Acknowledge { lease, sequence });
                }
                return report;
            }
        }
    }

    /// Reports up to one that is wanted, which is the last of them.
    pub async fn reports_until(&mut self, wanted: impl Fn(&Event) -> bool) -> Vec<Event> {
        let mut events = Vec::new();
        loop {
            events.push(self.report().await.event);
            if events.last().is_some_and(&wanted) {
                return events;
            }
        }
    }

    /// All reports up to the ending of the next lease that ends.
    pub async fn reports_until_ended(&mut self) -> (Vec<Event>, Ending) {
        let mut events = self.reports_until(|event| matches!(event, Event::Ended(_))).await;
        let Some(Event::Ended(ending)) = events.pop() else { panic!("no ending") };
        (events, ending)
    }

    /// Hands out a run, and a lease for all tests of an app, and grants them.
    pub fn lease_app(&self, brief: &RunBrief, number: u32, app: &str) -> LeaseKey {
        let key = key(&brief.run, number);
        self.send(ToAgent::Run(Box::new(brief.clone())));
        let work = Work::Run {
            app: AppLabel::new(app).unwrap(),
            labels: vec![app.to_owned()],
            tests: None,
        };
        self.send(ToAgent::Lease(Lease {
            key: key.clone(),
            work,
            checks: false,
            suite: SuiteName::default(),
            without: vec![],
            time_left: None,
        }));
        let grant = Grant { number: 1, tests: None, last: true, ordered: false };
        self.send(ToAgent::Grant(key.clone(), grant));
        key
    }
}

pub fn key(run: &RunId, lease: u32) -> LeaseKey {
    LeaseKey { run: run.clone(), lease: LeaseId(lease), epoch: Epoch(1) }
}

/// Verdicts of finished tests, one a line.
pub fn verdicts(events: &[Event]) -> String {
    let lines = events.iter().filter_map(|event| match event {
        Event::Finished(finished) => Some(format!("{} {}", finished.test, finished.verdict)),
        Event::TimedOut(timed_out) => Some(format!("{} over its limit", timed_out.test)),
        _ => None,
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn serve(
    socket: &std::path::Path,
) -> (tokio::task::JoinHandle<()>, mpsc::UnboundedReceiver<Connection>) {
    let listener = UnixListener::bind(socket).unwrap();
    let (accepted, connections) = mpsc::unbounded_channel();
    let agents = wire::agents_server::AgentsServer::new(Service { accepted });
    let incoming = UnixListenerStream::new(listener);
    let server = tonic::transport::Server::builder().add_service(agents);
    let task = tokio::spawn(async move { server.serve_with_incoming(incoming).await.unwrap() });
    (task, connections)
}

struct Service {
    accepted: mpsc::UnboundedSender<Connection>,
}

type Answers = Pin<Box<dyn Stream<Item = Result<wire::SchedulerMessage, Status>> + Send>>;

#[tonic::async_trait]
impl wire::agents_server::Agents for Service {
    type AttachStream = Answers;

    async fn attach(
        &self,
        request: Request<Streaming<wire::AgentMessage>>,
    ) -> Result<Response<Answers>, Status> {
        let mut messages = request.into_inner();
        let (from, from_agent) = mpsc::unbounded_channel();
        let (to_agent, to) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok(Some(message)) = messages.message().await {
                let message = ToScheduler::try_from(message).expect("an agent's message is good");
                if from.send(message).is_err() {
                    return;
                }
            }
        });
        let connection = Connection { from_agent, to_agent: Some(to_agent), acknowledges: true };
        let _ = self.accepted.send(connection);
        Ok(Response::new(UnboundedReceiverStream::new(to).boxed()))
    }
}

pub fn seconds(seconds: f64) -> Seconds {
    Seconds::new(seconds).unwrap()
}
