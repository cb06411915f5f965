//! Follows a run on a scheduler over dropped connections, to its last record.

use std::time::Duration;

use muletrain_proto::client::{self, Address, MESSAGE_LIMIT};
use muletrain_proto::exit_code::ExitCode;
use muletrain_proto::id::RunId;
use muletrain_proto::journal::{self, Entry, Header, Record};
use muletrain_proto::wire::runs_client::RunsClient;
use muletrain_proto::wire::{JournalLine, WatchRequest};
use tokio::sync::mpsc::Sender;
use tokio::time::Instant;
use tonic::{Code, Status, Streaming};

/// First and longest pause between two tries.
const PAUSE: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));

/// Why a run cannot be followed, or not to its end.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody answers.
    #[error(transparent)]
    Connect(#[from] client::Error),
    /// The scheduler does not know the run.
    #[error("the scheduler at {address} has no such run: {reason}")]
    Unknown {
        /// The scheduler.
        address: Address,
        /// What it says.
        reason: String,
    },
    /// The scheduler refused, or the connection broke.
    #[error("the connection to {address} broke: {reason}")]
    Broken {
        /// The scheduler.
        address: Address,
        /// What the transport says.
        reason: String,
    },
    /// A line of the journal is none.
    #[error("the scheduler at {address} sent line {number}, which is no journal line")]
    Line {
        /// The scheduler.
        address: Address,
        /// The line.
        number: u64,
        /// Why not.
        source: journal::Error,
    },
    /// It is followed on this machine.
    #[error(transparent)]
    Stored(#[from] crate::tail::Error),
}

impl Error {
    /// What it comes to.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Unknown { .. } => ExitCode::Usage,
            Self::Stored(error) => error.exit_code(),
            Self::Connect(_) | Self::Broken { .. } | Self::Line { .. } => ExitCode::Infrastructure,
        }
    }

    /// Whether trying again may help.
    fn is_passing(&self) -> bool {
        matches!(self, Self::Connect(_) | Self::Broken { .. })
    }
}

/// What following a run yields.
#[derive(Debug)]
pub enum News {
    /// The first line of the journal, and as it is stored.
    Header(Header, String),
    /// Any other line, and as it is stored.
    Entry(Box<Entry>, String),
    /// A line that cannot be read and was passed over, with why.
    Bad(String),
    /// The connection broke and is tried again.
    Waiting(Error),
    /// It ends here, without the last record.
    Lost(Error),
}

/// Sends what is new of a run, in order, until its last record, or until nobody listens. A
/// connection that breaks is tried again for as long as `patience`.
pub async fn follow(address: Address, run: Option<RunId>, patience: Duration, news: Sender<News>) {
    let mut follower = Follower { address, run, next: 0, news };
    let mut given_up: Option<Instant> = None;
    let mut pause = PAUSE.0;
    loop {
        let before = follower.next;
        let Err(error) = follower.watch().await else { return };
        if follower.next > before {
            (given_up, pause) = (None, PAUSE.0);
        }
        let deadline = *given_up.get_or_insert_with(|| Instant::now() + patience);
        // Who never answered is not waited for.
        if follower.next == 0 || !error.is_passing() || Instant::now() + pause > deadline {
            let _ = follower.news.send(News::Lost(error)).await;
            return;
        }
        if follower.news.send(News::Waiting(error)).await.is_err() {
            return;
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSE.1);
    }
}

struct Follower {
    address: Address,
    run: Option<RunId>,
    /// Number of the line that comes next.
    next: u64,
    news: Sender<News>,
}

impl Follower {
    /// One connection: ends well with the last record, or when nobody listens any more.
    async fn watch(&mut self) -> Result<(), Error> {
        let mut lines = self.open().await?;
        loop {
            let line = lines.message().await.map_err(|status| self.refused(&status))?;
            let Some(line) = line else {
                let reason = "the stream ended before the run was closed".to_owned();
                return Err(Error::Broken { address: self.address.clone(), reason });
            };
            if line.number < self.next {
                continue;
            }
            let (news, last) = self.read(line)?;
            if self.news.send(news).await.is_err() || last {
                return Ok(());
            }
        }
    }

    async fn open(&self) -> Result<Streaming<JournalLine>, Error> {
        let channel = client::connect(&self.address).await?;
        let mut client = RunsClient::new(channel).max_decoding_message_size(MESSAGE_LIMIT);
        let run = self.run.as_ref().map(ToString::to_string).unwrap_or_default();
        let request = WatchRequest { run, from: self.next };
        let reply = client.watch(request).await.map_err(|status| self.refused(&status))?;
        Ok(reply.into_inner())
    }

    /// A line as news, and whether it is the last.
    fn read(&mut self, line: JournalLine) -> Result<(News, bool), Error> {
        let number = line.number;
        let bad = |source| Error::Line { address: self.address.clone(), number, source };
        let (news, last) = match number {
            0 => {
                let header = journal::read_header(&line.line).map_err(bad)?;
                // The newest run may be another one by the time of a reconnect.
                self.run = Some(header.run.clone());
                (News::Header(header, line.line), false)
            }
            _ => {
                let entry = journal::read_entry(&line.line).map_err(bad)?;
                let last = entry.record == Record::Closed;
                (News::Entry(Box::new(entry), line.line), last)
            }
        };
        self.next = number + 1;
        Ok((news, last))
    }

    fn refused(&self, status: &Status) -> Error {
        let (address, reason) = (self.address.clone(), status.message().to_owned());
        match status.code() {
            Code::NotFound | Code::InvalidArgument => Error::Unknown { address, reason },
            _ => Error::Broken { address, reason },
        }
    }
}
