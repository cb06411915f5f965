//! What tries have to say: exceptions, output, reasons. It is most of what a journal holds and
//! little of what is asked for, so where a journal can be read again it stays there.

use std::collections::HashMap;

use muletrain_proto::outcome::{Failure, Output};

/// Longest reason that is kept once for all that have it, and how many there are of those.
const SHARED: (usize, usize) = (256, 4096);

/// What a try has to say.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Told {
    /// Why it was skipped, or has no result.
    pub reason: Option<String>,
    /// Everything that was raised.
    pub failures: Vec<Failure>,
    /// What it printed.
    pub output: Output,
}

/// Where in its journal a line is, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Where it begins.
    pub start: u64,
    /// How long it is, without its newline.
    pub length: u32,
}

/// Somebody who can read lines of a journal again.
pub trait Lines {
    /// What the result that stands there has to say.
    ///
    /// # Errors
    /// In words, when it cannot be read or says something else now.
    fn told(&self, place: Place) -> Result<Told, String>;
}

/// A journal whose lines are gone; what they said was kept.
#[derive(Debug, Clone, Copy, Default)]
pub struct Gone;

impl Lines for Gone {
    fn told(&self, _: Place) -> Result<Told, String> {
        Err("nobody keeps the journal's lines".to_owned())
    }
}

/// Which of the words; none for a try that says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Which(u32);

#[derive(Debug)]
enum Kept {
    Here(Box<Told>),
    There(Place),
}

/// What all tries of a run have to say.
#[derive(Debug, Default)]
pub struct Words {
    kept: Vec<Kept>,
    reasons: HashMap<String, Which>,
}

impl Words {
    /// Keeps what a try says.
    pub fn keep(&mut self, told: Told) -> Which {
        let silent = told.failures.is_empty() && told.output == Output::default();
        match &told.reason {
            None if silent => Which::default(),
            Some(reason) if silent && reason.len() <= SHARED.0 => self.reason(reason),
            _ => self.push(Kept::Here(Box::new(told))),
        }
    }

    /// Keeps a reason.
    pub fn reason(&mut self, reason: &str) -> Which {
        if let Some(which) = self.reasons.get(reason) {
            return *which;
        }
        let told = Told { reason: Some(reason.to_owned()), ..Told::default() };
        let which = self.push(Kept::Here(Box::new(told)));
        if self.reasons.len() < SHARED.1 {
            self.reasons.insert(reason.to_owned(), which);
        }
        which
    }

    /// Keeps where a try says it.
    pub fn leave(&mut self, place: Place) -> Which {
        self.push(Kept::There(place))
    }

    /// What a try says.
    ///
    /// # Errors
    /// When it stands in a journal that cannot be read again.
    pub fn told(&self, which: Which, lines: &dyn Lines) -> Result<Told, String> {
        match self.get(which) {
            None => Ok(Told::default()),
            Some(Kept::Here(told)) => Ok((**told).clone()),
            Some(Kept::There(place)) => lines.told(*place),
        }
    }

    /// What is kept of it here.
    #[must_use]
    pub fn here(&self, which: Which) -> Option<&Told> {
        match self.get(which)? {
            Kept::Here(told) => Some(told),
            Kept::There(_) => None,
        }
    }

    fn get(&self, which: Which) -> Option<&Kept> {
        self.kept.get(which.0.checked_sub(1)? as usize)
    }

    fn push(&mut self, kept: Kept) -> Which {
        self.kept.push(kept);
        Which(u32::try_from(self.kept.len()).unwrap_or_default())
    }
}
