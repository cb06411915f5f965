//! The reporter as its users meet it: journals in, reports out.

mod fold;
mod hostile;
mod journal;
mod render;
mod site;
mod stored;
