//! Documents that the reporter writes about a run.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Documents that are written besides the report for people.
#[derive(Debug, Clone, PartialEq, Eq, Default, Args)]
#[command(next_help_heading = "Documents")]
pub struct Documents {
    /// Write a JUnit XML report
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Whom JUnit XML is for [default: full]
    #[arg(long, value_enum, value_name = "PROFILE")]
    pub junit_profile: Option<JunitProfile>,
    /// Write numbered files of at most so many cases: FILE-1.xml, FILE-2.xml, …
    #[arg(long, value_name = "CASES", value_parser = clap::value_parser!(u64).range(1..))]
    pub junit_split: Option<u64>,
    /// Write one HTML file that needs nothing else
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Write the report as JSON
    #[arg(long, value_name = "FILE")]
    pub report_json: Option<PathBuf>,
    /// Write a CTRF document
    #[arg(long, value_name = "FILE")]
    pub ctrf: Option<PathBuf>,
    /// Write a summary in Markdown, such as to $GITHUB_STEP_SUMMARY
    #[arg(long, value_name = "FILE")]
    pub markdown: Option<PathBuf>,
    /// Annotate what is red or flaky on GitHub, and keep GitHub from obeying what tests print
    #[arg(long)]
    pub github: bool,
    /// Write what is red or flaky in GitLab's code quality format
    #[arg(long, value_name = "FILE")]
    pub gitlab_code_quality: Option<PathBuf>,
    /// Write the timeline of the run in Chrome's trace format, for Perfetto
    #[arg(long, value_name = "FILE")]
    pub trace: Option<PathBuf>,
}

/// Whom JUnit XML is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum JunitProfile {
    /// Tools that read it as it is widely written: everything is kept.
    Full,
    /// Jenkins' xUnit plugin, which validates.
    JenkinsXsd,
    /// GitLab, which shows one of two cases with the same name.
    Gitlab,
}

impl Documents {
    /// The same as arguments of the reporter.
    #[must_use]
    pub(crate) fn arguments(&self) -> Vec<OsString> {
        let profile = self.junit_profile.and_then(|profile| profile.to_possible_value());
        let values = [
            ("--junit", self.junit.clone().map(OsString::from)),
            ("--junit-profile", profile.map(|profile| profile.get_name().into())),
            ("--junit-split", self.junit_split.map(|cases| cases.to_string().into())),
            ("--html", self.html.clone().map(OsString::from)),
            ("--report-json", self.report_json.clone().map(OsString::from)),
            ("--ctrf", self.ctrf.clone().map(OsString::from)),
            ("--markdown", self.markdown.clone().map(OsString::from)),
            ("--gitlab-code-quality", self.gitlab_code_quality.clone().map(OsString::from)),
            ("--trace", self.trace.clone().map(OsString::from)),
        ];
        let given = values.into_iter().filter_map(|(flag, value)| Some([flag.into(), value?]));
        given.flatten().chain(self.github.then(|| "--github".into())).collect()
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use crate::cli::{Cli, Command};

    #[test]
    fn the_reporter_is_given_what_run_was_given() {
        let given = "--junit j.xml --junit-profile jenkins-xsd --junit-split 9 --html r.html \
                     --report-json r.json --ctrf c.json --markdown m.md \
                     --gitlab-code-quality q.json --trace t.json --github";
        let given: Vec<&str> = given.split_whitespace().collect();
        let line = [&["muletrain-scheduler", "run", "."], given.as_slice()].concat();
        let Command::Run(run) = Cli::try_parse_from(line).unwrap().command else {
            panic!("it is not `run`");
        };
        assert_eq!(run.documents.arguments(), given);
    }

    #[test]
    fn nothing_is_asked_for_that_was_not_given() {
        assert!(super::Documents::default().arguments().is_empty());
    }
}
