//! What tells an agent to leave: signals, and the end of standard input.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

/// A wish that the agent leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// `SIGTERM`.
    Terminate,
    /// `SIGINT` or `SIGHUP`.
    Interrupt,
    /// The process that started this one is gone, or is done with it.
    Detached,
}

/// Listens for wishes.
#[derive(Debug)]
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
    /// Closed by the end of standard input; none where that means nothing, or was told.
    input: Option<oneshot::Receiver<()>>,
}

impl Signals {
    /// Starts to listen.
    ///
    /// # Errors
    /// When the handlers cannot be installed.
    pub fn listen(attached: bool) -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
            input: attached.then(watch_input).transpose()?,
        })
    }

    /// The next wish.
    pub async fn next(&mut self) -> Wish {
        tokio::select! {
            _ = self.terminate.recv() => Wish::Terminate,
            _ = self.interrupt.recv() => Wish::Interrupt,
            _ = self.hangup.recv() => Wish::Interrupt,
            () = end_of(&mut self.input) => {
                self.input = None;
                Wish::Detached
            }
        }
    }
}

async fn end_of(input: &mut Option<oneshot::Receiver<()>>) {
    match input {
        // Nothing is ever sent: the sender is dropped.
        Some(input) => drop(input.await),
        None => std::future::pending().await,
    }
}

/// Reads standard input to its end on a thread of its own: a read that has begun cannot be taken
/// back, so it must not be part of a loop that looks at other things too.
fn watch_input() -> io::Result<oneshot::Receiver<()>> {
    let (ended, input) = oneshot::channel();
    std::thread::Builder::new().name("input".to_owned()).spawn(move || {
        // Whatever ends it, an error as well, is its end.
        let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
        drop::<oneshot::Sender<()>>(ended);
    })?;
    Ok(input)
}
