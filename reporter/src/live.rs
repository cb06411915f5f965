//! Progress on standard error: drawn on a terminal, in lines anywhere else.

use std::io::Write;
use std::time::{Duration, Instant};

use muletrain_proto::journal::Entry;

use crate::drawing::Drawing;
use crate::pure::fold::{Change, Fold};
use crate::pure::progress::forecast::Forecast;
use crate::pure::progress::frame::{Size, frame};
use crate::pure::progress::{heartbeat, line, planned};
use crate::pure::style::Look;
use crate::pure::summary::Moment;
use crate::settings::Progress;

/// Longest silence in a log.
const HEARTBEAT: Duration = Duration::from_secs(30);

/// What is drawn where the size of a terminal is not to be had.
const USUAL: Size = Size { columns: 80, rows: 24 };

/// Progress of one run.
#[derive(Debug)]
pub struct Live {
    shown: Shown,
    forecast: Forecast,
    /// When the last entry came: moments since then are told by this clock, never by comparing
    /// the clocks of two hosts.
    received: Instant,
}

#[derive(Debug)]
enum Shown {
    Drawn { drawing: Drawing, above: Vec<String>, look: Look },
    Lines { look: Look, last: Instant, group: Option<Group> },
    Nothing,
}

/// Lines that a page of a CI job shows when it is asked to.
#[derive(Debug)]
struct Group {
    token: String,
    is_open: bool,
}

impl Live {
    /// Shows nothing yet.
    #[must_use]
    pub fn new(progress: Progress) -> Self {
        let now = Instant::now();
        let lines = |look, group| Shown::Lines { look, last: now, group };
        let shown = match progress {
            Progress::Drawn(look) => {
                Shown::Drawn { drawing: Drawing::default(), above: Vec::new(), look }
            }
            Progress::Lines(look) => lines(look, None),
            Progress::Grouped(look) => {
                lines(look, Some(Group { token: crate::output::token(), is_open: false }))
            }
            Progress::Quiet => Shown::Nothing,
        };
        Self { shown, forecast: Forecast::default(), received: now }
    }

    /// Shows what an entry changed.
    pub fn entry(&mut self, fold: &Fold, entry: &Entry, changes: &[Change]) {
        self.received = Instant::now();
        if self.forecast.take(&entry.record) && matches!(self.shown, Shown::Lines { .. }) {
            let Shown::Lines { look, .. } = self.shown else { return };
            self.say(planned(fold, self.forecast.plan(), look));
        }
        for change in changes {
            self.change(fold, change);
        }
    }

    /// The last entry is older than it looks: it was read from a file.
    pub fn happened(&mut self, ago: Duration) {
        self.received = Instant::now().checked_sub(ago).unwrap_or(self.received);
    }

    /// Shows that time has passed.
    pub fn tick(&mut self, fold: &Fold) {
        let now = self.now(fold);
        match &mut self.shown {
            Shown::Drawn { drawing, above, look } => {
                let size = size();
                let lines = frame(fold, &self.forecast, now, size, *look);
                drawing.draw(&std::mem::take(above), &lines, size);
            }
            Shown::Lines { look, last, .. } if last.elapsed() >= HEARTBEAT => {
                let line = heartbeat(fold, &self.forecast, now, *look);
                self.say(line);
            }
            Shown::Lines { .. } | Shown::Nothing => {}
        }
    }

    /// Tells something that no entry says.
    pub fn note(&mut self, text: &str) {
        match self.shown {
            Shown::Nothing => write(&format!("{text}\n")),
            Shown::Drawn { .. } | Shown::Lines { .. } => self.say(text.to_owned()),
        }
    }

    /// Leaves the terminal as it was found.
    pub fn finish(self) {
        match self.shown {
            Shown::Drawn { drawing, above, .. } => drawing.clear(&above),
            Shown::Lines { group: Some(Group { token, is_open: true }), .. } => {
                write(&format!("::{token}::\n::endgroup::\n"));
            }
            Shown::Lines { .. } | Shown::Nothing => {}
        }
    }

    fn change(&mut self, fold: &Fold, change: &Change) {
        let text = match &self.shown {
            // Apps that end are seen in the state itself.
            Shown::Drawn { .. } if matches!(change, Change::Over(_)) => None,
            Shown::Drawn { look, .. } | Shown::Lines { look, .. } => line(fold, change, *look),
            Shown::Nothing => None,
        };
        text.into_iter().for_each(|text| self.say(text));
    }

    /// A line that stays.
    fn say(&mut self, text: String) {
        match &mut self.shown {
            // It is drawn with the next frame.
            Shown::Drawn { above, .. } => above.push(text),
            Shown::Lines { last, group, .. } => {
                *last = Instant::now();
                let begin = group.as_mut().map(Group::begin).unwrap_or_default();
                write(&format!("{begin}{text}\n"));
            }
            Shown::Nothing => {}
        }
    }

    fn now(&self, fold: &Fold) -> Moment {
        let passed = u64::try_from(self.received.elapsed().as_millis()).unwrap_or(u64::MAX);
        fold.latest.saturating_add(passed)
    }
}

impl Group {
    /// What goes before its first line: nothing that a test is called is taken for a command.
    fn begin(&mut self) -> String {
        match std::mem::replace(&mut self.is_open, true) {
            true => String::new(),
            false => format!("::group::Progress\n::stop-commands::{}\n", self.token),
        }
    }
}

/// Asked anew each time: terminals are resized.
fn size() -> Size {
    let size = terminal_size::terminal_size_of(std::io::stderr());
    size.map_or(USUAL, |(width, height)| Size { columns: width.0.into(), rows: height.0.into() })
}

/// On standard error. It may be closed; there is nowhere left to say so.
fn write(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}
