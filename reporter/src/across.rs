//! `compare`, `slowest`, `flaky` and `history`: what several results say together.

use std::path::{Path, PathBuf};

use muletrain_proto::cli::{Common, print_error};
use muletrain_proto::exit_code::ExitCode;
use muletrain_proto::runs::journal_in;

use crate::cli;
use crate::output::print;
use crate::pure::compare::{Noise, compare};
use crate::pure::history::History;
use crate::pure::slowest::{By, slowest};
use crate::pure::summary::Summary;
use crate::render::{compare as comparison, history as timeline};
use crate::results::{self, Results};
use crate::settings::on_stdout;

/// What changed from one result to another. Red where something fails that did not before.
#[must_use]
pub fn compare_two(arguments: &cli::Compare, common: &Common) -> ExitCode {
    let noise = Noise { ratio: arguments.slower_ratio, seconds: arguments.slower_seconds };
    let both = [&arguments.before, &arguments.after].map(|path| read(std::slice::from_ref(path)));
    if both.iter().any(|results| results.reports.is_empty()) {
        return ExitCode::Usage;
    }
    let [before, after] =
        both.each_ref().map(|results| results.summaries().collect::<Vec<&Summary>>());
    let found = compare(&before, &after, noise);
    let text = match arguments.json {
        true => comparison::json(&found),
        false => comparison::text(&found, on_stdout(common)),
    };
    // What is missing from either might have made a difference.
    let whole = before.iter().chain(&after).all(|summary| summary.unfinished.is_empty());
    let code = if found.broken.is_empty() { ExitCode::Green } else { ExitCode::Red };
    let code = code.and(if whole { ExitCode::Green } else { ExitCode::Incomplete });
    told(&text, code)
}

/// Where the time of tests goes.
#[must_use]
pub fn slow(arguments: &cli::Slowest, common: &Common) -> ExitCode {
    let results = read(&arguments.results);
    let by = match arguments.by {
        cli::SlowestBy::Test => By::Test,
        cli::SlowestBy::Class => By::Class,
        cli::SlowestBy::File => By::File,
        cli::SlowestBy::App => By::App,
    };
    let summaries: Vec<&Summary> = results.summaries().collect();
    let found = slowest(&summaries, by, arguments.number);
    let text = match arguments.json {
        true => timeline::slowest_json(&found),
        false => timeline::slowest(&found, on_stdout(common)),
    };
    told(&text, missing(&results))
}

/// Tests that failed and passed on the same code.
#[must_use]
pub fn flaky(arguments: &cli::Across, common: &Common) -> ExitCode {
    let (history, code) = gather(&arguments.results);
    let text = match arguments.json {
        true => timeline::flaky_json(&history),
        false => timeline::flaky(&history, on_stdout(common)),
    };
    told(&text, code)
}

/// Runs over time.
#[must_use]
pub fn history(arguments: &cli::Across, common: &Common) -> ExitCode {
    let (history, code) = gather(&arguments.results);
    let text = match arguments.json {
        true => timeline::json(&history),
        false => timeline::text(&history, on_stdout(common)),
    };
    told(&text, code)
}

/// Every result as a run of its own; only one of them is held at a time.
pub(crate) fn gather(paths: &[PathBuf]) -> (History, ExitCode) {
    let mut history = History::default();
    let mut code = ExitCode::Green;
    for path in paths.iter().flat_map(|path| runs(path)) {
        let results = read(std::slice::from_ref(&path));
        code = code.and(missing(&results));
        let name = path.display().to_string();
        results.summaries().for_each(|summary| history.take(summary, &name));
    }
    (history.in_order(), code)
}

/// A folder of runs stands for the runs in it, and any other folder for itself.
fn runs(path: &Path) -> Vec<PathBuf> {
    let is_run = |path: &Path| journal_in(path).is_some();
    if !path.is_dir() || is_run(path) {
        return vec![path.to_owned()];
    }
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    let mut inside: Vec<PathBuf> =
        entries.map(|entry| entry.path()).filter(|path| is_run(path)).collect();
    inside.sort();
    if inside.is_empty() { vec![path.to_owned()] } else { inside }
}

pub(crate) fn read(paths: &[PathBuf]) -> Results {
    let results = results::read(paths);
    results.errors.iter().for_each(|error| print_error(error));
    results
}

/// Nothing but what could not be read makes these commands fail.
pub(crate) fn missing(results: &Results) -> ExitCode {
    let errors = results.errors.iter().map(results::Error::exit_code);
    let damaged =
        results.summaries().any(|summary| summary.is_foreign() && !summary.unfinished.is_empty());
    let damaged = if damaged { ExitCode::Incomplete } else { ExitCode::Green };
    errors.max().unwrap_or_default().and(damaged)
}

fn told(text: &str, code: ExitCode) -> ExitCode {
    match print(text) {
        Ok(()) => code,
        Err(error) => {
            print_error(&error);
            code.and(ExitCode::Usage)
        }
    }
}
