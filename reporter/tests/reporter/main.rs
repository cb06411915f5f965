//! The reporter as its users meet it: journals in, reports out.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod across;
mod around;
mod command;
mod damage;
mod dialects;
mod earlier;
mod fold;
mod hostile;
mod journal;
mod merging;
mod mutations;
mod outputs;
mod page;
mod progress;
mod render;
mod scenarios;
mod site;
mod stage;
mod stored;
mod streams;
mod tries;
mod warming;
mod watch;
