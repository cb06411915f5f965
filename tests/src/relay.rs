//! A way to an engine that counts what is sent to it, and can stop in the middle of a request.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::wait::until;

/// How long a request may take to come.
const LIMIT: Duration = Duration::from_secs(60);

/// A port of this host that leads to the socket of an engine, for as long as this is alive.
#[derive(Debug)]
pub struct Relay {
    address: SocketAddr,
    traffic: Arc<Traffic>,
}

/// What has passed, and where it is to stop.
#[derive(Debug)]
struct Traffic {
    engine: PathBuf,
    hold: Option<Hold>,
    state: Mutex<State>,
    changed: Condvar,
}

/// A point in what is sent.
#[derive(Debug, Clone, Copy)]
pub struct Hold {
    /// What the request has in its first line.
    pub request: &'static str,
    /// Bytes of it that pass, at the most.
    pub bytes: usize,
}

#[derive(Debug, Default)]
struct State {
    sent: u64,
    is_held: bool,
    is_released: bool,
}

impl Relay {
    /// Leads to the socket of an engine, and lets everything pass.
    ///
    /// # Panics
    /// When this host has no port left.
    #[must_use]
    pub fn to(engine: &Path) -> Self {
        Self::start(engine, None)
    }

    /// Leads to the socket of an engine, as far as a point in a request.
    ///
    /// # Panics
    /// When this host has no port left.
    #[must_use]
    pub fn as_far_as(hold: Hold, engine: &Path) -> Self {
        Self::start(engine, Some(hold))
    }

    fn start(engine: &Path, hold: Option<Hold>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("there is a port left");
        let address = listener.local_addr().expect("it is bound");
        let (state, changed) = Default::default();
        let traffic = Arc::new(Traffic { engine: engine.to_owned(), hold, state, changed });
        let all = Arc::clone(&traffic);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let traffic = Arc::clone(&all);
                thread::spawn(move || traffic.connect(&client));
            }
        });
        Self { address, traffic }
    }

    /// Where it is, as programs are told it.
    #[must_use]
    pub fn address(&self) -> String {
        format!("tcp://{}", self.address)
    }

    /// Bytes that the engine has been sent.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.traffic.state().sent
    }

    /// Waits until a request has come to the point where it stops.
    ///
    /// # Panics
    /// When none comes.
    #[track_caller]
    pub fn holds(&self) {
        until("a request that is held", LIMIT, || self.traffic.state().is_held.then_some(()));
    }

    /// Lets everything pass from now on.
    pub fn release(&self) {
        self.traffic.state().is_released = true;
        self.traffic.changed.notify_all();
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.release();
    }
}

impl Traffic {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Passes everything on, in both directions, until one side has ended.
    fn connect(&self, client: &TcpStream) {
        // An engine that has gone is noticed by the client, which finds nobody.
        let Ok(engine) = UnixStream::connect(&self.engine) else { return };
        let (Ok(mut answers), Ok(mut to)) = (engine.try_clone(), client.try_clone()) else {
            return;
        };
        thread::spawn(move || {
            // Its end is the end of both, however it comes.
            let _ = io::copy(&mut answers, &mut to);
            let _ = (answers.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
        });
        let _ = self.ask(client, &engine);
        let _ = engine.shutdown(Shutdown::Write);
    }

    fn ask(&self, mut client: &TcpStream, mut engine: &UnixStream) -> io::Result<()> {
        let mut block = vec![0; 64 << 10];
        let mut passed = None;
        loop {
            let read = client.read(&mut block)?;
            if read == 0 {
                return Ok(());
            }
            let mut block = &block[..read];
            if let Some(hold) = self.hold {
                if passed.is_none() && is_of(block, hold.request) {
                    passed = Some(0);
                }
                if let Some(passed) = &mut passed {
                    let now = block.len().min(hold.bytes.saturating_sub(*passed));
                    self.pass(&block[..now], &mut engine)?;
                    *passed += now;
                    block = &block[now..];
                    if !block.is_empty() {
                        self.wait();
                    }
                }
            }
            self.pass(block, &mut engine)?;
        }
    }

    fn pass(&self, block: &[u8], engine: &mut &UnixStream) -> io::Result<()> {
        engine.write_all(block)?;
        self.state().sent += u64::try_from(block.len()).unwrap_or(u64::MAX);
        Ok(())
    }

    fn wait(&self) {
        let mut state = self.state();
        state.is_held = true;
        while !state.is_released {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Whether a block begins with a request that has a text in its first line.
fn is_of(block: &[u8], request: &str) -> bool {
    let line = block.split(|byte| *byte == b'\r').next().unwrap_or_default();
    line.windows(request.len()).any(|part| part == request.as_bytes())
}
