//! JUnit XML of every dialect, part by part. Nothing is ever held but one case, and no more of it
//! than the limits allow.
//!
//! A fault ends the reading of a file and loses nothing that was complete before it. A case that
//! was not complete is given with an error that says so.

mod build;
mod notes;
mod plain;
mod text;

use std::io::{self, BufRead, Read};

use quick_xml::Reader;
use quick_xml::errors::Error;
use quick_xml::events::{BytesStart, Event};

use self::build::{Builder, attributes};
use self::notes::Notes;
use super::source::Source;
use super::{Damage, Keep, Reading};
use crate::pure::junit::tally::is_count;
use crate::pure::junit::{Element, Part};

/// Largest tag, comment or declaration that is read.
const MARKUP_LIMIT: u64 = 16 << 20;

/// Suites in suites that are told apart. Cases of deeper ones belong to the deepest.
const DEPTH_LIMIT: usize = 256;

/// Bytes that are looked at for a case with nothing in it.
const PLAIN: usize = 1024;

/// Elements in elements beyond which a file is no report.
const NESTING_LIMIT: usize = 100_000;

/// Where parts go, one after the other.
pub type Sink<'a> = &'a mut dyn FnMut(Part) -> io::Result<()>;

/// Reads a document to its end, or as far as it goes.
///
/// # Errors
/// Whatever the sink says. What is wrong with the document is part of the reading.
pub fn read<R: Read>(mut source: Source<R>, keep: Keep, sink: Sink<'_>) -> io::Result<Reading> {
    source.limit(MARKUP_LIMIT);
    let mut reader = Reader::from_reader(source);
    reader.config_mut().allow_dangling_amp = true;
    let mut parser = Parser {
        sink,
        keep,
        levels: Vec::new(),
        suites: 0,
        builder: Builder::new(keep),
        notes: Notes::default(),
        root: None,
        seen: Seen::default(),
        implied: false,
    };
    let damage = parser.run(&mut reader)?;
    let damage = damage.or_else(|| parser.unfinished(reader.buffer_position()));
    parser.wind_up(damage.as_ref())?;
    let damage = damage.or_else(|| parser.foreign());
    let source = reader.get_ref();
    parser.notes.encoding(source.encoding, source.replaced);
    Ok(Reading { damage, notes: parser.notes.in_words(), cases: parser.seen.cases })
}

/// An element around cases.
enum Level {
    /// `<testsuites>`, or an element that is part of no report.
    Around { report: bool },
    /// A suite, with what it says of its number of tests and those seen before it.
    Suite { stated: Option<u64>, before: u64 },
    /// A suite that is too deep to be told apart.
    Flat,
}

#[derive(Default)]
struct Seen {
    cases: u64,
    suites: u64,
    roots: u64,
}

struct Parser<'a> {
    sink: Sink<'a>,
    keep: Keep,
    levels: Vec<Level>,
    /// How many of the levels are suites that were given.
    suites: usize,
    builder: Builder,
    notes: Notes,
    /// Name of the first element.
    root: Option<String>,
    seen: Seen,
    /// Whether a suite was opened for cases that are in none.
    implied: bool,
}

impl Parser<'_> {
    fn run<R: Read>(&mut self, reader: &mut Reader<Source<R>>) -> io::Result<Option<Damage>> {
        let mut buffer = Vec::new();
        loop {
            if let Err(error) = text::take(&mut reader.stream(), &mut self.builder, &mut self.notes)
            {
                return Ok(Some(Damage::at(reader.buffer_position(), &error)));
            }
            reader.get_mut().mark();
            if self.plain(reader)? {
                continue;
            }
            buffer.clear();
            match reader.read_event_into(&mut buffer) {
                Ok(Event::Start(tag)) => self.start(&tag)?,
                Ok(Event::Empty(tag)) => {
                    self.start(&tag)?;
                    self.end()?;
                }
                Ok(Event::End(_)) => self.end()?,
                Ok(Event::DocType(content)) => self.notes.entities |= content.contains("<!ENTITY"),
                Ok(Event::Eof) => return Ok(None),
                Ok(_) => {}
                Err(error) => {
                    let position = reader.error_position().max(1) - 1;
                    return Ok(Some(damage(position, &error)));
                }
            }
            if self.levels.len() + self.builder.depth() > NESTING_LIMIT {
                let reason = format!("more than {NESTING_LIMIT} elements are nested");
                return Ok(Some(Damage { byte: reader.buffer_position(), reason }));
            }
        }
    }

    /// Takes a case with nothing in it, if one comes next and may be given as such.
    fn plain<R: Read>(&mut self, reader: &mut Reader<Source<R>>) -> io::Result<bool> {
        let written = match self.keep {
            _ if self.builder.is_open() => return Ok(false),
            Keep::Everything { .. } => return Ok(false),
            Keep::Written { .. } => true,
            Keep::Counts => false,
        };
        let mut stream = reader.stream();
        // What cannot be read is told by whoever reads on.
        let Ok(ahead) = stream.get_mut().ahead(PLAIN) else { return Ok(false) };
        let Some((case, length)) = plain::read(ahead, written) else { return Ok(false) };
        stream.consume(length);
        self.imply_suite()?;
        self.seen.cases += 1;
        (self.sink)(Part::Plain(case))?;
        Ok(true)
    }

    fn start(&mut self, tag: &BytesStart<'_>) -> io::Result<()> {
        let name = tag.local_name();
        let name: &str = name.as_ref();
        if self.builder.is_open() {
            self.builder.start(name, tag, &mut self.notes);
            return Ok(());
        }
        match name {
            "testsuite" => self.open_suite(tag),
            "testcase" => {
                self.imply_suite()?;
                self.builder.start(name, tag, &mut self.notes);
                Ok(())
            }
            "testsuites" => {
                self.begin_root(Some(tag))?;
                self.note_root(name);
                self.levels.push(Level::Around { report: true });
                Ok(())
            }
            _ if self.is_in_report() => {
                self.builder.start(name, tag, &mut self.notes);
                Ok(())
            }
            _ => {
                self.note_root(name);
                self.levels.push(Level::Around { report: false });
                Ok(())
            }
        }
    }

    fn end(&mut self) -> io::Result<()> {
        if self.builder.is_open() {
            return match self.builder.end() {
                Some(element) => self.give(element),
                None => Ok(()),
            };
        }
        match self.levels.pop() {
            Some(Level::Suite { stated, before }) => {
                self.suites -= 1;
                let found = self.seen.cases - before;
                self.notes.miscounted += u64::from(stated.is_some_and(|stated| stated != found));
                (self.sink)(Part::Close)
            }
            Some(Level::Around { .. } | Level::Flat) | None => Ok(()),
        }
    }

    fn give(&mut self, element: Element) -> io::Result<()> {
        match element.name == "testcase" {
            true => {
                self.seen.cases += 1;
                self.notes.time(&element);
                (self.sink)(Part::Case(element))
            }
            false => (self.sink)(Part::Aside(element)),
        }
    }

    fn open_suite(&mut self, tag: &BytesStart<'_>) -> io::Result<()> {
        self.close_implied()?;
        if self.levels.is_empty() {
            self.begin_root(None)?;
        }
        self.note_root("testsuite");
        self.seen.suites += 1;
        if self.suites == DEPTH_LIMIT {
            self.notes.flattened += 1;
            self.levels.push(Level::Flat);
            return Ok(());
        }
        let mut attributes =
            attributes(tag, Keep::Everything { text: usize::MAX }, &mut self.notes);
        let stated = attributes.iter().find(|(name, _)| name == "tests");
        let stated = stated.and_then(|(_, value)| value.trim().parse().ok());
        attributes.retain(|(name, _)| !is_count(name));
        self.levels.push(Level::Suite { stated, before: self.seen.cases });
        self.suites += 1;
        (self.sink)(Part::Open(Element { attributes, ..Element::new("testsuite") }))
    }

    /// Cases that stand in no suite get one.
    fn imply_suite(&mut self) -> io::Result<()> {
        if self.suites > 0 || self.implied {
            return Ok(());
        }
        if self.levels.is_empty() {
            self.begin_root(None)?;
        }
        self.note_root("testcase");
        self.implied = true;
        (self.sink)(Part::Open(Element::new("testsuite").with("name", "(no suite)")))
    }

    fn close_implied(&mut self) -> io::Result<()> {
        match std::mem::take(&mut self.implied) {
            true => (self.sink)(Part::Close),
            false => Ok(()),
        }
    }

    fn begin_root(&mut self, tag: Option<&BytesStart<'_>>) -> io::Result<()> {
        self.close_implied()?;
        self.seen.roots += 1;
        self.notes.roots = self.seen.roots;
        let keep = Keep::Everything { text: usize::MAX };
        let mut attributes =
            tag.map(|tag| attributes(tag, keep, &mut self.notes)).unwrap_or_default();
        attributes.retain(|(name, _)| !is_count(name) && name != "time");
        (self.sink)(Part::Root(Element { attributes, ..Element::new("testsuites") }))
    }

    fn note_root(&mut self, name: &str) {
        self.root.get_or_insert_with(|| name.to_owned());
    }

    fn is_in_report(&self) -> bool {
        self.levels.iter().any(|level| !matches!(level, Level::Around { report: false }))
    }

    /// A document that ended before its elements did.
    fn unfinished(&self, byte: u64) -> Option<Damage> {
        let within = match self.levels.last() {
            _ if self.builder.is_open() => self.builder.name().to_owned(),
            Some(Level::Suite { .. } | Level::Flat) => "testsuite".to_owned(),
            Some(Level::Around { report: true }) => "testsuites".to_owned(),
            Some(Level::Around { report: false }) => self.root.clone().unwrap_or_default(),
            None => return None,
        };
        Some(Damage { byte, reason: format!("it ends inside of <{within}>") })
    }

    /// Ends whatever is open.
    fn wind_up(&mut self, damage: Option<&Damage>) -> io::Result<()> {
        let open = self.builder.abandon();
        if let (Some(damage), Some(mut element)) = (damage, open) {
            if element.name == "testcase" {
                let message =
                    format!("the report is cut off inside of this test: {}", damage.reason);
                let error = Element::new("error").with("type", "muletrain.CutOff");
                element.children.push(error.with("message", message));
            }
            self.give(element)?;
        }
        for level in std::mem::take(&mut self.levels) {
            if let Level::Suite { .. } = level {
                (self.sink)(Part::Close)?;
            }
        }
        self.close_implied()
    }

    /// XML without anything of a report in it.
    fn foreign(&self) -> Option<Damage> {
        let root = self.root.as_deref().unwrap_or_default();
        let known = self.seen.suites + self.seen.cases > 0 || root == "testsuites";
        let reason = match root {
            "" => "it has no element at all".to_owned(),
            root => format!("its root element <{root}> is not that of a JUnit report"),
        };
        (!known).then_some(Damage { byte: 0, reason })
    }
}

fn damage(byte: u64, error: &Error) -> Damage {
    match error {
        Error::Io(error) => Damage::at(byte, error),
        error => Damage { byte, reason: error.to_string() },
    }
}
