//! What tells an agent to leave: signals, and the end of standard input.

use std::io;

use tokio::io::AsyncReadExt;
use tokio::signal::unix::{Signal, SignalKind, signal};

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
    attached: bool,
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
            attached,
        })
    }

    /// The next wish.
    pub async fn next(&mut self) -> Wish {
        tokio::select! {
            _ = self.terminate.recv() => Wish::Terminate,
            _ = self.interrupt.recv() => Wish::Interrupt,
            _ = self.hangup.recv() => Wish::Interrupt,
            () = end_of_input(), if self.attached => {
                self.attached = false;
                Wish::Detached
            }
        }
    }
}

async fn end_of_input() {
    let mut input = tokio::io::stdin();
    let mut buffer = [0; 256];
    while input.read(&mut buffer).await.is_ok_and(|read| read > 0) {}
}
