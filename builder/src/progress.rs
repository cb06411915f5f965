//! What the builder tells its user meanwhile, on standard error.

use std::io::Write;
use std::sync::Mutex;

/// Tells the user what is happening, and collects what the snapshot should remember of it.
#[derive(Debug, Default)]
pub struct Progress {
    quiet: bool,
    notes: Mutex<Vec<String>>,
}

impl Progress {
    /// Progress that says nothing where `quiet`, and collects notes all the same.
    #[must_use]
    pub fn new(quiet: bool) -> Self {
        Self { quiet, notes: Mutex::default() }
    }

    /// Says what is being done.
    pub fn say(&self, text: &str) {
        if !self.quiet {
            // Standard error may be closed; there is nowhere left to say so.
            let _ = writeln!(std::io::stderr(), "builder: {text}");
        }
    }

    /// Says something that the snapshot keeps: what was worked out rather than configured.
    pub fn note(&self, text: impl Into<String>) {
        let text = text.into();
        let mut notes = self.notes.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        // A checkout that is read again gives the same notes again.
        if !notes.contains(&text) {
            self.say(&format!("note: {text}"));
            notes.push(text);
        }
    }

    /// All notes so far.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        self.notes.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }
}
