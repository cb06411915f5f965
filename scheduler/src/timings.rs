//! How long apps took, as a run's journal tells it.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use muletrain_proto::event::Event;
use muletrain_proto::id::{AppLabel, LeaseId};
use muletrain_proto::journal::{Entry, Record};
use muletrain_proto::outcome::Ending;
use muletrain_proto::seconds::Seconds;

use crate::journal::Journal;
use crate::pure::plan::Estimates;

/// Reads a stored journal; one that cannot be read teaches nothing.
#[must_use]
pub(crate) fn read(path: &Path) -> Times {
    match Journal::resume(path) {
        Ok((_, _, entries)) => Times { apps: fold(&entries), boot: boot(&entries) },
        Err(error) => {
            tracing::warn!("{}", muletrain_proto::cli::chain(&error));
            Times::default()
        }
    }
}

/// What a run teaches.
#[derive(Debug, Default)]
pub(crate) struct Times {
    /// How long its apps took.
    pub(crate) apps: Estimates,
    /// How long a pod took until Django was loaded; none where no pod was started.
    pub(crate) boot: Option<Seconds>,
}

/// The median over all pods that were started; one that was there already teaches nothing.
fn boot(entries: &[Entry]) -> Option<Seconds> {
    let mut started = BTreeMap::new();
    let mut times = Vec::new();
    for Entry { record, .. } in entries {
        match record {
            Record::Observed { lease, event: Event::PodStarted(pod), .. } if !pod.reused => {
                started.insert(*lease, pod.seconds);
            }
            Record::Observed { lease, event: Event::Booted(booted), .. } => {
                times.extend(started.remove(lease).map(|pod| pod + booted.seconds));
            }
            _ => {}
        }
    }
    times.sort_by(|one, other| one.get().total_cmp(&other.get()));
    times.get(times.len() / 2).copied()
}

/// The time from an app's lease to its end, over all its leases, without what it waited for
/// databases that are set up once for all; only apps whose every lease closed well, because the
/// others took another time than they will.
fn fold(entries: &[Entry]) -> Estimates {
    let mut open: BTreeMap<LeaseId, (AppLabel, u64)> = BTreeMap::new();
    let mut times = Estimates::new();
    let mut spoilt = Vec::new();
    for Entry { at, record, .. } in entries {
        match record {
            Record::Leased { lease, .. } => {
                if let Some(app) = lease.work.app() {
                    open.insert(lease.key.lease, (app.clone(), *at));
                }
            }
            Record::Observed { lease, event: Event::Warming(_), .. } => {
                if let Some((_, since)) = open.get_mut(lease) {
                    *since = *at;
                }
            }
            Record::Observed { lease, event: Event::Ended(ending), .. } => {
                let Some((app, since)) = open.remove(lease) else { continue };
                match ending {
                    Ending::Closed => {
                        let time = Duration::from_millis(at.saturating_sub(since));
                        *times.entry(app).or_default() += Seconds::from(time);
                    }
                    _ => spoilt.push(app),
                }
            }
            Record::LeaseLost { lease, .. } => {
                spoilt.extend(open.remove(lease).map(|(app, _)| app));
            }
            _ => {}
        }
    }
    times.retain(|app, _| !spoilt.contains(app));
    times
}

#[cfg(test)]
mod tests {
    use muletrain_proto::event::Warming;
    use muletrain_proto::id::{AgentId, Epoch, LeaseKey, RunId, SuiteName};
    use muletrain_proto::lease::{Lease, Place, Work};

    use super::*;

    fn leased(at: u64, lease: u32, app: &str) -> Entry {
        let key = LeaseKey {
            run: RunId::new("r").unwrap(),
            lease: LeaseId(lease),
            epoch: Epoch::default(),
        };
        let app = AppLabel::new(app).unwrap();
        let work = Work::Run { app, labels: vec![], tests: None };
        let lease =
            Lease { key, work, checks: false, suite: SuiteName::default(), without: vec![] };
        let place = Place { agent: AgentId::new("a").unwrap(), slot: 0 };
        Entry { number: 1, at, record: Record::Leased { lease, grant: None, place } }
    }

    fn observed(at: u64, lease: u32, event: Event) -> Entry {
        let lease = LeaseId(lease);
        Entry { number: 1, at, record: Record::Observed { lease, sequence: 1, event } }
    }

    fn ended(at: u64, lease: u32, ending: Ending) -> Entry {
        observed(at, lease, Event::Ended(ending))
    }

    #[test]
    fn leases_of_an_app_add_up_and_a_lost_one_spoils_the_figure() {
        let entries = [
            leased(1_000, 1, "shop"),
            leased(1_000, 2, "blog"),
            ended(3_000, 1, Ending::Closed),
            leased(4_000, 3, "shop"),
            ended(4_500, 3, Ending::Closed),
            ended(9_000, 2, Ending::TimedOut),
        ];
        let times = fold(&entries);
        assert_eq!(times.len(), 1);
        assert_eq!(times[&AppLabel::new("shop").unwrap()].get(), 2.5);
    }

    #[test]
    fn what_an_app_waited_for_everybodys_databases_is_no_time_of_its_own() {
        let made = Warming::Made { seconds: Seconds::new(70.0).unwrap() };
        let entries = [
            leased(1_000, 1, "shop"),
            observed(1_100, 1, Event::Warming(Warming::Begun)),
            observed(71_100, 1, Event::Warming(made)),
            ended(74_100, 1, Ending::Closed),
            // A lease that nobody handed out waits for nothing.
            observed(75_000, 2, Event::Warming(Warming::Found)),
        ];
        assert_eq!(fold(&entries)[&AppLabel::new("shop").unwrap()].get(), 3.0);
    }
}
