//! What different readers of JUnit XML accept, and a document made so that they do.

use super::{Element, Part, case, times};
use crate::pure::unique::Unique;

/// For whom a document is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Profile {
    /// Everything that is known, as widely read tools take it.
    #[default]
    Full,
    /// What the schema `junit-10.xsd` of Jenkins' xUnit plugin allows. Files, lines and properties
    /// of cases have no place in it.
    JenkinsXsd,
    /// Everything, with names that are unique in the document: of two cases with one name, GitLab
    /// shows the first.
    Gitlab,
}

/// Attributes of suites that the schema of Jenkins knows, beside counts.
const SUITE: [&str; 11] = [
    "name",
    "group",
    "timestamp",
    "hostname",
    "time",
    "id",
    "package",
    "file",
    "log",
    "url",
    "version",
];

/// Shapes the parts of a document.
#[derive(Debug, Default)]
pub struct Shape {
    profile: Profile,
    names: Unique,
}

impl Shape {
    /// A shape for a profile.
    #[must_use]
    pub fn new(profile: Profile) -> Self {
        Self { profile, names: Unique::default() }
    }

    /// The part as the profile has it; none where it has no place for it.
    pub fn take(&mut self, part: Part) -> Option<Part> {
        match self.profile {
            Profile::Full => Some(part),
            Profile::Gitlab => Some(match part {
                Part::Case(case) => Part::Case(self.gitlab(case)),
                other => other,
            }),
            Profile::JenkinsXsd => jenkins(part),
        }
    }

    fn gitlab(&mut self, mut case: Element) -> Element {
        plain_time(&mut case);
        let Some(name) = case.get("name") else { return case };
        let name = self.names.name(case.get("classname"), name);
        case.set("name", name);
        case
    }
}

fn jenkins(part: Part) -> Option<Part> {
    Some(match part {
        Part::Root(root) => {
            Part::Root(Element { attributes: pick(&root, &["name"]), ..Element::new("testsuites") })
        }
        Part::Open(suite) => {
            let mut shaped =
                Element { attributes: pick(&suite, &SUITE), ..Element::new("testsuite") };
            if shaped.get("name").is_none() {
                shaped.attributes.insert(0, ("name".to_owned(), "(unnamed)".to_owned()));
            }
            plain_time(&mut shaped);
            Part::Open(shaped)
        }
        Part::Aside(element) => match element.name.as_str() {
            "properties" => Part::Aside(jenkins_properties(&element)),
            "system-out" | "system-err" => Part::Aside(text_of(&element)),
            // A suite has no result of its own there, so a case says it.
            "error" | "failure" => {
                let case = Element::new("testcase").with("name", "(suite)");
                Part::Case(case.with_child(jenkins_result(&element, false)))
            }
            _ => return None,
        },
        Part::Case(case) => Part::Case(jenkins_case(&case)),
        Part::Plain(case) => Part::Plain(case),
        Part::Close => Part::Close,
        Part::Break => Part::Break,
    })
}

fn jenkins_case(case: &Element) -> Element {
    let mut shaped = Element {
        attributes: pick(case, &["name", "classname", "time", "group"]),
        ..Element::new("testcase")
    };
    if shaped.get("name").is_none() {
        shaped.attributes.insert(0, ("name".to_owned(), "(unnamed)".to_owned()));
    }
    plain_time(&mut shaped);
    let children = case.children.iter().filter_map(|child| match child.name.as_str() {
        "skipped" | "error" | "failure" => Some(jenkins_result(child, false)),
        "skip" | "disabled" | "ignored" => {
            Some(Element { name: "skipped".to_owned(), ..jenkins_result(child, false) })
        }
        "rerunFailure" | "rerunError" | "flakyFailure" | "flakyError" => {
            Some(jenkins_result(child, true))
        }
        "system-out" | "system-err" => Some(text_of(child)),
        _ => None,
    });
    shaped.children = children.collect();
    // The schema has no attribute for how a case ended.
    let (before, after) = (case::class(case), case::class(&shaped));
    if before != after {
        let name = match before {
            case::Class::Error => "error",
            case::Class::Failed => "failure",
            case::Class::Passed | case::Class::Skipped => "skipped",
        };
        shaped.children.push(Element::new(name));
    }
    shaped
}

fn jenkins_result(element: &Element, repeated: bool) -> Element {
    let mut shaped = Element {
        attributes: pick(element, &["type", "message"]),
        text: element.text.clone(),
        ..Element::new(&element.name)
    };
    match repeated {
        true => {
            if shaped.get("type").is_none() {
                shaped.set("type", "");
            }
            for name in ["stackTrace", "system-out", "system-err"] {
                shaped.children.extend(element.all(name).next().map(text_of));
            }
        }
        false => element.children.iter().for_each(|child| shaped.text += &whole_text(child)),
    }
    shaped
}

fn jenkins_properties(element: &Element) -> Element {
    let property = |property: &Element| {
        let value = property.get("value").map_or_else(|| whole_text(property), str::to_owned);
        let name = property.get("name").unwrap_or("(unnamed)");
        Element::new("property").with("name", name).with("value", value)
    };
    Element {
        children: element.all("property").map(property).collect(),
        ..Element::new("properties")
    }
}

fn text_of(element: &Element) -> Element {
    Element::new(&element.name).with_text(whole_text(element))
}

/// The text of an element and of all that is in it.
fn whole_text(element: &Element) -> String {
    let inner = element.children.iter().map(whole_text);
    std::iter::once(element.text.clone()).chain(inner).collect()
}

fn pick(element: &Element, names: &[&str]) -> Vec<(String, String)> {
    let known = |(name, _): &&(String, String)| names.contains(&name.as_str());
    element.attributes.iter().filter(known).cloned().collect()
}

/// Three decimals and nothing else; a time that is unknown is left out.
fn plain_time(element: &mut Element) {
    let Some(time) = element.get("time").map(times::duration) else { return };
    match time {
        Some(time) => element.set("time", times::decimals(time)),
        None => element.attributes.retain(|(name, _)| name != "time"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gitlab_gets_every_name_once() {
        let mut shape = Shape::new(Profile::Gitlab);
        let mut name = |name: &str| {
            let case = Element::new("testcase").with("classname", "T").with("name", name);
            match shape.take(Part::Case(case)) {
                Some(Part::Case(case)) => case.get("name").unwrap().to_owned(),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(["a", "b", "a", "a"].map(&mut name), ["a", "b", "a #2", "a #3"]);
        assert_eq!(["a #2", "a #4", "a"].map(&mut name), ["a #2 #2", "a #4", "a #5"]);
    }

    #[test]
    fn a_result_that_was_an_attribute_is_not_lost_on_jenkins() {
        let case = Element::new("testcase").with("name", "a").with("status", "failed");
        assert_eq!(case::class(&jenkins_case(&case)), case::Class::Failed);
    }
}
