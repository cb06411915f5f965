//! The reporter as its users meet it: journals in, reports out.

mod fold;
mod hostile;
mod journal;
mod progress;
mod render;
mod scenarios;
mod site;
mod stored;
