//! What the configured services come to: presets filled in, and how tests find them.

use std::time::Duration;

use super::preset::{Kind, Preset};
use super::schema::{Config, Service};
use crate::snapshot::{self, Ready};

/// How long a service may take to get ready, unless it says so itself.
const READY_LIMIT: Duration = Duration::from_secs(120);

impl Config {
    /// The services each pod has.
    #[must_use]
    pub fn services(&self) -> Vec<snapshot::Service> {
        let kinds = || self.services.values().filter_map(Service::kind);
        // Two databases cannot both be "the" database; then the project has to say which.
        let is_only =
            |kind: Kind| kinds().filter(|other| other.variable() == kind.variable()).count() == 1;
        let services = self.services.iter().map(|(name, service)| {
            let mut complete = service.complete(name);
            if let Some(kind) = service.kind().filter(|kind| is_only(*kind)) {
                complete.provides.insert(kind.variable().to_owned(), kind.url(&complete));
            }
            complete
        });
        services.collect()
    }
}

impl Service {
    fn kind(&self) -> Option<Kind> {
        self.preset.as_ref().map(|preset| preset.kind)
    }

    /// The service as each pod has it.
    pub(super) fn complete(&self, name: &str) -> snapshot::Service {
        let of_preset = || self.preset.as_ref().map(Preset::image);
        let mut service = snapshot::Service {
            name: name.to_owned(),
            image: self.image.clone().or_else(of_preset).unwrap_or_default(),
            image_id: None,
            user: self.user.clone(),
            command: self.command.clone(),
            environment: self.env.clone(),
            tmpfs: self.tmpfs.clone(),
            data: self.data.clone(),
            ready: self.ready(),
            ready_limit: self.ready_timeout.unwrap_or(READY_LIMIT.into()),
            aliases: self.aliases.clone(),
            only: self.only.clone(),
            provides: [].into(),
        };
        if let Some(kind) = self.kind() {
            kind.complete(&mut service);
        }
        service
    }

    fn ready(&self) -> Ready {
        match (&self.ready_port, &self.ready_log) {
            (Some(port), _) => Ready::Port(*port),
            (_, Some(text)) => Ready::Log(text.clone()),
            _ if !self.ready.is_empty() => Ready::Command(self.ready.clone()),
            _ => Ready::Started,
        }
    }
}
