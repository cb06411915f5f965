//! One `<testcase>`: a test, or something that went wrong outside of one.

use std::io;

use muletrain_proto::id::AppLabel;
use muletrain_proto::outcome::{Failure, FailureKind, Output};
use muletrain_proto::seconds::Seconds;
use muletrain_proto::verdict::Verdict;
use quick_xml::events::BytesText;

use super::{Xml, decimals};
use crate::pure::events::bare;
use crate::pure::summary::{Problem, ProblemKind, Summary, TestReport, Try};
use crate::pure::text::for_xml;

pub(super) fn write_test(xml: &mut Xml, summary: &Summary, test: &TestReport) -> io::Result<()> {
    let class = summary.class(test);
    let (classname, id) = (class.id.as_str(), test.id.as_str());
    let method = id.strip_prefix(classname).and_then(|rest| rest.strip_prefix('.')).unwrap_or(id);
    let decisive = &test.decisive;
    let mut case = xml
        .create_element("testcase")
        .with_attribute(("classname", for_xml(classname).as_str()))
        .with_attribute(("name", for_xml(method).as_str()))
        .with_attribute(("time", decimals(decisive.seconds.unwrap_or_default()).as_str()));
    if let Some(file) = &class.file {
        case = case.with_attribute(("file", for_xml(file).as_str()));
    }
    if let Some(line) = class.line {
        case = case.with_attribute(("line", line.to_string().as_str()));
    }
    if is_bare(test) {
        case.write_empty()?;
        return Ok(());
    }
    case.write_inner_content(|xml| {
        results(xml, test)?;
        let repeated = if test.outcome.flaky { "flakyFailure" } else { "rerunFailure" };
        for other in test.others.iter().filter(|other| other.verdict.is_red()) {
            for failure in &raised(other) {
                write_repeated(xml, repeated, failure, &other.output)?;
            }
        }
        system_out(xml, &decisive.output)
    })?;
    Ok(())
}

/// Whether there is nothing to say of a test but that it passed.
fn is_bare(test: &TestReport) -> bool {
    let silent = test.decisive.output == Output::default();
    test.outcome.verdict == Verdict::Passed && !test.outcome.flaky && silent
}

/// The elements that say how a test ended; a passing one has none.
fn results(xml: &mut Xml, test: &TestReport) -> io::Result<()> {
    let decisive = &test.decisive;
    let reason = decisive.reason.as_deref().unwrap_or_default();
    match test.outcome.verdict {
        Verdict::Passed => Ok(()),
        Verdict::Skipped => write_result(xml, "skipped", "muletrain.Skipped", reason, ""),
        Verdict::ExpectedFailure => {
            let message = "failed, as its author said it would";
            write_result(xml, "skipped", "muletrain.ExpectedFailure", message, "")
        }
        Verdict::NotRun => {
            let element = if decisive.lost { "error" } else { "skipped" };
            write_result(xml, element, "muletrain.NotRun", &format!("not run: {reason}"), "")
        }
        Verdict::UnexpectedSuccess
        | Verdict::Failed
        | Verdict::Error
        | Verdict::Crashed
        | Verdict::TimedOut => {
            raised(decisive).iter().try_for_each(|failure| write_failure(xml, failure))
        }
    }
}

/// What a red try raised; there is always something to show.
fn raised(one: &Try) -> Vec<Failure> {
    match one.failures.is_empty() {
        false => one.failures.clone(),
        true => vec![bare(one.verdict, &one.verdict.to_string())],
    }
}

pub(super) fn write_problem(xml: &mut Xml, summary: &Summary, problem: &Problem) -> io::Result<()> {
    let (_, classname, name) = place_of(summary, problem);
    xml.create_element("testcase")
        .with_attribute(("classname", for_xml(classname).as_str()))
        .with_attribute(("name", for_xml(name).as_str()))
        .with_attribute(("time", decimals(Seconds::ZERO).as_str()))
        .write_inner_content(|xml| {
            match problem.failures.as_slice() {
                [] => {
                    write_failure(xml, &bare(problem.verdict, &problem.id))?;
                }
                failures => failures.iter().try_for_each(|failure| write_failure(xml, failure))?,
            }
            system_out(xml, &problem.output)
        })?;
    Ok(())
}

/// Suite, class name and name of a problem.
pub(super) fn place_of<'a>(
    summary: &'a Summary,
    problem: &'a Problem,
) -> (&'a str, &'a str, &'a str) {
    let id = problem.id.as_str();
    match problem.kind {
        ProblemKind::Load => match id.strip_prefix("unittest.loader._FailedTest.") {
            Some(module) => (module, "unittest.loader._FailedTest", module),
            None => (id, id, id),
        },
        ProblemKind::Fixture => {
            let target = id.strip_suffix(')').and_then(|id| id.split_once(" ("));
            let (name, target) = target.unwrap_or((id, id));
            let class = problem.class.as_ref();
            let known = class.and_then(|class| summary.classes.iter().find(|one| one.id == *class));
            (known.map_or(target, |class| class.module.as_str()), target, name)
        }
        ProblemKind::Pod => {
            let app = problem.app.as_ref().map_or("muletrain", AppLabel::as_str);
            (app, app, id.rsplit(' ').next().unwrap_or(id))
        }
    }
}

fn write_failure(xml: &mut Xml, failure: &Failure) -> io::Result<()> {
    let element = match failure.kind {
        FailureKind::Failure => "failure",
        FailureKind::Error => "error",
    };
    write_result(xml, element, &failure.exception, &message(failure), &failure.traceback)
}

fn message(failure: &Failure) -> String {
    match &failure.subtest {
        Some(subtest) => format!("{subtest} {}", failure.message),
        None => failure.message.clone(),
    }
}

fn write_result(
    xml: &mut Xml,
    element: &str,
    kind: &str,
    message: &str,
    text: &str,
) -> io::Result<()> {
    let element = xml
        .create_element(element)
        .with_attribute(("type", for_xml(kind).as_str()))
        .with_attribute(("message", for_xml(message).as_str()));
    match text.is_empty() {
        true => element.write_empty()?,
        false => element.write_text_content(BytesText::new(&for_xml(text)))?,
    };
    Ok(())
}

fn write_repeated(
    xml: &mut Xml,
    element: &str,
    failure: &Failure,
    output: &Output,
) -> io::Result<()> {
    xml.create_element(element)
        .with_attribute(("type", for_xml(&failure.exception).as_str()))
        .with_attribute(("message", for_xml(&message(failure)).as_str()))
        .write_inner_content(|xml| {
            xml.create_element("stackTrace")
                .write_text_content(BytesText::new(&for_xml(&failure.traceback)))?;
            system_out(xml, output)
        })?;
    Ok(())
}

fn system_out(xml: &mut Xml, output: &Output) -> io::Result<()> {
    if output.text.is_empty() && output.omitted == 0 {
        return Ok(());
    }
    let mut text = for_xml(&output.text);
    if output.omitted > 0 {
        text += &format!("\n[{} bytes omitted from the middle]\n", output.omitted);
    }
    xml.create_element("system-out").write_text_content(BytesText::new(&text))?;
    Ok(())
}
