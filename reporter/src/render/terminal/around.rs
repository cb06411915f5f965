//! What was around the tests: what they printed, commands, warnings, files, coverage.

use std::collections::BTreeMap;

use muletrain_proto::artifact::Kind;
use muletrain_proto::config::ShowOutput;
use muletrain_proto::coverage::Combined;
use muletrain_proto::seconds::Seconds;

use super::{IN_FULL, Page, block};
use crate::pure::around::File;
use crate::pure::summary::Summary;
use crate::pure::text::{fit, for_line, plural};

/// What tests printed that did not go wrong, where it is wanted.
pub(super) fn printed(page: &mut Page, summary: &Summary) {
    if page.look.output != ShowOutput::All {
        return;
    }
    let is_wanted = |test: &&crate::pure::summary::TestReport| {
        !test.outcome.verdict.is_red() && !test.decisive.output.text.trim().is_empty()
    };
    let tests: Vec<_> = summary.tests.iter().filter(is_wanted).collect();
    if tests.is_empty() {
        return;
    }
    page.section(&format!("Printed ({})", tests.len()));
    for test in tests {
        let word = test.outcome.as_str().to_uppercase().replace('_', " ");
        page.line(&format!("{word} {}", page.look.strong(&for_line(test.id.as_str()))));
        block::write_output(page, &test.decisive.output);
        page.line("");
    }
}

pub(super) fn warnings(page: &mut Page, summary: &Summary) {
    let around = &summary.around;
    if around.warnings.is_empty() {
        return;
    }
    page.section(&format!("Warnings ({})", around.warnings.len()));
    for (warning, count) in around.warnings.iter().take(IN_FULL) {
        let times = if *count > 1 { format!(" ({count} times)") } else { String::new() };
        let name = warning.category.rsplit('.').next().unwrap_or_default();
        let text = format!("{}:{}: {name}: {}{times}", warning.file, warning.line, warning.message);
        page.line(&fit(&for_line(&text), page.look.width));
    }
    let rest = around.warnings.len().saturating_sub(IN_FULL);
    if rest > 0 || around.warnings_left_out > 0 {
        let rest = rest as u64 + around.warnings_left_out;
        page.line(&format!("and {rest} more"));
    }
}

/// Each command once: how often it ran, and how long that took on the average.
pub(super) fn hooks(page: &mut Page, summary: &Summary) {
    let mut commands = BTreeMap::<_, (u32, u32, Seconds)>::new();
    let mut order = Vec::new();
    for ran in &summary.around.hooks {
        let key = (ran.hook.name(), ran.hook.command.as_str());
        let (times, failed, seconds) = commands.entry(key.clone()).or_default();
        if *times == 0 {
            order.push(key);
        }
        *times += 1;
        *failed += u32::from(ran.hook.is_failed());
        *seconds += ran.hook.seconds;
    }
    if order.is_empty() {
        return;
    }
    page.section("Commands");
    for key in order {
        let (times, failed, seconds) = commands[&key];
        let (name, command) = key;
        let each = Seconds::from(seconds.duration() / times.max(1));
        let text = format!("{name:<12} {times:>4} × {each:>8}  {}", for_line(command));
        let text = fit(&text, page.look.width.saturating_sub(14));
        match failed {
            0 => page.line(&text),
            failed => {
                let failed = page.look.bad(&format!("{failed} failed"));
                page.line(&format!("{text}  {failed}"));
            }
        }
    }
}

pub(super) fn files(page: &mut Page, summary: &Summary) {
    let is_told = |file: &&File| file.artifact.kind == Kind::File || file.artifact.lost.is_some();
    let files: Vec<&File> = summary.around.files.iter().filter(is_told).collect();
    if files.is_empty() {
        return;
    }
    page.section(&format!("Files from pods ({})", files.len()));
    // What is missing comes first: it may be what somebody looks for.
    let (lost, kept): (Vec<&File>, Vec<&File>) =
        files.into_iter().partition(|file| file.artifact.lost.is_some());
    for file in lost.iter().chain(&kept).take(IN_FULL) {
        let line = line(page, file);
        page.line(&line);
    }
    let rest = (lost.len() + kept.len()).saturating_sub(IN_FULL);
    if rest > 0 {
        page.line(&format!("and {rest} more"));
    }
}

fn line(page: &Page, file: &File) -> String {
    let artifact = &file.artifact;
    if let Some(reason) = &artifact.lost {
        let app = file.app.as_ref().map_or(String::new(), |app| format!("{app}: "));
        let name = for_line(&format!("{app}{}", artifact.name));
        return format!("{name}  {}", page.look.odd(&for_line(&format!("not kept: {reason}"))));
    }
    let place = file.place.as_deref().unwrap_or(artifact.name.as_str());
    let cut = match artifact.omitted {
        0 => String::new(),
        omitted => page.look.odd(&format!(", the last {} cut off", bytes(omitted))),
    };
    format!("{}  {}{cut}", for_line(place), bytes(artifact.size))
}

fn bytes(number: u64) -> String {
    match number {
        0..1024 => plural(usize::try_from(number).unwrap_or(usize::MAX), "byte"),
        1024..1_048_576 => format!("{} KiB", number >> 10),
        _ => format!("{} MiB", number >> 20),
    }
}

/// Such as `Coverage: 92 % of 120 statements and branches, from 12 files of data`.
pub(super) fn coverage(page: &mut Page, summary: &Summary) {
    let around = &summary.around;
    if let Some(combined) = &around.combined {
        page.line(&in_words(combined));
        let reports = around.files.iter().filter(|file| file.artifact.kind == Kind::Report);
        for place in reports.filter_map(|file| file.place.as_deref()) {
            let place = place
                .strip_suffix(".tar")
                .map_or(place.to_owned(), |folder| format!("{folder}/index.html"));
            page.line(&page.look.faint(&format!("  {}", for_line(&place))));
        }
        for note in &combined.notes {
            page.line(&page.look.faint(&format!("  {}", for_line(note))));
        }
    }
    if !around.unmeasured.is_empty() {
        let names = around.unmeasured.join(", ");
        let text = format!(
            "Coverage of {} is missing, whose processes ended before they could write it: {names}",
            plural(around.unmeasured.len(), "pod")
        );
        page.line(&page.look.odd(&for_line(&text)));
    }
}

fn in_words(combined: &Combined) -> String {
    let Combined { statements, missing, branches, missing_branches, percent, files, .. } = combined;
    let branches = match branches {
        0 => String::new(),
        branches => format!(", {missing_branches} of {branches} branches not taken"),
    };
    let files = plural(*files as usize, "file");
    for_line(&format!(
        "Coverage: {percent} %; {missing} of {statements} statements not executed{branches}; \
         from {files} of data"
    ))
}
