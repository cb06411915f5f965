//! What was found to test.

use super::{At, Error, all, each};
use crate::id::{AppLabel, ClassId, TestId};
use crate::inventory::{Class, Inventory, LoadError, Test};
use crate::wire;

impl TryFrom<wire::Inventory> for Inventory {
    type Error = Error;

    fn try_from(message: wire::Inventory) -> Result<Self, Error> {
        Ok(Self {
            classes: each(message.classes, "classes")?,
            errors: each(message.errors, "errors")?,
        })
    }
}

impl From<Inventory> for wire::Inventory {
    fn from(inventory: Inventory) -> Self {
        Self { classes: all(inventory.classes), errors: all(inventory.errors) }
    }
}

impl TryFrom<wire::Class> for Class {
    type Error = Error;

    fn try_from(message: wire::Class) -> Result<Self, Error> {
        Ok(Self {
            id: ClassId::new(message.id).at("id")?,
            app: AppLabel::new(message.app).at("app")?,
            module: message.module,
            file: message.file,
            line: message.line,
            phase: message.phase,
            whole_module: message.whole_module,
            tags: message.tags,
            databases: message.databases,
            bases: message.bases,
            tests: each(message.tests, "tests")?,
        })
    }
}

impl From<Class> for wire::Class {
    fn from(class: Class) -> Self {
        Self {
            id: class.id.into(),
            app: class.app.into(),
            module: class.module,
            file: class.file,
            line: class.line,
            phase: class.phase,
            whole_module: class.whole_module,
            tags: class.tags,
            databases: class.databases,
            bases: class.bases,
            tests: all(class.tests),
        }
    }
}

impl TryFrom<wire::Test> for Test {
    type Error = Error;

    fn try_from(message: wire::Test) -> Result<Self, Error> {
        Ok(Self { id: TestId::new(message.id).at("id")?, tags: message.tags })
    }
}

impl From<Test> for wire::Test {
    fn from(test: Test) -> Self {
        Self { id: test.id.into(), tags: test.tags }
    }
}

impl TryFrom<wire::LoadError> for LoadError {
    type Error = Error;

    fn try_from(message: wire::LoadError) -> Result<Self, Error> {
        Ok(Self {
            id: TestId::new(message.id).at("id")?,
            app: AppLabel::new(message.app).at("app")?,
            failures: each(message.failures, "failures")?,
        })
    }
}

impl From<LoadError> for wire::LoadError {
    fn from(error: LoadError) -> Self {
        Self { id: error.id.into(), app: error.app.into(), failures: all(error.failures) }
    }
}
