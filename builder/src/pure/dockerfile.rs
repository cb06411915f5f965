//! What a Dockerfile reads of the project, and which of its instructions only put the code where
//! muletrain puts it in any case.
//!
//! What is not understood beyond doubt counts as read.

mod copy;
mod scope;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use parse_dockerfile::{Dockerfile, Instruction, Stage};

use self::copy::Copy;
use self::scope::{Scope, Variables, parts};
use super::tree::{Manifest, Node};

/// Where the project goes in an image that has no working folder.
pub const ROOT: &str = "/app";

/// A Dockerfile and what it is built with.
#[derive(Debug, Clone, Copy)]
pub struct Build<'a> {
    /// Its text.
    pub text: &'a str,
    /// The stage that is wanted; none: the last.
    pub target: Option<&'a str>,
    /// Build arguments.
    pub arguments: &'a BTreeMap<String, String>,
    /// Where the project goes, as configured; none: the working folder.
    pub root: Option<&'a str>,
}

/// What an image gives to a Dockerfile that starts from it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Origin {
    /// Its working folder.
    pub folder: String,
    /// `NAME=value`.
    pub environment: Vec<String>,
    /// Whether it has instructions of its own for such a Dockerfile.
    pub has_triggers: bool,
}

/// How a Dockerfile is built without the code that it only puts into place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Its text, without the instructions that do no more than that.
    pub text: String,
    /// The files that the others may read.
    pub files: Manifest,
    /// Where the code goes.
    pub root: String,
}

/// The images that its stages start from and copy from, up to the wanted one, without those whose
/// names nobody can tell ahead.
#[must_use]
pub fn images(build: &Build<'_>) -> BTreeSet<String> {
    let read = || {
        let file = parse_dockerfile::parse(build.text).ok()?;
        let above = above(&file, build)?;
        let (mut images, mut names) = (BTreeSet::new(), BTreeSet::new());
        for stage in stages(&file, build)? {
            let start = above.expand(&stage.from.image.value);
            let copied = stage.instructions.iter().filter_map(|instruction| match instruction {
                Instruction::Copy(it) => copy::origin(&it.options).map(str::to_owned),
                _ => None,
            });
            let is_number = |image: &str| image.chars().all(|c| c.is_ascii_digit());
            let is_stage = |image: &str| names.contains(&image.to_ascii_lowercase());
            let is_image =
                |image: &String| !is_stage(image) && !is_number(image) && image != "scratch";
            images.extend(start.into_iter().chain(copied).filter(is_image));
            names.extend(name(&stage));
        }
        Some(images)
    };
    read().unwrap_or_default()
}

/// How to build it; none where it may read all of its context.
#[must_use]
pub fn plan(
    build: &Build<'_>,
    context: &Manifest,
    origins: &BTreeMap<String, Origin>,
) -> Option<Plan> {
    let Walked { steps, mut read, folder } = walk(build, origins)?;
    let root = match build.root {
        Some(root) => format!("/{}", parts(root)?),
        None if folder == "/" => ROOT.to_owned(),
        None => folder,
    };
    let mut placing = Vec::new();
    // Whether something that comes later may need what a copy places.
    let mut is_needed = false;
    for step in steps.into_iter().rev() {
        match step {
            Step::Run(_) => is_needed = true,
            Step::Bring(copy) => is_needed |= copy.depends_on(context, &root),
            Step::Copy(copy) if !is_needed && copy.places(context, &root) => {
                placing.push(copy.lines);
            }
            Step::Copy(copy) => {
                is_needed |= copy.depends_on(context, &root);
                read.push(copy);
            }
        }
    }
    placing.reverse();
    let sources = read.iter().map(Copy::reads).collect::<Option<Vec<_>>>()?.concat();
    let is_read = |path: &_| sources.iter().any(|source| source.takes(path));
    // A link may lead to what no source names.
    let leads = |path: &_| sources.iter().any(|source| source.takes(path) || source.is_below(path));
    let is_link = |node: &Node| matches!(node, Node::Link { .. });
    let has_links = context.0.iter().any(|(path, node)| is_link(node) && leads(path));
    let text = without(build.text, placing);
    let files = context.only(is_read);
    (!has_links && files != *context).then_some(Plan { text, files, root })
}

/// The lines of an instruction that copies all of the context and of the first that runs after
/// it, in the wanted stage.
#[must_use]
pub fn runs_after_copy(
    build: &Build<'_>,
    origins: &BTreeMap<String, Origin>,
) -> Option<(usize, usize)> {
    let line = |at: usize| build.text.get(..at).map_or(0, |it| it.matches('\n').count()) + 1;
    let mut steps = walk(build, origins)?.steps.into_iter();
    let copied = steps.find_map(|step| match step {
        Step::Copy(copy) if copy.reads_all() => Some(copy.lines.start),
        _ => None,
    })?;
    let run = steps.find_map(|step| match step {
        Step::Run(at) => Some(at),
        Step::Copy(_) | Step::Bring(_) => None,
    })?;
    Some((line(copied), line(run)))
}

/// What the steps of the wanted stage are, what those before it copy, and where it ends up.
struct Walked {
    steps: Vec<Step>,
    read: Vec<Copy>,
    folder: String,
}

/// What of a stage may read the context, or what was copied of it.
enum Step {
    /// Where it stands.
    Run(usize),
    Copy(Copy),
    /// A copy of another stage or image.
    Bring(Copy),
}

fn walk(build: &Build<'_>, origins: &BTreeMap<String, Origin>) -> Option<Walked> {
    let file = parse_dockerfile::parse(build.text).ok()?;
    if file.parser_directives.escape.is_some() {
        return None;
    }
    let above = above(&file, build)?;
    let mut walked = Walked { steps: Vec::new(), read: Vec::new(), folder: String::new() };
    let mut ends: BTreeMap<String, Scope> = BTreeMap::new();
    for stage in stages(&file, build)? {
        walked.read.extend(walked.steps.drain(..).filter_map(|step| match step {
            Step::Run(_) | Step::Bring(_) => None,
            Step::Copy(copy) => Some(copy),
        }));
        let image = above.expand(&stage.from.image.value)?;
        let mut scope = match ends.get(&image.to_ascii_lowercase()) {
            Some(end) => Scope { arguments: Variables::new(), ..end.clone() },
            None => start(&image, origins)?,
        };
        for instruction in stage.instructions {
            walked.steps.extend(step(instruction, &mut scope, build, &above.arguments)?);
        }
        walked.folder.clone_from(&scope.folder);
        ends.extend(name(&stage).map(|name| (name, scope)));
    }
    Some(walked)
}

/// What an instruction does, if it matters; none where that cannot be told.
fn step(
    instruction: &Instruction<'_>,
    scope: &mut Scope,
    build: &Build<'_>,
    above: &Variables,
) -> Option<Option<Step>> {
    match instruction {
        Instruction::Arg(it) => scope.declare(&it.arguments.value, build.arguments, above)?,
        Instruction::Env(it) => scope.set(&it.arguments.value)?,
        Instruction::Workdir(it) => scope.folder = scope.path(&it.arguments.value)?,
        Instruction::Run(it) if it.options.is_empty() && it.here_docs.is_empty() => {
            return Some(Some(Step::Run(it.run.span.start)));
        }
        Instruction::Copy(it) => {
            let start = it.copy.span.start;
            let copy = Copy::new(build.text, start, &it.options, &it.src, &it.dest, scope)?;
            return Some(Some(match copy::origin(&it.options) {
                Some(_) => Step::Bring(copy.of_elsewhere()),
                None => Step::Copy(copy),
            }));
        }
        Instruction::Add(it) => {
            let start = it.add.span.start;
            let copy = Copy::new(build.text, start, &it.options, &it.src, &it.dest, scope)?;
            return Some(Some(Step::Copy(copy.unpacking())));
        }
        Instruction::Cmd(_)
        | Instruction::Entrypoint(_)
        | Instruction::Expose(_)
        | Instruction::Healthcheck(_)
        | Instruction::Label(_)
        | Instruction::Maintainer(_)
        | Instruction::Shell(_)
        | Instruction::Stopsignal(_)
        | Instruction::User(_)
        | Instruction::Volume(_) => {}
        _ => return None,
    }
    Some(None)
}

/// What a stage knows that starts from an image.
fn start(image: &str, origins: &BTreeMap<String, Origin>) -> Option<Scope> {
    if image == "scratch" {
        return Some(Scope { folder: "/".to_owned(), ..Scope::default() });
    }
    let origin = origins.get(image).filter(|origin| !origin.has_triggers)?;
    let variables = origin.environment.iter().filter_map(|it| it.split_once('='));
    let environment = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let folder = format!("/{}", parts(&origin.folder)?);
    Some(Scope { folder, environment, arguments: Variables::new() })
}

/// The arguments above all stages.
fn above(file: &Dockerfile<'_>, build: &Build<'_>) -> Option<Scope> {
    let mut scope = Scope::default();
    for argument in file.global_args() {
        scope.declare(&argument.arguments.value, build.arguments, &Variables::new())?;
    }
    Some(scope)
}

/// The stages that are built, of which the last is wanted.
fn stages<'a, 'b>(file: &'b Dockerfile<'a>, build: &Build<'_>) -> Option<Vec<Stage<'a, 'b>>> {
    let mut stages: Vec<_> = file.stages().collect();
    if let Some(target) = build.target {
        let named = |stage| name(stage) == Some(target.to_ascii_lowercase());
        let wanted = stages.iter().position(named).or_else(|| target.parse().ok())?;
        stages.truncate(wanted.checked_add(1)?);
    }
    Some(stages)
}

fn name(stage: &Stage<'_, '_>) -> Option<String> {
    stage.from.as_.as_ref().map(|(_, name)| name.value.to_ascii_lowercase())
}

/// A text without some parts of it, in order.
fn without(text: &str, parts: Vec<Range<usize>>) -> String {
    let (mut rest, mut left) = (0, String::new());
    for part in parts {
        left += text.get(rest..part.start).unwrap_or_default();
        rest = part.end;
    }
    left + text.get(rest..).unwrap_or_default()
}

#[cfg(test)]
#[path = "dockerfile_tests.rs"]
mod tests;
