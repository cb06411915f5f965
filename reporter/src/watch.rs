//! `watch`: a run on a scheduler or on this machine, live, and then its report.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use muletrain_proto::cli::print_error;
use muletrain_proto::exit_code::ExitCode;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use crate::fetching::Fetching;
use crate::follow::{self, News, follow};
use crate::live::Live;
use crate::output;
use crate::pure::fold::Fold;
use crate::pure::text::{for_line, plural};
use crate::render::terminal;
use crate::results::Results;
use crate::save::{self, Saved};
use crate::settings::{Source, Watch};
use crate::tail::tail;

/// How often progress is drawn.
const FRAME: Duration = Duration::from_millis(200);

/// How long a dropped connection is tried again.
const PATIENCE: Duration = Duration::from_secs(60);

/// The same, to a scheduler on this machine that started this process: if it is gone, it is gone.
const LOCAL_PATIENCE: Duration = Duration::from_secs(3);

/// How long a run may take to be closed after the first interrupt.
const GRACE: Duration = Duration::from_secs(10);

/// Lines read ahead of the fold.
const READ_AHEAD: usize = 256;

/// Follows the run and reports on it. Who only looks on leaves at an interrupt, and the run goes
/// on. Else the first leaves the scheduler time to close the run, since it was interrupted as well,
/// and the second ends everything at once.
pub async fn run(settings: &Watch) -> ExitCode {
    let (sender, mut news) = mpsc::channel(READ_AHEAD);
    let patience = if settings.stored_in.is_some() { LOCAL_PATIENCE } else { PATIENCE };
    let follower = match &settings.source {
        Source::Scheduler(address, run) => {
            tokio::spawn(follow(address.clone(), run.clone(), patience, sender))
        }
        Source::Stored(journal) => tokio::spawn(tail(journal.clone(), sender)),
    };
    let mut watcher = Watcher::new(settings);
    let mut signals = Signals::new();
    let mut resized = signal(SignalKind::window_change()).ok();
    let mut frames = interval(FRAME);
    frames.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut deadline: Option<Instant> = None;
    loop {
        let overdue = async {
            match deadline {
                Some(deadline) => sleep_until(deadline).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            received = news.recv() => match received {
                Some(news) => watcher.take(news),
                None => break,
            },
            _ = frames.tick() => watcher.live.tick(&watcher.fold),
            () = received(resized.as_mut()) => watcher.live.tick(&watcher.fold),
            () = signals.next() => match deadline {
                None if !settings.is_attached => {
                    watcher.live.note("left; the run goes on");
                    watcher.live.finish();
                    return ExitCode::Interrupted;
                }
                None => {
                    deadline = Some(Instant::now() + GRACE);
                    watcher.live.note("interrupted: waiting for the run to be closed; once more to leave at once");
                }
                Some(_) => {
                    watcher.live.finish();
                    return ExitCode::Interrupted;
                }
            },
            () = overdue => break,
        }
    }
    follower.abort();
    let interrupted = deadline.is_some() && !watcher.fold.closed;
    watcher.report(settings, interrupted).await
}

/// Everything that grows while a run is watched.
struct Watcher<'a> {
    settings: &'a Watch,
    fold: Fold,
    live: Live,
    saved: Option<Saved>,
    fetching: Option<Fetching>,
    lost: Option<follow::Error>,
    /// Lines that were passed over, and why the first of them was.
    bad: (usize, Option<String>),
    code: ExitCode,
}

impl<'a> Watcher<'a> {
    fn new(settings: &'a Watch) -> Self {
        Self {
            settings,
            fold: Fold::default(),
            live: Live::new(settings.progress),
            saved: None,
            fetching: None,
            lost: None,
            bad: (0, None),
            code: ExitCode::Green,
        }
    }

    fn take(&mut self, news: News) {
        match news {
            News::Header(header, line) => {
                if let Some(directory) = &self.settings.save {
                    let saved = Saved::create(directory, &header.run);
                    self.saved = self.kept(saved);
                }
                self.keep(&line);
                self.fold.header(header);
            }
            News::Entry(entry, line) => {
                self.keep(&line);
                let known = self.fold.around.files.len();
                let changes = self.fold.apply(&entry);
                self.fetch(known);
                self.live.entry(&self.fold, &entry, &changes);
                if matches!(self.settings.source, Source::Stored(_)) {
                    self.live.happened(since(entry.at));
                }
            }
            News::Bad(why) => {
                // One is enough while the run goes on; the report counts them.
                if self.bad.0 == 0 {
                    self.live.note(&for_line(&why));
                }
                self.bad.0 += 1;
                self.bad.1.get_or_insert(why);
            }
            News::Waiting(error) => self.live.note(&format!("{error}; trying again")),
            News::Lost(error) => {
                self.fold.damaged(error.to_string());
                self.lost = Some(error);
            }
        }
    }

    /// Begins to fetch the files that are new since so many were known.
    fn fetch(&mut self, known: usize) {
        let Source::Scheduler(scheduler, _) = &self.settings.source else { return };
        let saved = self.saved.as_ref().map(Saved::directory);
        let Some(directory) = saved.or(self.settings.stored_in.as_deref()) else { return };
        for file in self.fold.around.files.iter().skip(known) {
            let begin = || Fetching::begin(scheduler.clone(), directory.to_owned());
            self.fetching.get_or_insert_with(begin).want(file);
        }
    }

    fn keep(&mut self, line: &str) {
        if let Some(mut saved) = self.saved.take() {
            let kept = saved.line(line).map(|()| saved);
            self.saved = self.kept(kept);
        }
    }

    /// A journal that cannot be kept is told once, and does not end the run.
    fn kept(&mut self, saved: Result<Saved, save::Error>) -> Option<Saved> {
        saved
            .inspect_err(|error| {
                print_error(error);
                self.code = self.code.and(ExitCode::Usage);
            })
            .ok()
    }

    async fn report(mut self, settings: &Watch, interrupted: bool) -> ExitCode {
        self.live.finish();
        if let Some(fetching) = self.fetching.take() {
            self.fold.incidents.extend(fetching.end().await);
        }
        if let (number, Some(first)) = &self.bad {
            self.fold.damaged(format!("{} cannot be read; {first}", plural(*number, "line")));
        }
        if interrupted {
            self.fold.damaged("watching was interrupted".to_owned());
            self.code = self.code.and(ExitCode::Interrupted);
        }
        if let Some(error) = &self.lost {
            print_error(error);
        }
        if self.fold.run.is_none() {
            let refused = self.lost.map_or(ExitCode::Incomplete, |error| error.exit_code());
            return self.code.and(refused);
        }
        let summary = self.fold.finish();
        let saved = self.saved.as_ref().map(Saved::directory);
        let directory = saved.or(settings.stored_in.as_deref());
        let stored = directory.map(|path| path.display().to_string());
        let text = terminal::report(&summary, settings.look, stored.as_deref());
        let exit = self.code.and(summary.exit);
        let results = Results::of(summary, directory.map(Into::into));
        exit.and(output::deliver(&text, &settings.outputs, &results))
    }
}

/// How long ago something happened, by the clock of this machine.
fn since(at: u64) -> Duration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    now.saturating_sub(Duration::from_millis(at))
}

/// Interrupts and requests to end, which mean the same here.
struct Signals {
    interrupt: Option<Signal>,
    terminate: Option<Signal>,
}

impl Signals {
    /// Where a handler cannot be installed, the signal does what it does by itself.
    fn new() -> Self {
        Self {
            interrupt: signal(SignalKind::interrupt()).ok(),
            terminate: signal(SignalKind::terminate()).ok(),
        }
    }

    async fn next(&mut self) {
        tokio::select! {
            () = received(self.interrupt.as_mut()) => {}
            () = received(self.terminate.as_mut()) => {}
        }
    }
}

async fn received(signal: Option<&mut Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => std::future::pending().await,
    }
}
