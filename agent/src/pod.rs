//! A running pod, whatever it is made of: a way to tell it commands, and a stream of what it says
//! that ends with how it ended.

use std::collections::VecDeque;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::codec::{FramedRead, LinesCodec, LinesCodecError};

use crate::package;
use crate::pure::harness::{self, Command, LINE_LIMIT, Line};
use crate::pure::outcome::Exit;

/// Bytes kept of the end of standard error.
const STDERR_KEPT: usize = 32 << 10;

/// How long output may still arrive once the process is gone: what it started may hold the pipe.
const DRAIN_LIMIT: Duration = Duration::from_secs(3);

/// How long a process may live on without standard output.
const MUTE_LIMIT: Duration = Duration::from_secs(5);

/// Lines read ahead of the lease.
const READ_AHEAD: usize = 256;

/// Says how the pod's process ended, once it did.
pub type Exited = Pin<Box<dyn Future<Output = Exit> + Send>>;

/// Where a pod's standard streams are.
pub struct Streams {
    /// Its standard input.
    pub input: Pin<Box<dyn AsyncWrite + Send>>,
    /// Its standard output.
    pub output: Pin<Box<dyn AsyncRead + Send>>,
    /// Its standard error.
    pub errors: Pin<Box<dyn AsyncRead + Send>>,
}

/// A running pod.
#[derive(Debug)]
pub struct Pod {
    /// Container or process id.
    pub id: String,
    commands: mpsc::UnboundedSender<(Vec<u8>, Option<oneshot::Sender<()>>)>,
    signals: mpsc::Receiver<Signal>,
    /// It was heard when nobody had asked it anything.
    is_restless: bool,
}

/// What a pod says.
#[derive(Debug)]
pub enum Signal {
    /// A line of the harness.
    Line(Result<Line, harness::Error>),
    /// Its end; nothing follows.
    Exited(Exit),
}

impl Pod {
    /// Takes charge of a process that was just started, and sends it the harness.
    #[must_use]
    pub fn new(id: String, streams: Streams, exited: Exited) -> Self {
        let (commands, to_write) = mpsc::unbounded_channel();
        let (signals, received) = mpsc::channel(READ_AHEAD);
        tokio::spawn(write(streams.input, to_write));
        let tail = Tail::follow(streams.errors);
        tokio::spawn(read(streams.output, tail, exited, signals));
        let pod = Self { id, commands, signals: received, is_restless: false };
        // A process that is gone already says so by its end.
        let _ = pod.commands.send((package::preamble(), None));
        pod
    }

    /// Sends a command; one to a process that is gone is lost, and its end says so.
    pub fn command(&self, command: &Command) {
        let _ = self.commands.send((command.to_line(), None));
    }

    /// Sends a command and waits until the pod has taken it.
    pub async fn deliver(&self, command: &Command) {
        let (taken, is_taken) = oneshot::channel();
        let _ = self.commands.send((command.to_line(), Some(taken)));
        // One that is gone takes nothing more.
        let _ = is_taken.await;
    }

    /// Whether it lives and has said nothing unasked; one that did is never quiet again.
    pub fn is_quiet(&mut self) -> bool {
        let is_empty = matches!(self.signals.try_recv(), Err(mpsc::error::TryRecvError::Empty));
        self.is_restless |= !is_empty;
        !self.is_restless
    }

    /// Has it stop and do what is left to do around its tests, for so long at most.
    pub async fn stop(mut self, limit: Duration) {
        self.command(&Command::Stop);
        let ended = async { while !matches!(self.next().await, Signal::Exited(_)) {} };
        // One that does not end by itself is killed by whoever removes it.
        let _ = tokio::time::timeout(limit, ended).await;
    }

    /// What it says next.
    pub async fn next(&mut self) -> Signal {
        match self.signals.recv().await {
            Some(signal) => signal,
            None => Signal::Exited(Exit::Lost { reason: "the pod was read to its end".to_owned() }),
        }
    }
}

async fn write(
    mut input: Pin<Box<dyn AsyncWrite + Send>>,
    mut to_write: mpsc::UnboundedReceiver<(Vec<u8>, Option<oneshot::Sender<()>>)>,
) {
    while let Some((bytes, taken)) = to_write.recv().await {
        if input.write_all(&bytes).await.is_err() || input.flush().await.is_err() {
            return;
        }
        if let Some(taken) = taken {
            // Whoever waited may have gone.
            let _ = taken.send(());
        }
    }
    let _ = input.shutdown().await;
}

async fn read(
    output: Pin<Box<dyn AsyncRead + Send>>,
    tail: Tail,
    exited: Exited,
    signals: mpsc::Sender<Signal>,
) {
    let mut lines = FramedRead::new(output, LinesCodec::new_with_max_length(LINE_LIMIT));
    let mut exited = pin!(exited);
    let mut exit = None;
    let mut drained = pin!(tokio::time::sleep(Duration::MAX));
    loop {
        tokio::select! {
            // Lines first: what was said before the end counts, however slowly it is taken.
            biased;
            line = lines.next() => {
                let Some(line) = line else { break };
                let line = line
                    .map_err(|error| match error {
                        LinesCodecError::MaxLineLengthExceeded => harness::Error::TooLong,
                        error => harness::Error::Unreadable { why: error.to_string() },
                    })
                    .and_then(|line| harness::parse(&line));
                if signals.send(Signal::Line(line)).await.is_err() {
                    return;
                }
                if exit.is_some() {
                    drained.as_mut().reset(Instant::now() + DRAIN_LIMIT);
                }
            }
            ended = &mut exited, if exit.is_none() => {
                exit = Some(ended);
                drained.as_mut().reset(Instant::now() + DRAIN_LIMIT);
            }
            () = &mut drained, if exit.is_some() => break,
        }
    }
    let exit = match exit {
        Some(exit) => exit,
        None => match tokio::time::timeout(MUTE_LIMIT, &mut exited).await {
            Ok(exit) => exit,
            Err(_) => {
                let why = "it closed its standard output and lives on".to_owned();
                let mute = Signal::Line(Err(harness::Error::Unreadable { why }));
                if signals.send(mute).await.is_err() {
                    return;
                }
                exited.await
            }
        },
    };
    let exit = with_stderr(exit, tail.text().await);
    let _ = signals.send(Signal::Exited(exit)).await;
}

fn with_stderr(exit: Exit, text: String) -> Exit {
    match exit {
        Exit::Process { status, signal, out_of_memory, .. } => {
            Exit::Process { status, signal, out_of_memory, stderr: text }
        }
        lost @ Exit::Lost { .. } => lost,
    }
}

/// The end of a stream.
struct Tail {
    kept: Arc<Mutex<VecDeque<u8>>>,
    reader: tokio::task::JoinHandle<()>,
}

impl Tail {
    fn follow(mut stream: Pin<Box<dyn AsyncRead + Send>>) -> Self {
        let kept = Arc::new(Mutex::new(VecDeque::new()));
        let writer = kept.clone();
        let reader = tokio::spawn(async move {
            let mut buffer = [0; 4096];
            while let Ok(read @ 1..) = stream.read(&mut buffer).await {
                let mut kept = writer.lock().unwrap_or_else(PoisonError::into_inner);
                kept.extend(buffer.iter().take(read));
                let surplus = kept.len().saturating_sub(STDERR_KEPT);
                kept.drain(..surplus);
            }
        });
        Self { kept, reader }
    }

    /// What is there once the stream has ended, or does not end.
    async fn text(mut self) -> String {
        if tokio::time::timeout(DRAIN_LIMIT, &mut self.reader).await.is_err() {
            self.reader.abort();
        }
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes: Vec<u8> = kept.iter().copied().collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}
