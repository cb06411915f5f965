//! `report`: stored runs to one report.

use std::path::PathBuf;

use muletrain_proto::cli::print_error;
use muletrain_proto::exit_code::ExitCode;

use crate::output;
use crate::render::json::json;
use crate::render::terminal;
use crate::settings::Report;
use crate::source;

/// Reports on every result that can be read; one that cannot costs only itself, and the green.
#[must_use]
pub fn run(settings: &Report) -> ExitCode {
    let mut code = ExitCode::Green;
    let mut summaries = Vec::new();
    let mut directories: Vec<Option<PathBuf>> = Vec::new();
    for result in &settings.results {
        match source::read(result) {
            Ok(stored) => {
                code = code.and(stored.summary.exit);
                summaries.push(stored.summary);
                directories.push(stored.directory);
            }
            Err(error) => {
                print_error(&error);
                code = code.and(error.exit_code());
            }
        }
    }
    let text = match settings.json {
        true => json(&summaries),
        false => summaries
            .iter()
            .zip(&directories)
            .map(|(summary, directory)| {
                let directory = directory.as_ref().map(|path| path.display().to_string());
                terminal::report(summary, settings.look, directory.as_deref())
            })
            .collect::<Vec<_>>()
            .join("\n"),
    };
    if summaries.is_empty() {
        return code;
    }
    code.and(output::deliver(&text, settings.junit.as_deref(), &summaries))
}
