//! A JUnit document from its parts, in two passes: one counts, one writes. Neither holds more than
//! one part and the counts of suites.

use std::io::{self, Write};

use crate::pure::junit::markup::{push_text, push_value};
use crate::pure::junit::profile::{Profile, Shape};
use crate::pure::junit::split::Split;
use crate::pure::junit::tally::{Counts, File, Tally};
use crate::pure::junit::times::decimals;
use crate::pure::junit::{Element, Part};

/// Bytes gathered before they are written.
const PIECE: usize = 64 << 10;

/// How a document is laid out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Layout {
    /// For whom it is.
    pub profile: Profile,
    /// Most cases in a file; none: all in one.
    pub split: Option<u64>,
}

/// Where files go.
pub trait Files {
    /// A file that is being written.
    type File: Write;

    /// Begins a file, numbered from 0.
    ///
    /// # Errors
    /// When it cannot be made.
    fn begin(&mut self, number: usize) -> io::Result<Self::File>;

    /// Ends it.
    ///
    /// # Errors
    /// When it cannot be completed.
    fn end(&mut self, file: Self::File) -> io::Result<()>;
}

/// Somebody who takes parts.
pub type Sink<'a> = &'a mut dyn FnMut(Part) -> io::Result<()>;

/// The first pass: what each file will hold.
///
/// # Errors
/// Whatever `all` says.
pub fn counts(
    layout: Layout,
    all: impl FnOnce(Sink<'_>) -> io::Result<()>,
) -> io::Result<Vec<File>> {
    let mut tally = Tally::default();
    let mut sorter = Sorter::new(layout);
    all(&mut |part| {
        sorter.take(part, &mut |part| {
            tally.take(&part);
            Ok(())
        })
    })?;
    Ok(tally.finish())
}

/// The second pass: the files, one after the other.
///
/// # Errors
/// When a file cannot be written, or when there is something else to write than was counted.
pub fn write(
    layout: Layout,
    counts: &[File],
    files: &mut impl Files,
    all: impl FnOnce(Sink<'_>) -> io::Result<()>,
) -> io::Result<()> {
    let mut sorter = Sorter::new(layout);
    let mut number = 0;
    let mut page = Page::begin(files.begin(0)?, layout.profile, counted(counts, 0)?);
    all(&mut |part| {
        sorter.take(part, &mut |part| {
            if part != Part::Break {
                return page.part(&part);
            }
            number += 1;
            let next = counted(counts, number)?;
            let next = Page::begin(files.begin(number)?, layout.profile, next);
            files.end(std::mem::replace(&mut page, next).end()?)
        })
    })?;
    files.end(page.end()?)?;
    if number + 1 < counts.len() { Err(changed()) } else { Ok(()) }
}

/// Writes a piece of a document that is neither split nor has names that have to be unique.
///
/// # Errors
/// As [`write`].
pub fn write_inside<W: Write>(
    profile: Profile,
    counts: &File,
    out: W,
    all: impl FnOnce(Sink<'_>) -> io::Result<()>,
) -> io::Result<W> {
    let mut sorter = Sorter::new(Layout { profile, split: None });
    let mut page = Page::inside(out, counts);
    all(&mut |part| sorter.take(part, &mut |part| page.part(&part)))?;
    page.end_inside()
}

fn counted(counts: &[File], number: usize) -> io::Result<&File> {
    counts.get(number).ok_or_else(changed)
}

pub(crate) fn changed() -> io::Error {
    io::Error::other("a result changed while it was read; try again once it is complete")
}

/// Parts on their way into files.
struct Sorter {
    shape: Shape,
    split: Split,
}

impl Sorter {
    fn new(layout: Layout) -> Self {
        Self { shape: Shape::new(layout.profile), split: Split::new(layout.split) }
    }

    fn take(
        &mut self,
        part: Part,
        next: &mut impl FnMut(Part) -> io::Result<()>,
    ) -> io::Result<()> {
        match self.shape.take(part) {
            Some(part) => self.split.take(part, next),
            None => Ok(()),
        }
    }
}

/// What stands before the first suite.
#[must_use]
pub fn head(profile: Profile, counts: &File) -> String {
    let mut text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites".to_owned();
    let root = counts.root.as_deref().unwrap_or_default();
    attributes(&mut text, root, Some(&counts.total));
    if profile == Profile::JenkinsXsd {
        // Its schema has no place for this one.
        text = text.replacen(&format!(" skipped=\"{}\"", counts.total.skipped), "", 1);
    }
    push(&mut text, &[" time=\"", &decimals(counts.total.time()), "\">\n"]);
    text
}

/// What stands behind the last suite.
pub const END: &str = "</testsuites>\n";

/// One file on its way out, or a piece of one.
#[derive(Debug)]
pub struct Page<'a, W> {
    out: W,
    text: String,
    counts: &'a File,
    /// Suites begun.
    suites: usize,
    cases: u32,
    depth: usize,
}

impl<'a, W: Write> Page<'a, W> {
    /// A piece of a file: suites that were counted by themselves.
    pub fn inside(out: W, counts: &'a File) -> Self {
        Self { out, text: String::new(), counts, suites: 0, cases: 0, depth: 1 }
    }

    fn begin(out: W, profile: Profile, counts: &'a File) -> Self {
        let text = head(profile, counts);
        Self { text, ..Self::inside(out, counts) }
    }

    /// Writes a part.
    ///
    /// # Errors
    /// When it cannot be written, or was not counted.
    pub fn part(&mut self, part: &Part) -> io::Result<()> {
        match part {
            Part::Open(suite) => {
                let counts = self.counts.suites.get(self.suites).ok_or_else(changed)?;
                self.suites += 1;
                indent(&mut self.text, self.depth);
                self.text.push_str("<testsuite");
                attributes(&mut self.text, &suite.attributes, Some(counts));
                self.text.push_str(">\n");
                self.depth += 1;
            }
            Part::Aside(aside) => element(&mut self.text, aside, self.depth),
            Part::Case(case) => {
                self.cases += 1;
                element(&mut self.text, case, self.depth);
            }
            Part::Plain(case) => return self.case(|text| text.push_str(&case.text)),
            Part::Close => {
                self.depth -= 1;
                indent(&mut self.text, self.depth);
                self.text.push_str("</testsuite>\n");
            }
            Part::Root(_) | Part::Break => {}
        }
        self.pass()
    }

    /// Writes a case that somebody else puts into words.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn case(&mut self, write: impl FnOnce(&mut String)) -> io::Result<()> {
        self.cases += 1;
        indent(&mut self.text, self.depth);
        write(&mut self.text);
        self.text.push('\n');
        self.pass()
    }

    /// Writes what is left of a piece.
    ///
    /// # Errors
    /// When it cannot be written, or is not what was counted.
    pub fn end_inside(mut self) -> io::Result<W> {
        if self.cases != self.counts.total.tests || self.suites != self.counts.suites.len() {
            return Err(changed());
        }
        self.out.write_all(self.text.as_bytes())?;
        Ok(self.out)
    }

    fn end(self) -> io::Result<W> {
        let mut out = self.end_inside()?;
        out.write_all(END.as_bytes())?;
        Ok(out)
    }

    fn pass(&mut self) -> io::Result<()> {
        if self.text.len() >= PIECE {
            self.out.write_all(self.text.as_bytes())?;
            self.text.clear();
        }
        Ok(())
    }
}

/// An element on lines of its own. One that holds text stays on one, so that no white space is
/// added to it.
fn element(text: &mut String, element: &Element, depth: usize) {
    indent(text, depth);
    inline(text, element, Some(depth));
    text.push('\n');
}

fn inline(text: &mut String, element: &Element, depth: Option<usize>) {
    push(text, &["<", &element.name]);
    attributes(text, &element.attributes, None);
    if element.text.is_empty() && element.children.is_empty() {
        text.push_str("/>");
        return;
    }
    text.push('>');
    push_text(text, &element.text);
    let apart = depth.filter(|_| element.text.is_empty() && !element.children.is_empty());
    for child in &element.children {
        if let Some(depth) = apart {
            text.push('\n');
            indent(text, depth + 1);
        }
        inline(text, child, apart.map(|depth| depth + 1));
    }
    if let Some(depth) = apart {
        text.push('\n');
        indent(text, depth);
    }
    push(text, &["</", &element.name, ">"]);
}

/// Attributes, with counts after the name or at the end.
fn attributes(text: &mut String, all: &[(String, String)], counts: Option<&Counts>) {
    let mut pending = counts;
    for (name, value) in all {
        push(text, &[" ", name, "=\""]);
        push_value(text, value);
        text.push('"');
        if name == "name" {
            pending.take().into_iter().for_each(|counts| push_counts(text, counts));
        }
    }
    pending.into_iter().for_each(|counts| push_counts(text, counts));
}

fn push_counts(text: &mut String, counts: &Counts) {
    let Counts { tests, failures, errors, skipped, .. } = counts;
    text.push_str(&format!(
        " tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\""
    ));
}

fn push(text: &mut String, parts: &[&str]) {
    parts.iter().for_each(|part| text.push_str(part));
}

fn indent(text: &mut String, depth: usize) {
    (0..depth).for_each(|_| text.push_str("  "));
}
