//! Progress on standard error: drawn on a terminal, in lines anywhere else.

use std::io::Write;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::pure::fold::{Change, Fold};
use crate::pure::progress;
use crate::pure::style::Look;
use crate::pure::summary::Moment;
use crate::settings::Progress;

/// Longest silence in a log.
const HEARTBEAT: Duration = Duration::from_secs(30);

/// Progress of one run.
#[derive(Debug)]
pub struct Live {
    shown: Shown,
    /// When the last entry came: moments since then are told by this clock, never by comparing
    /// the clocks of two hosts.
    received: Instant,
}

#[derive(Debug)]
enum Shown {
    Drawn { bar: ProgressBar, look: Look },
    Lines { look: Look, last: Instant },
    Nothing,
}

impl Live {
    /// Shows nothing yet.
    #[must_use]
    pub fn new(progress: Progress) -> Self {
        let now = Instant::now();
        let shown = match progress {
            Progress::Drawn(look) => Shown::Drawn { bar: bar(), look },
            Progress::Lines(look) => Shown::Lines { look, last: now },
            Progress::Quiet => Shown::Nothing,
        };
        Self { shown, received: now }
    }

    /// Shows what an entry changed.
    pub fn entry(&mut self, fold: &Fold, changes: &[Change]) {
        self.received = Instant::now();
        for change in changes {
            self.change(fold, change);
        }
    }

    /// Shows that time has passed.
    pub fn tick(&mut self, fold: &Fold) {
        let now = self.now(fold);
        match &mut self.shown {
            Shown::Drawn { bar, look } => {
                let look = Look { width: width(look.width), ..*look };
                bar.set_message(progress::state(fold, now, look).join("\n"));
                bar.tick();
            }
            Shown::Lines { look, last } if last.elapsed() >= HEARTBEAT => {
                say(&progress::heartbeat(fold, now, *look));
                *last = Instant::now();
            }
            Shown::Lines { .. } | Shown::Nothing => {}
        }
    }

    /// Tells something that no entry says.
    pub fn note(&mut self, text: &str) {
        match &self.shown {
            Shown::Drawn { bar, .. } => bar.println(text),
            Shown::Lines { .. } | Shown::Nothing => say(text),
        }
    }

    /// Leaves the terminal as it was found.
    pub fn finish(self) {
        if let Shown::Drawn { bar, .. } = self.shown {
            bar.finish_and_clear();
        }
    }

    fn change(&mut self, fold: &Fold, change: &Change) {
        match &mut self.shown {
            // Apps that start and end are seen in the state itself.
            Shown::Drawn { .. } if matches!(change, Change::Leased(_) | Change::Over(_)) => {}
            Shown::Drawn { bar, look } => {
                if let Some(line) = progress::line(fold, change, *look) {
                    bar.println(line);
                }
            }
            Shown::Lines { look, last } => {
                if let Some(line) = progress::line(fold, change, *look) {
                    say(&line);
                    *last = Instant::now();
                }
            }
            Shown::Nothing => {}
        }
    }

    fn now(&self, fold: &Fold) -> Moment {
        let passed = u64::try_from(self.received.elapsed().as_millis()).unwrap_or(u64::MAX);
        fold.latest.saturating_add(passed)
    }
}

fn bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{msg}").expect("the template is a constant");
    ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()).with_style(style)
}

/// Columns that can be written to without a wrap, asked anew each time: terminals are resized.
fn width(fallback: usize) -> usize {
    let size = terminal_size::terminal_size_of(std::io::stderr());
    size.map_or(fallback, |(width, _)| usize::from(width.0)).saturating_sub(1)
}

/// A line on standard error. It may be closed; there is nowhere left to say so.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
