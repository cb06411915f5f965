//! What a report knows beside tests: shell commands, files that pods left behind, warnings,
//! coverage.

use std::collections::{BTreeMap, BTreeSet};

use muletrain_proto::artifact::{Artifact, Kind};
use muletrain_proto::coverage::Combined;
use muletrain_proto::event::{Event, Warnings};
use muletrain_proto::hook::Hook;
use muletrain_proto::id::{AppLabel, LeaseId};
use muletrain_proto::outcome::{Failure, FailureKind, Output};
use muletrain_proto::verdict::Verdict;

use super::fold::{Fold, Step};
use super::summary::{Problem, ProblemKind};

/// What a run had beside its tests.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Around {
    /// Shell commands, in the order they ended.
    pub hooks: Vec<Ran>,
    /// Files that pods left behind, in the order they came.
    pub files: Vec<File>,
    /// What Python warned of, each text and place once, and how often.
    pub warnings: BTreeMap<Warning, u64>,
    /// Other warnings, which were too many.
    pub warnings_left_out: u64,
    /// The coverage of the whole run.
    pub combined: Option<Combined>,
    /// Whose coverage is missing, and why.
    pub unmeasured: Vec<String>,
    measured: BTreeSet<LeaseId>,
    places: BTreeSet<String>,
    is_waited_for: bool,
}

/// A shell command that was run.
#[derive(Debug, Clone, PartialEq)]
pub struct Ran {
    /// What became of it.
    pub hook: Hook,
    /// The app whose pod it was.
    pub app: Option<AppLabel>,
}

/// A file that a pod left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// What became of it.
    pub artifact: Artifact,
    /// The app whose pod it was.
    pub app: Option<AppLabel>,
    /// Where it is in the run's directory; none where it is not kept, or only for a moment.
    pub place: Option<String>,
}

/// A warning of Python.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Warning {
    /// Where, as far as known.
    pub file: String,
    /// Line of it.
    pub line: u32,
    /// Dotted name of its class.
    pub category: String,
    /// Its text.
    pub message: String,
}

impl Step<'_> {
    /// Takes what is around the tests of a lease.
    pub(super) fn around(&mut self, id: LeaseId, event: &Event) {
        let app = self.app_of(id);
        match event {
            Event::Hook(hook) => self.hook(hook, app, Some(id)),
            Event::Artifact(artifact) => self.fold.around.file(artifact, app, id),
            Event::Warnings(warnings) => self.fold.around.warn(warnings),
            Event::Combined(combined) => self.combined(combined, id),
            _ => {}
        }
    }

    /// A command that failed is something that went wrong outside of tests.
    pub(super) fn hook(&mut self, hook: &Hook, app: Option<AppLabel>, lease: Option<LeaseId>) {
        self.fold.around.is_waited_for = false;
        let name = hook.name();
        self.fold.around.hooks.push(Ran { hook: hook.clone(), app: app.clone() });
        if !hook.is_failed() {
            return;
        }
        let message = format!("`{}` {}", hook.command, hook.how());
        self.problem(Problem {
            id: app.as_ref().map_or(format!("({name})"), |app| format!("{app} ({name})")),
            kind: ProblemKind::Pod,
            app,
            class: None,
            verdict: Verdict::Error,
            failures: vec![failure("muletrain.CommandFailed", message, FailureKind::Error)],
            output: hook.output.clone(),
            lease,
            at: self.at,
        });
    }

    /// The run's last commands are waited for.
    pub(super) fn tearing_down(&mut self) {
        self.fold.around.is_waited_for = true;
    }

    fn combined(&mut self, combined: &Combined, lease: LeaseId) {
        self.fold.around.combined = Some(combined.clone());
        if let Some(demanded) = &combined.demanded {
            let message = format!(
                "{} % of the code are covered, and the project's configuration demands {demanded} %",
                combined.percent
            );
            let failure = failure("muletrain.TooLittleCoverage", message, FailureKind::Failure);
            let problem = coverage_problem(Verdict::Failed, failure, Some(lease), self.at);
            self.problem(problem);
        }
    }
}

impl Around {
    fn file(&mut self, artifact: &Artifact, app: Option<AppLabel>, lease: LeaseId) {
        if artifact.kind == Kind::Coverage && artifact.digest.is_some() {
            self.measured.insert(lease);
        }
        let place = artifact.digest.and_then(|_| self.place(artifact, app.as_ref(), lease));
        self.files.push(File { artifact: artifact.clone(), app, place });
    }

    /// Where a file goes in the run's directory: pods may leave the same names behind.
    fn place(
        &mut self,
        artifact: &Artifact,
        app: Option<&AppLabel>,
        lease: LeaseId,
    ) -> Option<String> {
        let name = &artifact.name;
        let places = match artifact.kind {
            Kind::Coverage => return None,
            Kind::Report => vec![name.to_string()],
            Kind::File => {
                let app = app.map_or("(other)".to_owned(), folder_name);
                let plain = format!("artifacts/{app}/{name}");
                let apart = format!("artifacts/{app}/lease-{lease}/{name}");
                // One pod may leave a file where another of its files had been a folder.
                let number = self.files.len();
                vec![plain, apart, format!("artifacts/{app}/lease-{lease}-file-{number}/{name}")]
            }
        };
        let place = places.into_iter().find(|place| self.is_free(place))?;
        self.places.insert(place.clone());
        Some(place)
    }

    /// Whether a path is no file yet, nor a folder, nor in a file.
    fn is_free(&self, place: &str) -> bool {
        let folder = format!("{place}/");
        let is_folder = self.places.range(folder.clone()..).next();
        let mut above = place.match_indices('/').map(|(end, _)| &place[..end]);
        !self.places.contains(place)
            && !is_folder.is_some_and(|other| other.starts_with(&folder))
            && !above.any(|path| self.places.contains(path))
    }

    fn warn(&mut self, warnings: &Warnings) {
        self.warnings_left_out += warnings.omitted;
        for warning in &warnings.warnings {
            let key = Warning {
                file: warning.file.clone(),
                line: warning.line,
                category: warning.category.clone(),
                message: warning.message.clone(),
            };
            let count = self.warnings.entry(key).or_default();
            *count = count.saturating_add(warning.count);
        }
    }
}

impl Fold {
    /// What is to be said of coverage and of the run's last commands, now that nothing more comes.
    pub(super) fn conclude_around(&mut self) {
        if self.around.is_waited_for && self.closed {
            self.damaged("nobody told what became of the run's teardown commands".to_owned());
        }
        if self.options.coverage.is_none() || !self.closed {
            return;
        }
        let is_missing = |lease: &&super::lease::LeaseState| {
            !lease.combines && !self.around.measured.contains(&lease.id)
        };
        let missing = self.leases.values().filter(is_missing);
        self.around.unmeasured = missing.map(|lease| lease.name().to_owned()).collect();
        if self.around.combined.is_none() && self.stop.is_none() && self.problems.is_empty() {
            let message = "what the pods measured was not combined".to_owned();
            let failure = failure("muletrain.NoCoverage", message, FailureKind::Error);
            let problem = coverage_problem(Verdict::Error, failure, None, self.latest);
            self.problems.push(problem);
        }
    }
}

fn coverage_problem(
    verdict: Verdict,
    failure: Failure,
    lease: Option<LeaseId>,
    at: super::summary::Moment,
) -> Problem {
    Problem {
        id: "(coverage)".to_owned(),
        kind: ProblemKind::Pod,
        app: None,
        class: None,
        verdict,
        failures: vec![failure],
        output: Output::default(),
        lease,
        at,
    }
}

fn failure(exception: &str, message: String, kind: FailureKind) -> Failure {
    let exception = exception.to_owned();
    Failure { kind, exception, message, traceback: String::new(), subtest: None }
}

/// A label as the name of one folder; labels may hold anything.
fn folder_name(app: &AppLabel) -> String {
    let safe = |character: char| match character {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '_' | '.' | '(' | ')' => character,
        _ => '_',
    };
    let name: String = app.as_str().chars().take(200).map(safe).collect();
    match name.starts_with('.') {
        true => format!("_{name}"),
        false => name,
    }
}

#[cfg(test)]
mod tests {
    use muletrain_proto::artifact::Name;
    use muletrain_proto::blob::Digest;

    use super::*;

    fn place(around: &mut Around, name: &str, app: &str, lease: u32) -> Option<String> {
        let artifact = Artifact {
            name: Name::new(name).unwrap(),
            kind: Kind::File,
            size: 1,
            digest: Some(Digest::of(b"x")),
            omitted: 0,
            lost: None,
        };
        around.file(&artifact, AppLabel::new(app).ok(), LeaseId(lease));
        around.files.last().unwrap().place.clone()
    }

    #[test]
    fn files_of_one_name_are_kept_apart_by_their_leases() {
        let mut around = Around::default();
        let mut put = |name: &str, lease| place(&mut around, name, "shop", lease).unwrap();
        assert_eq!(put("a/1.png", 2), "artifacts/shop/a/1.png");
        assert_eq!(put("a/1.png", 3), "artifacts/shop/lease-3/a/1.png");
        assert_eq!(put("a", 5), "artifacts/shop/lease-5/a", "the name of a folder");
        assert_eq!(put("a/1.png/x", 4), "artifacts/shop/lease-4/a/1.png/x", "in a file");
    }

    #[test]
    fn an_app_cannot_name_another_folder() {
        let mut around = Around::default();
        let path = place(&mut around, "x", "../../etc", 1).unwrap();
        assert_eq!(path, "artifacts/_.._.._etc/x");
        assert_eq!(place(&mut around, "x", "..", 1).unwrap(), "artifacts/_../x");
    }
}
