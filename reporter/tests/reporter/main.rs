//! The reporter as its users meet it: journals in, reports out.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod command;
mod fold;
mod hostile;
mod journal;
mod progress;
mod render;
mod scenarios;
mod site;
mod stage;
mod stored;
mod warming;
mod watch;
