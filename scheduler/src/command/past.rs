//! What a stored run decides of a new one: `--rerun` and `--reproduce`.

use std::path::Path;

use muletrain_proto::id::{RunId, TestId};
use muletrain_proto::run::{Options, Selection};
use muletrain_proto::snapshot::Snapshot;

use crate::pure::again::{self, Left, Past};
use crate::settings::Settings;
use crate::stored::{self, Stored};

/// Why a stored run does not say what to run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such run.
    #[error(transparent)]
    Stored(#[from] stored::Error),
    /// Its journal breaks off before it says what it is about.
    #[error("run {0} does not tell what it was asked for")]
    Empty(RunId),
    /// Nothing is known of the test.
    #[error("no run in {folder} knows a test that is called {name:?} or whose id ends with it")]
    UnknownTest {
        /// As given.
        name: String,
        /// The folder of runs.
        folder: String,
    },
    /// Several tests are called so.
    #[error("{name:?} may be {}; write more of it", tests.iter().take(3).map(TestId::as_str).collect::<Vec<_>>().join(" or "))]
    AmbiguousTest {
        /// As given.
        name: String,
        /// What it may be.
        tests: Vec<TestId>,
    },
    /// It passed wherever it ran.
    #[error("{test} failed in no stored run; `--isolate` looks for what makes it fail")]
    NeverFailed {
        /// The test.
        test: TestId,
    },
}

/// What a new run is about.
#[derive(Debug)]
pub(super) enum Wish {
    /// What its own arguments say.
    Own,
    /// Nothing: every test of the stored run went well.
    Nothing(RunId),
    /// What a stored run left.
    Left(RunId, Left),
    /// Some tests, in an order of their own.
    Order(Box<Ordered>),
}

/// Tests in an order of their own, as they ran in a stored run.
#[derive(Debug)]
pub(super) struct Ordered {
    /// The run.
    pub(super) run: RunId,
    /// The tests.
    pub(super) tests: Vec<TestId>,
    /// What was asked of it.
    pub(super) options: Options,
    /// What it tested.
    pub(super) snapshot: Snapshot,
    modules: std::collections::BTreeSet<String>,
}

/// What the settings want of stored runs.
pub(super) fn wish(settings: &Settings) -> Result<Wish, Error> {
    if let Some(name) = &settings.reproduce {
        let (stored, test) = find_failure(settings, name)?;
        let past = past(&stored)?;
        let tests = past.pod_order(&test).ok_or(Error::NeverFailed { test })?;
        return Ok(Wish::Order(Box::new(Ordered::new(&stored.run, &past, tests))));
    }
    let Some(name) = &settings.rerun else { return Ok(Wish::Own) };
    let stored = stored::find(&settings.results, name)?;
    Ok(match past(&stored)?.left() {
        Left::Nothing => Wish::Nothing(stored.run),
        left => Wish::Left(stored.run, left),
    })
}

/// The stored run in which a test failed: the newest, or the one that is named.
fn find_failure(settings: &Settings, name: &str) -> Result<(Stored, TestId), Error> {
    let mut passed = None;
    for stored in candidates(settings)? {
        let past = past(&stored)?;
        match past.test(name) {
            Ok(test) if past.failed(&test) => return Ok((stored, test)),
            Ok(test) => passed = Some(test),
            Err(tests) if !tests.is_empty() => {
                return Err(Error::AmbiguousTest { name: name.to_owned(), tests });
            }
            Err(_) => {}
        }
    }
    match passed {
        Some(test) => Err(Error::NeverFailed { test }),
        None => Err(unknown(name, &settings.results)),
    }
}

/// The stored run that knows most of a test: the newest in which it failed, else the newest.
pub(super) fn find_test(settings: &Settings, name: &str) -> Result<(Stored, TestId), Error> {
    match find_failure(settings, name) {
        Err(Error::NeverFailed { test }) => {
            let knows = |stored: &Stored| past(stored).is_ok_and(|past| past.test(name).is_ok());
            let stored = candidates(settings)?.into_iter().find(knows);
            stored.map(|stored| (stored, test)).ok_or_else(|| unknown(name, &settings.results))
        }
        found => found,
    }
}

fn candidates(settings: &Settings) -> Result<Vec<Stored>, Error> {
    Ok(match &settings.rerun {
        Some(run) => vec![stored::find(&settings.results, run)?],
        None => stored::newest_first(&settings.results).collect(),
    })
}

fn unknown(name: &str, folder: &Path) -> Error {
    Error::UnknownTest { name: name.to_owned(), folder: folder.display().to_string() }
}

/// A stored run, ready to be asked.
pub(super) fn past(stored: &Stored) -> Result<Past<'_>, Error> {
    Past::new(&stored.run, &stored.records).ok_or_else(|| Error::Empty(stored.run.clone()))
}

impl Wish {
    /// The options of the new run.
    pub(super) fn apply(self, options: &Options, snapshot: &Snapshot) -> Options {
        match self {
            Self::Own | Self::Nothing(_) => options.clone(),
            Self::Order(ordered) => ordered.options(options, snapshot, ordered.tests.clone()),
            Self::Left(run, Left::Everything(asked)) => {
                eprintln!(
                    "run {run} never got to know its tests; all that it was asked for runs again"
                );
                match options.labels.is_empty() {
                    true => Options {
                        labels: asked.labels,
                        suite_labels: asked.suite_labels,
                        only: asked.only,
                        ..options.clone()
                    },
                    false => options.clone(),
                }
            }
            Self::Left(run, Left::Only(only, modules)) => {
                eprintln!("{}", in_words(&run, &only));
                let labels = match options.labels.is_empty() {
                    true => again::labels(&modules, snapshot),
                    false => options.labels.clone(),
                };
                Options { labels, only, ..options.clone() }
            }
            Self::Left(_, Left::Nothing) => options.clone(),
        }
    }
}

fn in_words(run: &RunId, only: &[TestId]) -> String {
    match only {
        [one] => format!("running again what run {run} left: {one}"),
        only => format!("running again what run {run} left: {} tests", only.len()),
    }
}

impl Ordered {
    pub(super) fn new(run: &RunId, past: &Past<'_>, tests: Vec<TestId>) -> Self {
        Self {
            run: run.clone(),
            modules: past.modules(&tests),
            tests,
            options: past.options().clone(),
            snapshot: past.snapshot().clone(),
        }
    }

    /// The line by which its last test is repeated wherever the stored run is, and what that takes.
    pub(super) fn line(&self, project: &Path) -> String {
        let Some((test, before)) = self.tests.split_last() else { return String::new() };
        let quoted = |text: &str| shlex::try_quote(text).unwrap_or_default().into_owned();
        let prefix = match before {
            [] => "as the first of its pod".to_owned(),
            [one] => format!("after {one}"),
            [first, .., last] => format!("after {} tests, {first} to {last}", before.len()),
        };
        let seed = self.options.shuffle.map_or("no seed".to_owned(), |seed| format!("seed {seed}"));
        format!(
            "muletrain-scheduler run {} --reproduce {} --rerun {}  # snapshot {}, {prefix}, {seed}",
            quoted(&project.to_string_lossy()),
            quoted(test.as_str()),
            self.run,
            self.snapshot.id,
        )
    }

    /// Options by which some of its tests run in their order, and each of them once.
    pub(super) fn options(
        &self,
        options: &Options,
        snapshot: &Snapshot,
        only: Vec<TestId>,
    ) -> Options {
        Options {
            labels: again::labels(&self.modules, snapshot),
            suite_labels: Default::default(),
            selection: Selection::default(),
            suites: Default::default(),
            max_failures: None,
            retries: 0,
            retry_rules: Vec::new(),
            shuffle: self.options.shuffle,
            isolation: self.options.isolation,
            only,
            ordered: true,
            ..options.clone()
        }
    }
}
