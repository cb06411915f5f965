//! `merge`: JUnit XML to JUnit XML, of any size, in two passes over the files, several at once.

use std::io::{self, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use muletrain_proto::cli::print_error;
use muletrain_proto::exit_code::ExitCode;

use crate::cli;
use crate::files::{self, Draft};
use crate::parallel::{self, Texts};
use crate::pure::junit::Part;
use crate::pure::junit::profile::Profile;
use crate::pure::junit::tally::{File, left_out};
use crate::pure::summary::Summary;
use crate::read::input::Input;
use crate::read::{Keep, Reading, parts};
use crate::render::junit::document::{
    END, Files, Layout, Page, Sink, counts, head, write, write_inside,
};
use crate::render::junit::{self, run};
use crate::results;

/// Bytes of each text that are kept. Readers of the document have limits too: ten megabytes of
/// text are more than most take.
const TEXT: usize = 1 << 20;

const EVERYTHING: Keep = Keep::Everything { text: TEXT };

/// Merges what is named. What is odd about a file, or wrong with it, is told.
#[must_use]
pub fn run(arguments: &cli::Merge) -> ExitCode {
    let mut code = ExitCode::Green;
    let mut inputs = Vec::new();
    for input in arguments.results.iter().flat_map(|path| results::inputs(path)) {
        match input {
            Ok(input) => inputs.push(input),
            Err(error) => {
                print_error(&error);
                code = code.and(error.exit_code());
            }
        }
    }
    if inputs.is_empty() {
        return code;
    }
    let layout = arguments.layout.clone().into();
    match documents(&arguments.output, layout, &[], &inputs) {
        Ok(readings) => readings.iter().zip(&inputs).fold(code, |code, (reading, input)| {
            tell(&input.path, reading);
            code.and(if reading.damage.is_some() { ExitCode::Incomplete } else { ExitCode::Green })
        }),
        Err(error) => {
            print_error(&error);
            code.and(ExitCode::Usage)
        }
    }
}

fn tell(path: &Path, reading: &Reading) {
    for note in &reading.notes {
        tracing::warn!("{}: {note}", path.display());
    }
    if let Some(damage) = &reading.damage {
        tracing::error!("{} cannot be read to its end, {damage}", path.display());
    }
}

/// A run of ours, for a document.
#[derive(Debug)]
pub enum Run<'a> {
    /// One whose summary holds every test.
    Whole(&'a Summary),
    /// One whose journal does.
    Stored(run::Run<'a>),
}

impl Run<'_> {
    fn parts(&self, sink: Sink<'_>) -> io::Result<()> {
        match self {
            Self::Whole(summary) => junit::parts(summary, sink),
            Self::Stored(run) => run.parts(sink),
        }
    }
}

/// Writes runs and files of other tools as JUnit XML; gives back how each file was read.
///
/// # Errors
/// When the document cannot be written, or a file changes while it is read.
pub fn documents(
    path: &Path,
    layout: Layout,
    runs: &[Run<'_>],
    inputs: &[Input],
) -> Result<Vec<Reading>, files::Error> {
    let written = match layout {
        Layout { profile: Profile::Full | Profile::JenkinsXsd, split: None } => {
            at_once(path, layout.profile, runs, inputs)
        }
        layout => one_by_one(path, layout, runs, inputs),
    };
    written.map_err(|error| files::Error::new(path, error))
}

/// Where what comes first decides about what comes later.
fn one_by_one(
    path: &Path,
    layout: Layout,
    runs: &[Run<'_>],
    inputs: &[Input],
) -> io::Result<Vec<Reading>> {
    let mut readings = Vec::new();
    let all = |keep: Keep, readings: &mut Vec<(Reading, File)>, sink: Sink<'_>| {
        runs.iter().try_for_each(|run| run.parts(sink))?;
        inputs.iter().try_for_each(|input| {
            let mut own = File::default();
            let reading = parts(input, keep, &mut |part| {
                if let Part::Root(root) = &part {
                    own.agree(&root.attributes);
                }
                sink(part)
            });
            reading.map(|reading| readings.push((reading, own)))
        })
    };
    let counts = counts(layout, |sink| all(Keep::Counts, &mut Vec::new(), sink))?;
    let mut shelf = Shelf { path, split: layout.split.is_some(), drafts: Vec::new() };
    write(layout, &counts, &mut shelf, |sink| all(EVERYTHING, &mut readings, sink))?;
    shelf.keep()?;
    let whole = File::of_pieces(&counts);
    Ok(readings.into_iter().map(|(reading, own)| noted(reading, &own, &whole)).collect())
}

/// A reading that says what the document does not have of the file's root.
fn noted(mut reading: Reading, own: &File, document: &File) -> Reading {
    let lost = left_out(own, document);
    if !lost.is_empty() {
        let lost = lost.join(", ");
        reading.notes.push(format!("{lost} of its root left out, since other files differ"));
    }
    reading
}

/// Where each run and each file is a piece of its own.
fn at_once(
    path: &Path,
    profile: Profile,
    runs: &[Run<'_>],
    inputs: &[Input],
) -> io::Result<Vec<Reading>> {
    let pieces = pieces(profile, runs, inputs);
    let counted = parallel::map(pieces.len(), |piece| pieces[piece].count(profile));
    let counted: Vec<File> = counted.into_iter().collect::<io::Result<_>>()?;
    let mut draft = Draft::create(path)?;
    let whole = File::of_pieces(&counted);
    draft.write_all(head(profile, &whole).as_bytes())?;
    let work = |piece: usize, out: Texts<Option<Reading>>| {
        pieces[piece].write(profile, &counted[piece], out)
    };
    let readings = parallel::write(pieces.len(), work, &mut draft)?;
    draft.write_all(END.as_bytes())?;
    draft.keep()?;
    let readings = readings.into_iter().zip(&counted);
    Ok(readings.filter_map(|(reading, own)| Some(noted(reading?, own, &whole))).collect())
}

/// What is counted and written by itself.
enum Piece<'a> {
    Run(&'a Run<'a>),
    Suites(&'a run::Run<'a>, Range<usize>),
    File(&'a Input),
}

fn pieces<'a>(profile: Profile, runs: &'a [Run<'a>], inputs: &'a [Input]) -> Vec<Piece<'a>> {
    let mut pieces = Vec::new();
    for run in runs {
        match run {
            Run::Stored(run) if profile == Profile::Full => {
                pieces.extend(run.pieces().into_iter().map(|suites| Piece::Suites(run, suites)));
            }
            run => pieces.push(Piece::Run(run)),
        }
    }
    pieces.extend(inputs.iter().map(Piece::File));
    pieces
}

impl Piece<'_> {
    fn count(&self, profile: Profile) -> io::Result<File> {
        let of = |all: &dyn Fn(Sink<'_>) -> io::Result<()>| {
            Ok(counts(Layout { profile, split: None }, all)?.remove(0))
        };
        match self {
            Self::Run(run) => of(&|sink| run.parts(sink)),
            Self::Suites(run, suites) => Ok(run.count(suites)),
            Self::File(input) => of(&|sink| parts(input, Keep::Counts, sink).map(drop)),
        }
    }

    fn write(
        &self,
        profile: Profile,
        counts: &File,
        out: Texts<Option<Reading>>,
    ) -> io::Result<Option<Reading>> {
        let mut reading = None;
        match self {
            Self::Run(run) => drop(write_inside(profile, counts, out, |sink| run.parts(sink))?),
            Self::Suites(run, suites) => {
                let mut page = Page::inside(out, counts);
                run.write(suites, &mut page)?;
                page.end_inside()?;
            }
            Self::File(input) => drop(write_inside(profile, counts, out, |sink| {
                let keep = match profile {
                    Profile::Full => Keep::Written { text: TEXT },
                    Profile::JenkinsXsd | Profile::Gitlab => EVERYTHING,
                };
                reading = Some(parts(input, keep, sink)?);
                Ok(())
            })?),
        }
        Ok(reading)
    }
}

/// Files for one document. They get to their places together, once all of them are complete.
struct Shelf<'a> {
    path: &'a Path,
    split: bool,
    drafts: Vec<Draft>,
}

impl Files for Shelf<'_> {
    type File = Draft;

    fn begin(&mut self, number: usize) -> io::Result<Draft> {
        match self.split {
            true => Draft::create(&numbered(self.path, number + 1)),
            false => Draft::create(self.path),
        }
    }

    fn end(&mut self, file: Draft) -> io::Result<()> {
        self.drafts.push(file);
        Ok(())
    }
}

impl Shelf<'_> {
    /// Those of an earlier document that had more parts are removed, or they would be taken for
    /// parts of this one.
    fn keep(self) -> io::Result<()> {
        let next = self.drafts.len() + 1;
        self.drafts.into_iter().try_for_each(Draft::keep)?;
        let stale = (next..).map(|number| numbered(self.path, number));
        match self.split {
            true => stale.take_while(|path| path.is_file()).try_for_each(std::fs::remove_file),
            false => Ok(()),
        }
    }
}

/// `junit.xml.gz` with its number: `junit-3.xml.gz`.
fn numbered(path: &Path, number: usize) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let (stem, ending) = name.split_once('.').map_or((&*name, ""), |(stem, ending)| (stem, ending));
    let dot = if ending.is_empty() { "" } else { "." };
    path.with_file_name(format!("{stem}-{number}{dot}{ending}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_numbered_before_the_ending() {
        let name = |path: &str| numbered(Path::new(path), 3).display().to_string();
        assert_eq!(name("a/junit.xml.gz"), "a/junit-3.xml.gz");
        assert_eq!(name("junit"), "junit-3");
    }
}
