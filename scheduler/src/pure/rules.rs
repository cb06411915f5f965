//! What a run says of single tests: how often each may be tried again, which of them must not run
//! at the same time, and which services they need.

use std::collections::BTreeSet;

use muletrain_proto::inventory::{Class, Test};
use muletrain_proto::run::{Options, RetriedTests};
use muletrain_proto::snapshot::Service;

use super::select::{ClassPattern, Error};

/// What the options of a run say of single tests.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    retries: u32,
    exceptions: Vec<(Retried, u32)>,
    serial: Vec<(String, ClassPattern)>,
    services: Vec<(String, Vec<ClassPattern>)>,
}

#[derive(Debug, Clone)]
enum Retried {
    Class(ClassPattern),
    Tag(String),
}

impl Rules {
    /// Reads the rules of a run.
    ///
    /// # Errors
    /// When one of its patterns is none.
    pub fn new(options: &Options) -> Result<Self, Error> {
        let exception = |tests: &RetriedTests| match tests {
            RetriedTests::Match(pattern) => ClassPattern::new(pattern).map(Retried::Class),
            RetriedTests::Tag(tag) => Ok(Retried::Tag(tag.clone())),
        };
        let exceptions = options.retry_rules.iter();
        let exceptions = exceptions.map(|rule| Ok((exception(&rule.tests)?, rule.retries)));
        let serial = options.serial.iter();
        let serial = serial.map(|pattern| Ok((pattern.clone(), ClassPattern::new(pattern)?)));
        Ok(Self {
            retries: options.retries,
            exceptions: exceptions.collect::<Result<_, Error>>()?,
            serial: serial.collect::<Result<_, Error>>()?,
            services: vec![],
        })
    }

    /// The same, with services that only some classes need.
    ///
    /// # Errors
    /// When one of their patterns is none.
    pub fn with_services(self, services: &[Service]) -> Result<Self, Error> {
        let scarce = services.iter().filter(|service| !service.only.is_empty());
        let services = scarce.map(|service| {
            let only = service.only.iter().map(|pattern| ClassPattern::new(pattern));
            Ok((service.name.clone(), only.collect::<Result<_, Error>>()?))
        });
        Ok(Self { services: services.collect::<Result<_, Error>>()?, ..self })
    }

    /// Names of the services that a class needs, of those that only some classes need.
    #[must_use]
    pub fn needs(&self, class: &Class) -> Vec<String> {
        let fits = |only: &Vec<ClassPattern>| only.iter().any(|pattern| pattern.matches(class));
        let needed = self.services.iter().filter(|(_, only)| fits(only));
        needed.map(|(name, _)| name.clone()).collect()
    }

    /// Names of the services that a pod does without whose tests need only these.
    #[must_use]
    pub fn without(&self, needed: &BTreeSet<&String>) -> Vec<String> {
        let names = self.services.iter().map(|(name, _)| name);
        names.filter(|name| !needed.contains(name)).cloned().collect()
    }

    /// Further tries that a test may have.
    #[must_use]
    pub fn retries(&self, class: &Class, test: &Test) -> u32 {
        let fits = |retried: &Retried| match retried {
            Retried::Class(pattern) => pattern.matches(class),
            Retried::Tag(tag) => class.tags.contains(tag) || test.tags.contains(tag),
        };
        let exception = self.exceptions.iter().find(|(retried, _)| fits(retried));
        exception.map_or(self.retries, |(_, retries)| *retries)
    }

    /// What the tests of a class must have to themselves while they run, by name.
    #[must_use]
    pub fn locks(&self, class: &Class) -> Vec<String> {
        let held = self.serial.iter().filter(|(_, pattern)| pattern.matches(class));
        held.map(|(name, _)| name.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use muletrain_proto::id::{AppLabel, ClassId, TestId};
    use muletrain_proto::run::RetryRule;

    use super::*;

    fn class(id: &str, tags: &[&str]) -> Class {
        Class {
            id: ClassId::new(id).unwrap(),
            app: AppLabel::new("shop").unwrap(),
            module: "shop.tests".into(),
            file: "shop/tests.py".into(),
            line: None,
            phase: 0,
            whole_module: false,
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            databases: vec![],
            bases: vec!["django.test.testcases.LiveServerTestCase".into()],
            tests: vec![],
        }
    }

    #[test]
    fn a_service_is_for_those_whose_classes_match() {
        let service = |name: &str, only: &[&str]| Service {
            name: name.to_owned(),
            image: "image".to_owned(),
            image_id: None,
            user: None,
            command: vec![],
            environment: [].into(),
            tmpfs: vec![],
            data: None,
            ready: muletrain_proto::snapshot::Ready::Started,
            ready_limit: muletrain_proto::seconds::Seconds::ZERO,
            aliases: vec![],
            only: only.iter().map(|pattern| (*pattern).to_owned()).collect(),
            provides: [].into(),
        };
        let services = [
            service("db", &[]),
            service("browser", &["django.test.testcases.LiveServerTestCase"]),
            service("mail", &["*Mail*"]),
        ];
        let rules = Rules::default().with_services(&services).unwrap();
        assert_eq!(rules.needs(&class("shop.tests.Cart", &[])), ["browser"], "a subclass");
        let needed = rules.needs(&class("shop.tests.MailTest", &[]));
        assert_eq!(needed, ["browser", "mail"]);
        let nothing = BTreeSet::new();
        assert_eq!(rules.without(&nothing), ["browser", "mail"], "everybody has the others");
        assert_eq!(rules.without(&needed[1..].iter().collect()), ["browser"]);
        assert!(Rules::default().with_services(&[service("x", &["a["])]).is_err());
    }

    fn test(tags: &[&str]) -> Test {
        let tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
        Test { id: TestId::new("shop.tests.T.test").unwrap(), tags }
    }

    #[test]
    fn the_first_rule_that_fits_goes_before_the_number_for_all() {
        let rule = |tests, retries| RetryRule { tests, retries };
        let options = Options {
            retries: 1,
            retry_rules: vec![
                rule(RetriedTests::Tag("network".into()), 5),
                rule(RetriedTests::Match("*.Browser".into()), 0),
            ],
            ..Options::default()
        };
        let rules = Rules::new(&options).unwrap();
        assert_eq!(rules.retries(&class("shop.tests.Cart", &[]), &test(&[])), 1);
        assert_eq!(rules.retries(&class("shop.tests.Browser", &[]), &test(&[])), 0);
        assert_eq!(rules.retries(&class("shop.tests.Browser", &[]), &test(&["network"])), 5);
        assert_eq!(rules.retries(&class("shop.tests.Cart", &["network"]), &test(&[])), 5);
    }

    #[test]
    fn a_class_needs_what_each_pattern_that_matches_it_stands_for() {
        let serial = ["*.Browser", "django.test.testcases.LiveServerTestCase", "*.Cart"];
        let serial = serial.map(str::to_owned).to_vec();
        let rules = Rules::new(&Options { serial, ..Options::default() }).unwrap();
        let locks = rules.locks(&class("shop.tests.Browser", &[]));
        assert_eq!(locks, ["*.Browser", "django.test.testcases.LiveServerTestCase"]);
        assert_eq!(rules.locks(&class("shop.tests.Cart", &[])).len(), 2);
    }

    #[test]
    fn a_pattern_that_is_none_is_refused() {
        let options = Options { serial: vec!["*[".into()], ..Options::default() };
        assert!(Rules::new(&options).is_err());
    }
}
