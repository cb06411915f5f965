//! `merge`: JUnit XML to JUnit XML, of any size, in two passes over the files.

use std::io;
use std::path::{Path, PathBuf};

use muletrain_proto::cli::print_error;
use muletrain_proto::exit_code::ExitCode;

use crate::cli;
use crate::files::{self, Draft};
use crate::pure::junit::Part;
use crate::pure::summary::Summary;
use crate::read::input::Input;
use crate::read::{Keep, Reading, parts};
use crate::render::junit;
use crate::render::junit::document::{Files, Layout, counts, write};
use crate::results;

/// Bytes of each text that are kept. Readers of the document have limits too: ten megabytes of
/// text are more than most take.
const TEXT: usize = 1 << 20;

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

/// Writes runs and files of other tools as JUnit XML; gives back how each file was read.
///
/// # Errors
/// When the document cannot be written, or a file changes while it is read.
pub fn documents(
    path: &Path,
    layout: Layout,
    runs: &[&Summary],
    inputs: &[Input],
) -> Result<Vec<Reading>, files::Error> {
    let failed = |error| files::Error::new(path, error);
    let mut readings = Vec::new();
    let all = |keep: Keep,
               readings: &mut Vec<Reading>,
               sink: &mut dyn FnMut(Part) -> io::Result<()>| {
        runs.iter().try_for_each(|run| junit::parts(run, sink))?;
        inputs.iter().try_for_each(|input| parts(input, keep, sink).map(|read| readings.push(read)))
    };
    let counts = counts(layout, |sink| all(Keep::Counts, &mut Vec::new(), sink)).map_err(failed)?;
    let mut shelf = Shelf { path, split: layout.split.is_some(), drafts: Vec::new() };
    let keep = Keep::Everything { text: TEXT };
    write(layout, &counts, &mut shelf, |sink| all(keep, &mut readings, sink)).map_err(failed)?;
    shelf.keep().map_err(failed)?;
    Ok(readings)
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
