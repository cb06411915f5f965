//! What the events of a pod mean to the fold.

use muletrain_proto::event::{Event, Failed, Finished, Fixture, LimitOf, Phase, TimedOut};
use muletrain_proto::id::LeaseId;
use muletrain_proto::outcome::{Death, Ending, Failure, FailureKind, Output};
use muletrain_proto::verdict::Verdict;

use super::catalog::{Source, Tried, worst};
use super::fold::Step;
use super::lease::{Running, Stage};
use super::summary::{Problem, ProblemKind, Try};
use super::warming::are_kept;
use super::words::Told;

impl Step<'_> {
    pub(super) fn event(&mut self, id: LeaseId, event: &Event) {
        let at = self.at;
        match event {
            Event::Warming(warming) => self.warming(id, warming),
            Event::PodStarted(started) => self.lease(id, |lease| {
                lease.pass(Stage::Starting, started.seconds, at);
                lease.advance(Stage::Booting);
            }),
            Event::Booted(booted) => self.lease(id, |lease| {
                lease.pass(Stage::Booting, booted.seconds, at);
                lease.advance(Stage::Loading);
            }),
            // The scheduler records the inventory that it makes of this.
            Event::Collected(_) => self.lease(id, |lease| lease.advance(Stage::Testing)),
            Event::Planned(planned) => {
                self.fold.catalog.extend(&planned.inventory, Source::Planned);
                self.load_errors(&planned.inventory.errors, Some(id));
                self.lease(id, |lease| {
                    lease.pass(Stage::Loading, planned.seconds, at);
                    lease.planned = count(planned.inventory.test_count());
                    lease.advance(Stage::Databases);
                });
            }
            // No collection could know of them, so they count as if one had.
            Event::Found(found) => self.fold.catalog.extend(&found.inventory, Source::Inventory),
            Event::Ready(ready) => self.lease(id, |lease| {
                lease.pass(Stage::Databases, ready.seconds, at);
                lease.kept = are_kept(&ready.databases);
                lease.advance(Stage::Testing);
            }),
            Event::Started { test, r#try } => {
                let running = Running { test: test.clone(), number: *r#try, since: self.at };
                let app = self.app_of(id);
                let place = self.fold.catalog.test(test, app.as_ref());
                self.fold.catalog.tests[place].begin();
                self.lease(id, |lease| lease.begin(running));
            }
            Event::Finished(finished) => self.finished(id, finished),
            Event::Fixture(fixture) => self.fixture(id, fixture),
            Event::Class(times) => {
                let seconds = times.setup_seconds + times.teardown_seconds;
                self.fold.catalog.remember_peak(&times.class, times.peak_kib);
                *self.fold.fixtures.entry((times.class.clone(), id)).or_default() += seconds;
            }
            Event::Done { .. } => {}
            // A command that failed says so itself.
            Event::Failed(failed) if failed.phase == Phase::Setup => {}
            Event::Failed(failed) => self.failed(id, failed),
            Event::TimedOut(timed_out) => self.timed_out(id, timed_out),
            Event::Artifact(_) | Event::Warnings(_) | Event::Combined(_) | Event::Hook(_) => {
                self.around(id, event);
            }
            Event::Closed(closed) => self.lease(id, |lease| {
                lease.peak_kib = closed.peak_kib;
                lease.advance(Stage::Closed);
            }),
            Event::Ended(ending) => self.ended(id, ending),
        }
    }

    fn finished(&mut self, id: LeaseId, finished: &Finished) {
        let Finished { test, r#try, verdict, seconds, reason, failures, output } = finished;
        let bare = Try {
            seconds: Some(*seconds),
            verdict: *verdict,
            ..Try::not_run(*r#try, String::new(), false, Some(id))
        };
        let mut tried = Tried::new(&bare);
        tried.raised = worst(failures);
        let place = self.place.filter(|_| !failures.is_empty() || *output != Output::default());
        self.tried(test, tried, |words| match place {
            Some(place) => words.leave(place),
            None => words.keep(Told {
                reason: reason.clone(),
                failures: failures.clone(),
                output: output.clone(),
            }),
        });
    }

    fn fixture(&mut self, id: LeaseId, fixture: &Fixture) {
        let known = fixture.class.as_ref().and_then(|class| self.fold.catalog.class_info(class));
        let app = known.map(|class| class.app.clone()).or_else(|| self.app_of(id));
        // A `tearDownClass` that skips is nothing to `unittest` either.
        if !fixture.verdict.is_red() {
            return;
        }
        self.problem(Problem {
            id: fixture.id.to_string(),
            kind: ProblemKind::Fixture,
            app,
            class: fixture.class.clone(),
            verdict: fixture.verdict,
            failures: fixture.failures.clone(),
            output: fixture.output.clone(),
            lease: Some(id),
            at: self.at,
        });
        for test in &fixture.tests {
            let number = self.fold.leases.get(&id).map_or(1, |lease| lease.granted_try(test));
            let reason = format!("{} failed", fixture.id);
            self.verdict(test, Try::not_run(number, reason, false, Some(id)));
        }
    }

    fn failed(&mut self, id: LeaseId, failed: &Failed) {
        self.problem(Problem {
            failures: failed.failures.clone(),
            output: failed.output.clone(),
            ..self.pod_problem(id, failed.phase, Verdict::Error)
        });
    }

    fn timed_out(&mut self, id: LeaseId, event: &TimedOut) {
        let message = match event.limit_of {
            LimitOf::Test => format!("ran over its limit of {}", event.seconds),
            LimitOf::Class => format!("its class ran over its limit of {}", event.seconds),
            LimitOf::App => format!("its app ran over its limit of {}", event.seconds),
            LimitOf::Run => format!("the run's time limit of {} was up", event.seconds),
        };
        let failure =
            Failure { traceback: event.stacks.clone(), ..bare(Verdict::TimedOut, &message) };
        let verdict = Try {
            number: event.r#try,
            verdict: Verdict::TimedOut,
            lost: false,
            // How long the run took says nothing of a test.
            seconds: (event.limit_of != LimitOf::Run).then_some(event.seconds),
            reason: None,
            failures: vec![failure],
            output: event.output.clone(),
            lease: Some(id),
            started: None,
        };
        self.verdict(&event.test, verdict);
        for test in &event.tests {
            let number = self.fold.leases.get(&id).map_or(1, |lease| lease.granted_try(test));
            let reason = format!("{message}, in {}", event.test);
            self.verdict(test, Try::not_run(number, reason, false, Some(id)));
        }
    }

    fn ended(&mut self, id: LeaseId, ending: &Ending) {
        match ending {
            Ending::Crashed(death) => self.died(id, death),
            Ending::Infrastructure { reason } => {
                self.incident(id, reason);
            }
            Ending::Closed | Ending::Failed | Ending::TimedOut | Ending::Revoked => {}
        }
        self.over(id);
    }

    /// A process died on a healthy host: the test it ran is to blame, or, where it ran none, what
    /// it was doing. The scheduler may have said so already, without the details.
    fn died(&mut self, id: LeaseId, death: &Death) {
        let lease = self.fold.leases.get(&id);
        let crashed = lease.and_then(|lease| lease.crashed.clone());
        if let Some((test, number)) = crashed {
            let place = self.fold.catalog.test(&test, None);
            self.fold.catalog.explain(place, number, crash(death), &death.output);
            return;
        }
        let running = lease.and_then(|lease| lease.running.first());
        let running = running.map(|running| (running.test.clone(), running.number));
        let named = death
            .running
            .as_ref()
            .map(|test| (test.clone(), lease.map_or(1, |lease| lease.granted_try(test))));
        let phase = lease.map_or(Phase::Run, |lease| lease.stage.phase());
        match running.or(named) {
            Some((test, number)) => {
                let verdict = Try {
                    verdict: Verdict::Crashed,
                    reason: None,
                    failures: vec![crash(death)],
                    output: death.output.clone(),
                    ..Try::not_run(number, String::new(), false, Some(id))
                };
                self.verdict(&test, verdict);
            }
            None => self.problem(Problem {
                failures: vec![crash(death)],
                output: death.output.clone(),
                ..self.pod_problem(id, phase, Verdict::Crashed)
            }),
        }
    }

    /// What goes wrong before a pod knows its app concerns the run; later, the app.
    fn pod_problem(&self, id: LeaseId, phase: Phase, verdict: Verdict) -> Problem {
        let app = match phase {
            Phase::Setup | Phase::Boot | Phase::Checks => None,
            Phase::Collect | Phase::Databases | Phase::Run | Phase::Teardown => self.app_of(id),
        };
        let combines = self.fold.leases.get(&id).is_some_and(|lease| lease.combines);
        let phase = if combines { "coverage" } else { phase_name(phase) };
        Problem {
            id: app.as_ref().map_or(format!("({phase})"), |app| format!("{app} ({phase})")),
            kind: ProblemKind::Pod,
            app,
            class: None,
            verdict,
            failures: Vec::new(),
            output: Output::default(),
            lease: Some(id),
            at: self.at,
        }
    }
}

/// A verdict that no exception stands behind, as a failure to show.
pub(crate) fn bare(verdict: Verdict, message: &str) -> Failure {
    let exception = match verdict {
        Verdict::Crashed => "muletrain.Crashed",
        Verdict::TimedOut => "muletrain.TimedOut",
        Verdict::UnexpectedSuccess => "muletrain.UnexpectedSuccess",
        _ => "muletrain.NoTraceback",
    };
    Failure {
        kind: match verdict {
            Verdict::Failed | Verdict::UnexpectedSuccess => FailureKind::Failure,
            _ => FailureKind::Error,
        },
        exception: exception.to_owned(),
        message: message.to_owned(),
        traceback: String::new(),
        subtest: None,
    }
}

/// The death of a process, as a failure to show.
pub(super) fn crash(death: &Death) -> Failure {
    let message = match death.memory_limit {
        Some(limit) if !death.reason.contains("limit") => {
            format!("{} (memory limit {} MiB)", death.reason, limit >> 20)
        }
        _ => death.reason.clone(),
    };
    Failure { traceback: death.stderr.clone(), ..bare(Verdict::Crashed, &message) }
}

fn phase_name(phase: Phase) -> &'static str {
    match phase {
        Phase::Setup => "setup",
        Phase::Boot => "boot",
        Phase::Collect => "collect",
        Phase::Databases => "databases",
        Phase::Checks => "checks",
        Phase::Run => "run",
        Phase::Teardown => "teardown",
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
