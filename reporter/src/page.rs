//! Writes the page, with what it tells beside the results themselves: read from earlier results.

use std::path::Path;

use muletrain_proto::exit_code::ExitCode;

use crate::across::{gather, missing, read};
use crate::files;
use crate::pure::compare::{Noise, compare};
use crate::pure::history::History;
use crate::pure::summary::Summary;
use crate::render::html::{Beside, html};
use crate::settings::Html;

/// Bytes of a page beyond which browsers take long to open it.
const HEAVY: usize = 20_000_000;

/// Writes the page, and says if it is very large. What cannot be read of earlier results is told, and is never green.
///
/// # Errors
/// When the page cannot be written.
pub fn write(settings: &Html, summaries: &[&Summary]) -> Result<ExitCode, files::Error> {
    let (beside, code) = beside(settings, summaries);
    let page = html(summaries, &beside);
    files::write(&settings.path, &page)?;
    if let Some(warning) = heavy(&settings.path, page.len()) {
        tracing::warn!("{warning}");
    }
    Ok(code)
}

/// What there is to say about a page of so many bytes.
fn heavy(path: &Path, bytes: usize) -> Option<String> {
    let megabytes = bytes / 1_000_000;
    (bytes > HEAVY).then(|| {
        format!(
            "{} has {megabytes} MB and browsers may take long to open it; put fewer results into \
             one page, or let tests that fail print less",
            path.display()
        )
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_is_hard_to_open_is_told_of_with_its_size_and_what_to_do() {
        let path = Path::new("out/report.html");
        assert_eq!(heavy(path, 20_000_000), None);
        assert_eq!(
            heavy(path, 31_900_000).unwrap(),
            "out/report.html has 31 MB and browsers may take long to open it; put fewer results \
             into one page, or let tests that fail print less"
        );
    }
}
