//! What the page tells beside the results themselves: read from earlier results.

use std::path::Path;

use muletrain_proto::exit_code::ExitCode;

use crate::across::{gather, missing, read};
use crate::files;
use crate::pure::compare::{Noise, compare};
use crate::pure::history::History;
use crate::pure::summary::Summary;
use crate::render::html::{Beside, html};
use crate::settings::Html;

/// Writes the page. What cannot be read of earlier results is told, and is never green.
///
/// # Errors
/// When the page cannot be written.
pub fn write(settings: &Html, summaries: &[&Summary]) -> Result<ExitCode, files::Error> {
    let (beside, code) = beside(settings, summaries);
    files::write(&settings.path, &html(summaries, &beside))?;
    Ok(code)
}

fn beside(settings: &Html, summaries: &[&Summary]) -> (Beside, ExitCode) {
    let mut beside = Beside::default();
    let mut code = ExitCode::Green;
    if let Some(path) = &settings.against {
        let results = read(std::slice::from_ref(path));
        code = code.and(missing(&results));
        let before: Vec<&Summary> = results.summaries().collect();
        if !before.is_empty() {
            let found = compare(&before, summaries, Noise::default());
            beside.comparison = Some((name(path, &before), found));
        }
    }
    if !settings.history.is_empty() {
        let (history, read) = gather(&settings.history);
        code = code.and(read);
        beside.history = Some(with_these(history, summaries));
    }
    (beside, code)
}

/// A run goes by its id, and anything else by its path.
fn name(path: &Path, before: &[&Summary]) -> String {
    match before {
        [Summary { run: Some(run), .. }] => run.to_string(),
        _ => path.display().to_string(),
    }
}

/// The results of the page are the last of the runs, unless they are among them already.
fn with_these(mut history: History, summaries: &[&Summary]) -> History {
    for summary in summaries {
        let run = summary.run.as_ref();
        let is_known =
            run.is_some_and(|run| history.runs.iter().any(|one| one.name == run.as_str()));
        if !is_known {
            history.take(summary, "this one");
        }
    }
    let all_timed = history.runs.iter().all(|run| run.opened > 0);
    if all_timed { history.in_order() } else { history }
}
