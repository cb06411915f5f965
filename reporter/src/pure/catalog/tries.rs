//! The tries of a test, as small as they can be: a run may have millions.

use std::ops::Deref;

use muletrain_proto::id::LeaseId;
use muletrain_proto::outcome::{Failure, FailureKind};
use muletrain_proto::seconds::Seconds;
use muletrain_proto::verdict::Verdict;

use crate::pure::summary::{Moment, Try};
use crate::pure::verdict::replaces;
use crate::pure::words::{Told, Which};

/// One try of a test, without what it has to say.
#[derive(Debug, Clone, Copy)]
pub struct Tried {
    /// NaN where it is not known.
    seconds: f64,
    /// The last moment of all where it is not known.
    started: Moment,
    /// From 1.
    pub number: u32,
    lease: u32,
    /// What it has to say.
    pub words: Which,
    /// How it ended.
    pub verdict: Verdict,
    /// The worst that was raised.
    pub raised: Option<FailureKind>,
    /// For a test not run: because work was lost.
    pub lost: bool,
    leased: bool,
}

impl Tried {
    /// What is to be kept of a try, beside its words.
    #[must_use]
    pub fn new(one: &Try) -> Self {
        Self {
            seconds: one.seconds.map_or(f64::NAN, Seconds::get),
            started: one.started.unwrap_or(Moment::MAX),
            number: one.number,
            lease: one.lease.unwrap_or_default().0,
            words: Which::default(),
            verdict: one.verdict,
            raised: worst(&one.failures),
            lost: one.lost,
            leased: one.lease.is_some(),
        }
    }

    /// Says when it began.
    pub fn begun(&mut self, at: Moment) {
        self.started = at;
    }

    /// Says how long it took, where that is not known already.
    pub fn took(&mut self, seconds: Seconds) {
        if self.seconds.is_nan() {
            self.seconds = seconds.get();
        }
    }

    /// Time it took, where it ran.
    #[must_use]
    pub fn seconds(&self) -> Option<Seconds> {
        Seconds::new(self.seconds).ok()
    }

    /// When it began.
    #[must_use]
    pub fn started(&self) -> Option<Moment> {
        (self.started != Moment::MAX).then_some(self.started)
    }

    /// The lease under which it ran.
    #[must_use]
    pub fn lease(&self) -> Option<LeaseId> {
        self.leased.then_some(LeaseId(self.lease))
    }

    /// Whether it has something to say.
    #[must_use]
    pub fn speaks(&self) -> bool {
        self.words != Which::default()
    }

    /// The whole of it.
    #[must_use]
    pub fn with(&self, told: Told) -> Try {
        Try {
            number: self.number,
            verdict: self.verdict,
            lost: self.lost,
            seconds: self.seconds(),
            reason: told.reason,
            failures: told.failures,
            output: told.output,
            lease: self.lease(),
            started: self.started(),
        }
    }
}

/// The worst of what was raised.
#[must_use]
pub fn worst(failures: &[Failure]) -> Option<FailureKind> {
    let is_error = |one: &Failure| one.kind == FailureKind::Error;
    match failures.iter().any(is_error) {
        true => Some(FailureKind::Error),
        false => failures.first().map(|_| FailureKind::Failure),
    }
}

/// Tries by number, in order. Nearly every test has one.
#[derive(Debug, Default)]
pub enum Tries {
    /// None yet.
    #[default]
    None,
    /// One.
    One(Tried),
    /// More, behind one pointer: three words would make every test larger.
    More(Box<Vec<Tried>>),
}

impl Tries {
    /// Whether a verdict of a try would be news.
    #[must_use]
    pub fn lacks(&self, number: u32, verdict: Verdict) -> bool {
        match self.binary_search_by_key(&number, |old| old.number) {
            Ok(index) => replaces(self[index].verdict, verdict),
            Err(_) => true,
        }
    }

    /// Keeps a try in the place of one with its number.
    pub fn put(&mut self, new: Tried) {
        match self.binary_search_by_key(&new.number, |old| old.number) {
            Ok(index) => self.all()[index] = new,
            Err(0) if self.is_empty() => *self = Self::One(new),
            Err(index) => self.more().insert(index, new),
        }
    }

    /// The tries, to be changed.
    pub fn all(&mut self) -> &mut [Tried] {
        match self {
            Self::None => &mut [],
            Self::One(one) => std::slice::from_mut(one),
            Self::More(more) => more,
        }
    }

    fn more(&mut self) -> &mut Vec<Tried> {
        if !matches!(self, Self::More(_)) {
            *self = Self::More(Box::new(self.to_vec()));
        }
        match self {
            Self::More(more) => more,
            Self::None | Self::One(_) => unreachable!("it was made so"),
        }
    }
}

impl Deref for Tries {
    type Target = [Tried];

    fn deref(&self) -> &[Tried] {
        match self {
            Self::None => &[],
            Self::One(one) => std::slice::from_ref(one),
            Self::More(more) => more,
        }
    }
}
