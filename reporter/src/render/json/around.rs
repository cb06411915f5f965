//! What was around the tests of a run: commands, files, warnings, coverage.

use muletrain_proto::artifact::Kind;
use muletrain_proto::coverage::Combined;
use muletrain_proto::hook::{Scope, Stage};
use muletrain_proto::id::AppLabel;
use muletrain_proto::seconds::Seconds;
use serde::Serialize;

use crate::pure::around::{self, File, Ran};

/// Fields of a run; each is left out where it is empty.
#[derive(Serialize)]
pub(super) struct Around<'a> {
    /// In the order they ended.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hooks: Vec<Hook<'a>>,
    /// In the order they came.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    artifacts: Vec<Artifact<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<Warning<'a>>,
    /// Warnings beyond these.
    #[serde(skip_serializing_if = "is_zero")]
    warnings_omitted: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    coverage: Option<Coverage<'a>>,
    /// Whose coverage is missing, and why.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    unmeasured: &'a [String],
}

#[derive(Serialize)]
struct Hook<'a> {
    scope: Scope,
    stage: Stage,
    command: &'a str,
    app: Option<&'a str>,
    seconds: Seconds,
    failed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signal: Option<i32>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    timed_out: bool,
    output: &'a str,
    #[serde(skip_serializing_if = "is_zero")]
    output_omitted: u64,
}

#[derive(Serialize)]
struct Artifact<'a> {
    name: &'a str,
    kind: Kind,
    app: Option<&'a str>,
    /// Bytes it had in its pod.
    size: u64,
    #[serde(skip_serializing_if = "is_zero")]
    omitted: u64,
    /// In the run's directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<&'a str>,
    /// Why it is not kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    lost: Option<&'a str>,
}

#[derive(Serialize)]
struct Warning<'a> {
    file: &'a str,
    line: u32,
    category: &'a str,
    message: &'a str,
    count: u64,
}

#[derive(Serialize)]
struct Coverage<'a> {
    /// As the `coverage` package prints it.
    percent: &'a str,
    statements: u64,
    missing: u64,
    branches: u64,
    missing_branches: u64,
    /// Data files it was made of.
    files: u32,
    seconds: Seconds,
    /// What the project's configuration demands, where it is not reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    demanded: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    notes: &'a [String],
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature is serde's")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

pub(super) fn around(around: &around::Around) -> Around<'_> {
    // Data of coverage is made into the reports; only where it is missing it is worth a word.
    let is_told =
        |file: &&File| file.artifact.kind != Kind::Coverage || file.artifact.lost.is_some();
    let warnings = around.warnings.iter().map(|(warning, count)| Warning {
        file: &warning.file,
        line: warning.line,
        category: &warning.category,
        message: &warning.message,
        count: *count,
    });
    Around {
        hooks: around.hooks.iter().map(hook).collect(),
        artifacts: around.files.iter().filter(is_told).map(artifact).collect(),
        warnings: warnings.collect(),
        warnings_omitted: around.warnings_left_out,
        coverage: around.combined.as_ref().map(coverage),
        unmeasured: &around.unmeasured,
    }
}

fn hook(ran: &Ran) -> Hook<'_> {
    let hook = &ran.hook;
    Hook {
        scope: hook.scope,
        stage: hook.stage,
        command: &hook.command,
        app: ran.app.as_ref().map(AppLabel::as_str),
        seconds: hook.seconds,
        failed: hook.is_failed(),
        status: hook.status,
        signal: hook.signal,
        timed_out: hook.timed_out,
        output: &hook.output.text,
        output_omitted: hook.output.omitted,
    }
}

fn artifact(file: &File) -> Artifact<'_> {
    let artifact = &file.artifact;
    Artifact {
        name: artifact.name.as_str(),
        kind: artifact.kind,
        app: file.app.as_ref().map(AppLabel::as_str),
        size: artifact.size,
        omitted: artifact.omitted,
        path: file.place.as_deref(),
        lost: artifact.lost.as_deref(),
    }
}

fn coverage(combined: &Combined) -> Coverage<'_> {
    Coverage {
        percent: &combined.percent,
        statements: combined.statements,
        missing: combined.missing,
        branches: combined.branches,
        missing_branches: combined.missing_branches,
        files: combined.files,
        seconds: combined.seconds,
        demanded: combined.demanded.as_deref(),
        notes: &combined.notes,
    }
}
