//! Where reports go: standard output, and files.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{ErrorKind, Write};
use std::path::Path;

use muletrain_proto::cli::print_error;
use muletrain_proto::exit_code::ExitCode;

use crate::files;
use crate::merge;
use crate::page;
use crate::pure::summary::Summary;
use crate::render::ctrf::ctrf;
use crate::render::github;
use crate::render::gitlab::code_quality;
use crate::render::json::json;
use crate::render::markdown::markdown;
use crate::render::trace::trace;
use crate::results::{Report, Results};
use crate::settings::{Document, Outputs};

/// Prints a report and writes the documents that go with it. What cannot be written is told, and
/// is never green.
#[must_use]
pub fn deliver(text: &str, outputs: &Outputs, results: &Results) -> ExitCode {
    let (mut code, mut beside) = (ExitCode::Green, ExitCode::Green);
    let mut settle = |result: Result<(), files::Error>| {
        if let Err(error) = result {
            print_error(&error);
            code = code.and(ExitCode::Usage);
        }
    };
    if let Some(path) = &outputs.junit {
        settle(junit(path, outputs, results));
    }
    let summaries: Vec<&Summary> = results.summaries().collect();
    for (document, path) in &outputs.texts {
        settle(files::write(path, &render(*document, &summaries)));
    }
    if let Some(html) = &outputs.html {
        settle(page::write(html, &summaries).map(|code| beside = code));
    }
    let text = match outputs.github {
        true => github::fenced(text, &token()) + &github::annotations(&summaries),
        false => text.to_owned(),
    };
    settle(print(&text).map_err(|error| files::Error::new(Path::new("standard output"), error)));
    code.and(beside)
}

fn render(document: Document, summaries: &[&Summary]) -> String {
    match document {
        Document::Json => json(summaries),
        Document::Ctrf => ctrf(summaries),
        Document::Markdown => markdown(summaries),
        Document::CodeQuality => code_quality(summaries),
        Document::Trace => trace(summaries),
    }
}

/// A word that nobody knows before it is printed.
pub(crate) fn token() -> String {
    let random = || RandomState::new().build_hasher().finish();
    format!("muletrain-{:016x}{:016x}", random(), random())
}

/// Runs from their summaries, and files of other tools once more, with all that is in them.
fn junit(path: &Path, outputs: &Outputs, results: &Results) -> Result<(), files::Error> {
    let runs: Vec<merge::Run<'_>> = results.reports.iter().filter_map(Report::run).collect();
    merge::documents(path, outputs.layout, &runs, &results.files).map(drop)
}

/// Prints to standard output. A reader that has seen enough, such as `head`, is no error.
pub(crate) fn print(text: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}
