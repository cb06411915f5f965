//! Databases that are set up once and kept for all pods, as the fold and the report see them.

use std::collections::btree_map::Entry;

use muletrain_proto::event::{Database, Warming};
use muletrain_proto::id::LeaseId;
use muletrain_proto::seconds::Seconds;

use super::fold::{Change, Step};
use super::summary::Summary;

impl Step<'_> {
    /// Every pod of an agent that waits says so; it is news once.
    pub(super) fn warming(&mut self, id: LeaseId, warming: &Warming) {
        let Some(lease) = self.fold.leases.get_mut(&id) else { return };
        lease.waiting = *warming == Warming::Begun;
        let agent = lease.place.agent.clone();
        match warming {
            Warming::Begun => {
                if let Entry::Vacant(entry) = self.fold.made.entry(agent.clone()) {
                    entry.insert(None);
                    self.changes.push(Change::Warming(agent));
                }
            }
            Warming::Found => {}
            Warming::Made { seconds } => {
                let made = self.fold.made.entry(agent.clone()).or_default();
                if made.is_none() {
                    *made = Some(*seconds);
                    self.changes.push(Change::Warmed(agent));
                }
            }
            Warming::Failed { reason } => self.not_kept(reason),
        }
    }

    /// The same reason, from whatever pod, is told once.
    fn not_kept(&mut self, reason: &str) {
        let text = format!("no test databases are kept, so each pod sets up its own: {reason}");
        if !self.fold.incidents.contains(&text) {
            self.changes.push(Change::Incident(self.fold.incidents.len()));
            self.fold.incidents.push(text);
        }
    }
}

/// Whether a pod began with kept databases; none where it has no databases.
#[must_use]
pub fn are_kept(databases: &[Database]) -> Option<bool> {
    (!databases.is_empty()).then(|| databases.iter().all(|database| database.warm))
}

/// What kept databases came to in a run, for its report; none where no pod began with any.
#[must_use]
pub fn in_words(summary: &Summary) -> Option<String> {
    let pods = summary.leases.values().filter(|lease| lease.kept.is_some()).count();
    let kept = || summary.leases.values().filter(|lease| lease.kept == Some(true));
    let which = match kept().count() {
        0 => return None,
        count if count == pods => "kept".to_owned(),
        count => format!("kept in {count} of {pods} pods"),
    };
    let time: Seconds = kept().map(|lease| lease.setup.databases).sum();
    let each = time.duration() / u32::try_from(kept().count()).unwrap_or(u32::MAX);
    let made = summary.made.values().copied().reduce(longer);
    let made = made.map(|time| format!("; made in {time}")).unwrap_or_default();
    Some(format!("Databases: {which}, {} a pod{made}", Seconds::from(each)))
}

fn longer(one: Seconds, other: Seconds) -> Seconds {
    if one.get() >= other.get() { one } else { other }
}
