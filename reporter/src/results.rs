//! Results that a user names: found on the disk, read, and made summaries of.

use std::io;
use std::path::{Path, PathBuf};

use muletrain_proto::cli::chain;
use muletrain_proto::exit_code::ExitCode;
use muletrain_proto::journal;
use muletrain_proto::runs;

use crate::merge;
use crate::pure::catalog::Tests;
use crate::pure::finish::Detail;
use crate::pure::foreign::Foreign;
use crate::pure::summary::Summary;
use crate::pure::words::Lines;
use crate::read::detect::{self, Kind};
use crate::read::input::Input;
use crate::read::journal as reader;
use crate::read::source::Source;
use crate::read::{Damage, Keep, parts, reading_failed};
use crate::render::junit;

/// Bytes of each text that summaries are made from; they keep less.
const TEXT: usize = 256 << 10;

/// Endings of results in a folder that is no run's.
const ENDINGS: [&str; 2] = [".xml", ".xml.gz"];

/// Folders in folders that are looked into.
const DEPTH: usize = 32;

/// Why a result that was named cannot be reported.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is not there, or not for us.
    #[error("failed to read {path}")]
    Read {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A folder without any.
    #[error("{path} holds neither a {} nor files that end in .xml or .xml.gz", journal::FILE_NAME)]
    Nothing {
        /// Where.
        path: PathBuf,
    },
}

impl Error {
    /// What it comes to.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::Usage
    }
}

/// A summary, with the directory that holds its run, if one does.
#[derive(Debug)]
pub struct Report {
    /// What it came to.
    pub summary: Summary,
    /// The run's directory.
    pub directory: Option<PathBuf>,
    /// Every test of it and its journal, where the summary has but some of them.
    pub journal: Option<Journal>,
}

/// Every test of a run, and where its journal says more of them.
pub struct Journal {
    /// Every test.
    pub tests: Tests,
    /// The journal.
    pub lines: Box<dyn Lines + Send + Sync>,
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Journal").field("tests", &self.tests.len()).finish_non_exhaustive()
    }
}

impl Report {
    /// It as a run of a document; none where other tools ran it.
    #[must_use]
    pub fn run(&self) -> Option<merge::Run<'_>> {
        match &self.journal {
            _ if self.summary.is_foreign() => None,
            None => Some(merge::Run::Whole(&self.summary)),
            Some(Journal { tests, lines }) => {
                Some(merge::Run::Stored(junit::run::Run::new(&self.summary, tests, &**lines)))
            }
        }
    }
}

/// Everything that was named.
#[derive(Debug, Default)]
pub struct Results {
    /// Runs, each by itself and in order, and then all that other tools wrote, together.
    pub reports: Vec<Report>,
    /// Files of other tools, to be read again for what a summary does not keep.
    pub files: Vec<Input>,
    /// What was named and is not there.
    pub errors: Vec<Error>,
}

impl Results {
    /// What everything comes to, the strongest first.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        let reports = self.reports.iter().map(|report| report.summary.exit);
        let errors = self.errors.iter().map(Error::exit_code);
        reports.chain(errors).max().unwrap_or_default()
    }

    /// One run.
    #[must_use]
    pub fn of(summary: Summary, directory: Option<PathBuf>) -> Self {
        Self { reports: vec![Report { summary, directory, journal: None }], ..Self::default() }
    }

    /// Adds a run. One that is there already is reported once, as it was told more of.
    fn add(&mut self, mut report: Report, path: &str) {
        let run = &report.summary.run;
        let known = self.reports.iter_mut().find(|one| run.is_some() && one.summary.run == *run);
        let Some(known) = known else { return self.reports.push(report) };
        let is_whole = |report: &Report| report.summary.unfinished.is_empty();
        if is_whole(&report) && !is_whole(known) {
            std::mem::swap(known, &mut report);
        }
        known.summary.incidents.push(format!("{path}: the run was given before and counts once"));
    }

    /// The summaries.
    pub fn summaries(&self) -> impl Iterator<Item = &Summary> {
        self.reports.iter().map(|report| &report.summary)
    }
}

/// Reads run directories, journals, results of other tools, and folders of those. `-` is standard
/// input. One that cannot be read costs only itself.
#[must_use]
pub fn read(paths: &[PathBuf]) -> Results {
    read_in(Detail::Full, paths)
}

/// The same, with summaries of runs in more or less detail.
#[must_use]
pub fn read_in(detail: Detail, paths: &[PathBuf]) -> Results {
    let mut results = Results::default();
    let mut foreign = Foreign::default();
    for path in paths {
        for input in inputs(path) {
            match input {
                Ok(input) => take(input, detail, &mut results, &mut foreign),
                Err(error) => results.errors.push(error),
            }
        }
    }
    if !foreign.is_empty() {
        let (summary, directory) = (foreign.finish(), None);
        results.reports.push(Report { summary, directory, journal: None });
    }
    results
}

/// The files that a path stands for.
#[must_use]
pub fn inputs(path: &Path) -> Vec<Result<Input, Error>> {
    let open = |path: &Path| {
        Input::open(path).map_err(|source| Error::Read { path: path.to_owned(), source })
    };
    if !path.is_dir() {
        return vec![open(path)];
    }
    if let Some(journal) = runs::journal_in(path) {
        return vec![open(&journal)];
    }
    let mut files = Vec::new();
    match find(path, DEPTH, &mut files) {
        Err(source) => vec![Err(Error::Read { path: path.to_owned(), source })],
        Ok(()) if files.is_empty() => vec![Err(Error::Nothing { path: path.to_owned() })],
        Ok(()) => {
            files.sort();
            files.iter().map(|file| open(file)).collect()
        }
    }
}

/// Results below a folder. Links are not followed.
fn find(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if kind.is_dir() && depth > 0 {
            find(&entry.path(), depth - 1, files)?;
        } else if kind.is_file() && ENDINGS.iter().any(|ending| name.ends_with(ending)) {
            files.push(entry.path());
        }
    }
    Ok(())
}

fn take(input: Input, detail: Detail, results: &mut Results, foreign: &mut Foreign) {
    let path = input.path.display().to_string();
    let mut sink = |part| {
        foreign.take(part);
        Ok(())
    };
    let reading = match run(&input, detail) {
        Some(Ok(report)) => {
            results.add(report, &path);
            return;
        }
        Some(Err(error)) => {
            let reason = chain(&error);
            reading_failed(&path, Damage { byte: 0, reason }, &mut sink)
        }
        None => parts(&input, Keep::Everything { text: TEXT }, &mut sink),
    };
    let reading = reading.expect("a summary takes every part");
    foreign.file(&path, reading.notes);
    results.files.push(input);
}

/// The report on a journal; none for anything else.
fn run(input: &Input, detail: Detail) -> Option<Result<Report, reader::Error>> {
    let mut source = Source::new(input.bytes().ok()?);
    if detect::kind(source.peek()) != Kind::Journal {
        return None;
    }
    let named = input
        .path
        .file_name()
        .is_some_and(|name| name.to_string_lossy().trim_end_matches(".gz") == journal::FILE_NAME);
    let directory = input.path.parent().filter(|_| named).map(Path::to_owned);
    drop(source);
    Some(reader::read_stored(input).map(|reader::Stored { fold, lines }| {
        let (summary, tests) = fold.conclude(detail, &*lines);
        let journal = (detail != Detail::Full).then_some(Journal { tests, lines });
        Report { summary, directory, journal }
    }))
}
