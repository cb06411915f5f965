//! The search for the fewest of many that still make a difference.
//!
//! Delta debugging, algorithm *ddmin* (Zeller and Hildebrandt, "Simplifying and isolating
//! failure-inducing input", 2002): halves are tried first, then smaller parts and what is left
//! without them. Where one alone makes the difference, twice the logarithm of the number is enough.

/// A search that is asked what to try, and told what came of it.
#[derive(Debug, Clone)]
pub struct Search<T> {
    left: Vec<T>,
    parts: usize,
    /// Which part is tried next; from `parts` on, what is left without one.
    next: usize,
    /// Every part was tried, down to single ones.
    is_settled: bool,
}

impl<T: Clone> Search<T> {
    /// A search among things that make a difference when all of them are there.
    #[must_use]
    pub fn new(all: Vec<T>) -> Self {
        Self { left: all, parts: 2, next: 0, is_settled: false }
    }

    /// What to try next, in the order of the beginning; none once nothing can be left out.
    #[must_use]
    pub fn probe(&self) -> Option<Vec<T>> {
        if self.is_over() {
            return None;
        }
        let part = self.part(self.next % self.parts);
        Some(match self.next < self.parts {
            true => self.left[part].to_vec(),
            false => [&self.left[..part.start], &self.left[part.end..]].concat(),
        })
    }

    /// Whether what was tried last made the difference.
    pub fn told(&mut self, differs: bool) {
        let Some(tried) = self.probe() else { return };
        if differs {
            self.parts = match self.next < self.parts {
                true => 2,
                false => (self.parts - 1).max(2),
            };
            (self.left, self.next) = (tried, 0);
            return;
        }
        self.next += 1;
        // Of two parts, each is what is left without the other.
        let tries = if self.parts == 2 { 2 } else { 2 * self.parts };
        if self.next < tries {
            return;
        }
        if self.parts >= self.left.len() {
            self.is_settled = true;
        } else {
            (self.parts, self.next) = ((2 * self.parts).min(self.left.len()), 0);
        }
    }

    /// What is left: all of it makes the difference.
    #[must_use]
    pub fn left(&self) -> &[T] {
        &self.left
    }

    /// Whether nothing more can be left out.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.left.len() < 2 || self.is_settled
    }

    fn part(&self, number: usize) -> std::ops::Range<usize> {
        let place = |number: usize| number * self.left.len() / self.parts;
        place(number)..place(number + 1)
    }
}
