//! The end of the fold: from what a journal told to what a report says.

use std::collections::BTreeMap;

use muletrain_proto::config::Flaky;
use muletrain_proto::id::{AppLabel, ClassId, LeaseId};
use muletrain_proto::run::Stop;
use muletrain_proto::seconds::Seconds;

use super::catalog::TestState;
use super::counts::Counts;
use super::exit::exit_code;
use super::fold::Fold;
use super::lease::LeaseState;
use super::summary::{AppReport, ClassInfo, Problem, Summary, TestReport, Try};
use super::verdict::conclude;

impl Fold {
    /// What the report says, now that nothing more will come.
    #[must_use]
    pub fn finish(mut self) -> Summary {
        self.conclude_around();
        let unfinished = self.unfinished();
        let missing = self.missing_reason();
        let collected = self.collected;
        let classes = std::mem::take(&mut self.catalog.classes);
        let mut states = std::mem::take(&mut self.catalog.tests);
        states.retain(|test| test.must_be_told(collected));
        states.sort_by(|one, other| {
            let key = |test: &TestState| (&classes[test.class].app, test.rank);
            let ((app, rank), (other_app, other_rank)) = (key(one), key(other));
            app.cmp(other_app).then(rank.cmp(&other_rank))
        });
        let tests: Vec<TestReport> =
            states.into_iter().map(|state| report(state, missing)).collect();
        let counts = count(&tests, &self.problems);
        let judged = match self.options.flaky {
            Flaky::Pass => counts,
            Flaky::Fail => counts.strict(),
        };
        Summary {
            exit: exit_code(&judged, self.stop.as_ref(), unfinished.is_empty()),
            apps: apps(&tests, &classes, &self),
            run: self.run,
            files: 0,
            snapshot: self.snapshot,
            options: self.options,
            notes: self.notes,
            opened: self.opened.unwrap_or_default(),
            ended: self.latest,
            classes,
            tests,
            problems: self.problems,
            incidents: self.incidents,
            made: self.made.into_iter().filter_map(|(agent, time)| Some((agent, time?))).collect(),
            leases: self.leases,
            fixtures: self.fixtures,
            around: self.around,
            deselected: self.deselected,
            stop: self.stop,
            unfinished,
            counts,
            lower_bound: self.lower_bound,
        }
    }

    /// What keeps the report from being whole, apart from tests that were lost.
    fn unfinished(&self) -> Vec<String> {
        let mut reasons = self.damage.clone();
        if !self.closed {
            reasons.push("the run did not finish".to_owned());
            return reasons;
        }
        if self.stop.is_some() {
            return reasons;
        }
        if !self.collected && self.problems.is_empty() {
            reasons
                .push("nobody knows which tests there are: no inventory was recorded".to_owned());
        }
        for lease in self.leases.values().filter(|lease| lease.is_open()) {
            let agent = &lease.place.agent;
            reasons.push(format!("lease {} on {agent} was closed by nobody", lease.id));
        }
        reasons
    }

    /// Why a test has no verdict where nobody said why.
    fn missing_reason(&self) -> &'static str {
        match (&self.stop, self.closed) {
            (Some(Stop::Interrupted), _) => "the run was interrupted",
            (_, false) => "the run did not finish",
            (_, true) => "no verdict was recorded",
        }
    }
}

fn report(mut state: TestState, missing: &str) -> TestReport {
    if state.tries.is_empty() {
        let reason = match state.begun {
            true => format!("{missing} while it was running"),
            false => missing.to_owned(),
        };
        state.tries.push(Try::not_run(1, reason, true, None));
    }
    let (index, outcome) = conclude(&state.tries).expect("there is at least the try made up here");
    let decisive = state.tries.remove(index);
    TestReport {
        id: state.id,
        class: state.class,
        line: None,
        outcome,
        decisive,
        others: state.tries,
    }
}

fn count(tests: &[TestReport], problems: &[Problem]) -> Counts {
    let mut counts = Counts::default();
    for test in tests {
        counts.add(test.outcome, test.decisive.lost);
    }
    counts.problems = u32::try_from(problems.len()).unwrap_or(u32::MAX);
    counts
}

fn apps(tests: &[TestReport], classes: &[ClassInfo], fold: &Fold) -> Vec<AppReport> {
    let mut apps = BTreeMap::<AppLabel, AppReport>::new();
    for test in tests {
        let app = entry(&mut apps, &classes[test.class].app);
        app.counts.add(test.outcome, test.decisive.lost);
        let tries = std::iter::once(&test.decisive).chain(&test.others);
        app.work += tries.filter_map(|one| one.seconds).sum();
    }
    for problem in &fold.problems {
        if let Some(app) = &problem.app {
            entry(&mut apps, app).counts.problems += 1;
        }
    }
    for lease in fold.leases.values() {
        if let Some(label) = &lease.app {
            let app = entry(&mut apps, label);
            app.setup += lease.setup.total();
            app.databases += lease.setup.databases;
            app.kept = match (app.kept, lease.kept) {
                (Some(before), Some(kept)) => Some(before && kept),
                (before, kept) => before.or(kept),
            };
            app.work += fixture_time(&fold.fixtures, lease);
            if let Err(index) = app.agents.binary_search(&lease.place.agent) {
                app.agents.insert(index, lease.place.agent.clone());
            }
        }
    }
    apps.into_values().collect()
}

fn fixture_time(fixtures: &BTreeMap<(ClassId, LeaseId), Seconds>, lease: &LeaseState) -> Seconds {
    fixtures.iter().filter(|((_, id), _)| *id == lease.id).map(|(_, seconds)| *seconds).sum()
}

fn entry<'a>(apps: &'a mut BTreeMap<AppLabel, AppReport>, label: &AppLabel) -> &'a mut AppReport {
    apps.entry(label.clone()).or_insert_with(|| AppReport {
        label: label.clone(),
        counts: Counts::default(),
        work: Seconds::ZERO,
        setup: Seconds::ZERO,
        databases: Seconds::ZERO,
        kept: None,
        agents: Vec::new(),
    })
}
