//! `--isolate`: what makes a test fail, itself or what runs before it.

use std::io::Write;

use muletrain_proto::exit_code::ExitCode;
use muletrain_proto::id::{RunId, TestId};
use muletrain_proto::run::Options;
use muletrain_proto::snapshot::Snapshot;

use super::past::{self, Ordered};
use super::remote::Fleet;
use super::run::{Laptop, Shown};
use super::{Error, past::Error as PastError};
use crate::handle::Handle;
use crate::interrupt::Interrupts;
use crate::pure::isolation::{Finding, Isolation, Kind, Order, Probe};
use crate::settings::Settings;
use crate::stored;

/// Where the runs of a search take place.
pub(super) enum Host<'a> {
    /// On this machine.
    Laptop(&'a Laptop<'a>, &'a Handle),
    /// On a scheduler's agents.
    Fleet(&'a Fleet<'a>),
}

impl Host<'_> {
    /// A run that is stored and not shown.
    async fn follow(
        &self,
        snapshot: &Snapshot,
        options: &Options,
        interrupts: &mut Interrupts,
    ) -> Result<(Option<RunId>, ExitCode), Error> {
        let shown = Shown::Nothing;
        match self {
            Self::Laptop(laptop, handle) => {
                laptop.follow(handle, snapshot, options, shown, interrupts).await
            }
            Self::Fleet(fleet) => fleet.follow(snapshot, options, shown, interrupts).await,
        }
    }
}

/// A search for what makes a test fail.
pub(super) struct Search {
    test: TestId,
    isolation: Isolation,
    ordered: Ordered,
}

impl Search {
    /// Finds the test in the stored runs, and the orders in which it ran.
    pub(super) fn prepare(settings: &Settings, name: &str) -> Result<Self, PastError> {
        let (stored, test) = past::find_test(settings, name)?;
        let past = past::past(&stored)?;
        let before = |order: Option<Vec<TestId>>| {
            order.map(|mut order| {
                order.pop();
                order
            })
        };
        let (pod, serial) = (before(past.pod_order(&test)), before(past.serial_order(&test)));
        let all = pod.iter().chain(&serial).flatten().chain([&test]).cloned().collect();
        let ordered = Ordered::new(&stored.run, &past, all);
        Ok(Self { isolation: Isolation::new(pod, serial), test, ordered })
    }

    /// Runs what it takes to find out, and prints it.
    pub(super) async fn run(
        mut self,
        host: &Host<'_>,
        settings: &Settings,
        snapshot: &Snapshot,
        options: &Options,
        interrupts: &mut Interrupts,
    ) -> Result<ExitCode, Error> {
        say(&format!(
            "What makes {} fail? Orders are those of run {}.",
            self.test, self.ordered.run
        ))?;
        let mut code = ExitCode::Green;
        while let Some(probe) = self.isolation.probe() {
            let mut only = probe.before.clone();
            only.push(self.test.clone());
            let options = self.ordered.options(options, snapshot, only);
            let (run, ended) = host.follow(snapshot, &options, interrupts).await?;
            let Some(is_red) = self.verdict(settings, run.as_ref())? else {
                say(&format!("{}: the test gave no verdict", in_words(&probe)))?;
                return Ok(ended.and(ExitCode::Incomplete));
            };
            let run = run.map(|run| run.to_string()).unwrap_or_default();
            let how = if is_red { "red" } else { "not red" };
            say(&format!("  {:<44} {how:<8} run {run}", in_words(&probe)))?;
            if is_red {
                code = ExitCode::Red;
            }
            self.isolation.told(is_red);
        }
        if let Some(finding) = self.isolation.finding() {
            say(&told(&self.test, finding, self.isolation.runs()))?;
        }
        Ok(code)
    }

    /// Whether the test was red; none where it has no verdict.
    fn verdict(&self, settings: &Settings, run: Option<&RunId>) -> Result<Option<bool>, Error> {
        let Some(run) = run else { return Ok(None) };
        let stored = stored::find(&settings.results, run.as_str()).map_err(PastError::from)?;
        let verdict = past::past(&stored)?.verdict(&self.test);
        Ok(verdict
            .filter(|verdict| *verdict != muletrain_proto::verdict::Verdict::NotRun)
            .map(muletrain_proto::verdict::Verdict::is_red))
    }
}

fn in_words(probe: &Probe) -> String {
    let tests = match probe.before.len() {
        1 => "1 test".to_owned(),
        number => format!("{number} tests"),
    };
    match probe.kind {
        Kind::Alone => "alone".to_owned(),
        Kind::Whole(Order::Pod) => format!("after the {tests} before it in its pod"),
        Kind::Whole(Order::Serial) => format!("after the {tests} before it in a serial run"),
        Kind::Part => format!("after {tests} of them"),
    }
}

fn told(test: &TestId, finding: &Finding, runs: u32) -> String {
    match finding {
        Finding::Always => format!("{test} fails alone, and in every order: it is not the order"),
        Finding::Never => {
            format!("{test} failed in none of {runs} runs: neither alone nor by these orders")
        }
        Finding::After { tests, is_red_alone, is_least } => {
            let what = if *is_red_alone { "passes" } else { "fails" };
            let rest = if *is_least { "" } else { ", or fewer of them" };
            let mut text = format!("{test} {what} only after{rest}:");
            for one in tests {
                text += &format!("\n  {one}");
            }
            text
        }
    }
}

fn say(text: &str) -> Result<(), Error> {
    Ok(writeln!(std::io::stdout(), "{text}")?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test(name: &str) -> TestId {
        TestId::new(format!("shop.tests.CartTest.{name}")).unwrap()
    }

    #[test]
    fn findings_read_as_sentences() {
        let after = |is_red_alone, is_least| Finding::After {
            tests: vec![test("test_a"), test("test_b")],
            is_red_alone,
            is_least,
        };
        let findings = [Finding::Always, Finding::Never, after(false, true), after(true, false)];
        let texts = findings.map(|finding| told(&test("test_c"), &finding, 3));
        insta::assert_snapshot!(texts.join("\n"), @"
        shop.tests.CartTest.test_c fails alone, and in every order: it is not the order
        shop.tests.CartTest.test_c failed in none of 3 runs: neither alone nor by these orders
        shop.tests.CartTest.test_c fails only after:
          shop.tests.CartTest.test_a
          shop.tests.CartTest.test_b
        shop.tests.CartTest.test_c passes only after, or fewer of them:
          shop.tests.CartTest.test_a
          shop.tests.CartTest.test_b
        ");
    }
}
