//! `report`: stored results to one report.

use muletrain_proto::cli::print_error;
use muletrain_proto::config::ShowOutput;
use muletrain_proto::exit_code::ExitCode;

use crate::output;
use crate::pure::finish::Detail;
use crate::pure::summary::Summary;
use crate::render::json::json;
use crate::render::terminal;
use crate::results;
use crate::settings::{Outputs, Report};

/// Reports on every result that can be read; one that cannot costs only itself, and the green.
#[must_use]
pub fn run(settings: &Report) -> ExitCode {
    let results = results::read_in(detail(settings), &settings.results);
    results.errors.iter().for_each(|error| print_error(error));
    let code = results.exit_code();
    if results.reports.is_empty() {
        return code;
    }
    let text = match settings.json {
        true => json(&results.summaries().collect::<Vec<&Summary>>()),
        false => {
            let report = |report: &results::Report| {
                let directory = report.directory.as_ref().map(|path| path.display().to_string());
                terminal::report(&report.summary, settings.look, directory.as_deref())
            };
            results.reports.iter().map(report).collect::<Vec<_>>().join("\n")
        }
    };
    code.and(output::deliver(&text, &settings.outputs, &results))
}

/// The terminal and JUnit XML do not need to hold every test.
fn detail(settings: &Report) -> Detail {
    let Outputs { junit: _, layout: _, texts, html, github } = &settings.outputs;
    match settings.json || !texts.is_empty() || html.is_some() || *github {
        true => Detail::Full,
        false => Detail::Brief { printing: settings.look.output == ShowOutput::All },
    }
}
