//! Documents of at most so many cases: readers of JUnit XML have limits.

use super::{Element, Part};

/// Breaks a document before the case that would be too many. Suites that are open there go on in
/// the next file, with the same attributes and properties.
#[derive(Debug)]
pub struct Split {
    most: Option<u64>,
    cases: u64,
    /// Attributes and properties of the suites that are open.
    open: Vec<(Element, Vec<Element>)>,
}

impl Split {
    /// With at most so many cases in a file; none: all in one.
    #[must_use]
    pub fn new(most: Option<u64>) -> Self {
        Self { most, cases: 0, open: Vec::new() }
    }

    /// Gives the part on, after what has to come before it.
    ///
    /// # Errors
    /// Whatever `next` says.
    pub fn take<E>(
        &mut self,
        mut part: Part,
        next: &mut impl FnMut(Part) -> Result<(), E>,
    ) -> Result<(), E> {
        let Some(most) = self.most else { return next(part) };
        match &mut part {
            Part::Open(suite) => {
                // The time that a suite states is that of all its cases, wherever they are.
                suite.attributes.retain(|(name, _)| name != "time");
                self.open.push((suite.clone(), Vec::new()));
            }
            Part::Aside(element) if element.name == "properties" => {
                if let Some((_, properties)) = self.open.last_mut() {
                    properties.push(element.clone());
                }
            }
            Part::Case(_) | Part::Plain(_) => {
                if self.cases == most {
                    self.cases = 0;
                    self.open.iter().try_for_each(|_| next(Part::Close))?;
                    next(Part::Break)?;
                    for (suite, properties) in &self.open {
                        next(Part::Open(suite.clone()))?;
                        properties.iter().cloned().map(Part::Aside).try_for_each(&mut *next)?;
                    }
                }
                self.cases += 1;
            }
            Part::Close => drop(self.open.pop()),
            Part::Root(_) | Part::Aside(_) | Part::Break => {}
        }
        next(part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suite_goes_on_in_the_next_file() {
        let suite = || Part::Open(Element::new("testsuite").with("name", "s"));
        let about = || Part::Aside(Element::new("properties"));
        let case = |name: &str| Part::Case(Element::new("testcase").with("name", name));
        let parts = [suite(), about(), case("a"), case("b"), case("c"), Part::Close];
        let mut given = Vec::new();
        let mut split = Split::new(Some(2));
        for part in parts {
            let taken = split.take(part, &mut |part| {
                given.push(part);
                Ok::<(), ()>(())
            });
            assert_eq!(taken, Ok(()));
        }
        let first = [suite(), about(), case("a"), case("b"), Part::Close];
        let second = [Part::Break, suite(), about(), case("c"), Part::Close];
        assert_eq!(given, [first, second].concat());
    }
}
