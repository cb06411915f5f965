//! What a run has to do beside its tests: make one report of their coverage, and wait for the
//! commands that end it.

use std::time::Duration;

use muletrain_proto::artifact::{Artifact, Kind, Name};
use muletrain_proto::coverage::Part;
use muletrain_proto::event::Event;
use muletrain_proto::id::LeaseId;
use muletrain_proto::lease::Work;
use muletrain_proto::outcome::Ending;
use muletrain_proto::run::Options;

use super::Moment;
use super::run::LOST_LIMIT;

/// How long whoever handed a run in may be silent beyond the time of its commands.
const SILENCE: Duration = Duration::from_secs(60);

/// What a run has to do beside its tests, and how far that is.
#[derive(Debug, Clone, Default)]
pub struct Around {
    parts: Vec<Part>,
    is_combined: bool,
    lost_combinations: u32,
    tearing_down: Option<Moment>,
}

/// What has to happen before a run is closed whose pods are all gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ahead {
    /// Its end is to be announced, so that its commands are run.
    TearDown,
    /// They are being run.
    Wait,
    /// Nothing.
    Nothing,
}

impl Around {
    /// Takes note of an event of a pod.
    pub fn observe(&mut self, lease: LeaseId, event: &Event) {
        match event {
            Event::Artifact(Artifact {
                name, kind: Kind::Coverage, digest: Some(digest), ..
            }) => {
                // Too long a name is the only way to fail.
                if let Ok(name) = Name::new(format!("{lease}/{name}")) {
                    self.parts.push(Part { name, digest: *digest });
                }
            }
            Event::Combined(_) => self.is_combined = true,
            _ => {}
        }
    }

    /// Takes note of the end of a lease that was to combine; whatever is wrong with the project is
    /// wrong another time as well.
    pub fn end_combination(&mut self, ending: &Ending) {
        match ending {
            Ending::Infrastructure { .. } => self.lost_combinations += 1,
            Ending::Crashed(_)
            | Ending::Failed
            | Ending::TimedOut
            | Ending::Closed
            | Ending::Revoked => self.is_combined = true,
        }
    }

    /// What is left to be combined; none where nothing is, or that was lost too often.
    #[must_use]
    pub fn combination(&self, options: &Options) -> Option<Work> {
        let is_wanted = options.coverage.is_some()
            && !self.is_combined
            && !self.parts.is_empty()
            && self.lost_combinations < LOST_LIMIT;
        is_wanted.then(|| Work::Combine { parts: self.parts.clone() })
    }

    /// Takes note of the announcement of the run's end.
    pub fn tear_down(&mut self, now: Moment) {
        self.tearing_down = Some(now);
    }

    /// What has to happen before the run is closed, now that its pods are gone.
    #[must_use]
    pub fn ahead(&self, options: &Options, now: Moment) -> Ahead {
        let hooks = &options.hooks;
        let limit = hooks.limit().duration().saturating_mul(hooks.run_teardown);
        let limit = limit.saturating_add(SILENCE).as_millis();
        match (hooks.run_teardown, self.tearing_down) {
            (0, _) => Ahead::Nothing,
            (_, None) => Ahead::TearDown,
            (_, Some(since)) if u128::from(now.saturating_sub(since)) <= limit => Ahead::Wait,
            (_, Some(_)) => Ahead::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use muletrain_proto::blob::Digest;
    use muletrain_proto::coverage::Coverage;
    use muletrain_proto::hook::Hooks;
    use muletrain_proto::seconds::Seconds;

    use super::*;

    fn measured(around: &mut Around, lease: u32) {
        let artifact = Artifact {
            name: Name::new(".coverage.1").unwrap(),
            kind: Kind::Coverage,
            size: 1,
            digest: Some(Digest::of(b"data")),
            omitted: 0,
            lost: None,
        };
        around.observe(LeaseId(lease), &Event::Artifact(artifact));
    }

    #[test]
    fn what_pods_measured_is_combined_once() {
        let options = Options { coverage: Some(Coverage::default()), ..Options::default() };
        let mut around = Around::default();
        assert_eq!(around.combination(&options), None, "nothing was measured");
        measured(&mut around, 2);
        measured(&mut around, 3);
        assert_eq!(around.combination(&Options::default()), None, "nobody wants it");
        let Some(Work::Combine { parts }) = around.combination(&options) else { panic!() };
        let names: Vec<&str> = parts.iter().map(|part| part.name.as_str()).collect();
        assert_eq!(names, ["2/.coverage.1", "3/.coverage.1"]);
        around.end_combination(&Ending::Closed);
        assert_eq!(around.combination(&options), None);
    }

    #[test]
    fn a_combination_is_lost_so_often_and_no_more() {
        let options = Options { coverage: Some(Coverage::default()), ..Options::default() };
        let mut around = Around::default();
        measured(&mut around, 2);
        for _ in 0..LOST_LIMIT {
            assert!(around.combination(&options).is_some());
            around.end_combination(&Ending::Infrastructure { reason: String::new() });
        }
        assert!(around.combination(&options).is_none());
    }

    #[test]
    fn whoever_handed_a_run_in_has_their_time_for_its_end() {
        let timeout = Some(Seconds::new(10.0).unwrap());
        let hooks = Hooks { run_teardown: 2, timeout, ..Hooks::default() };
        let options = Options { hooks, ..Options::default() };
        let mut around = Around::default();
        assert_eq!(around.ahead(&Options::default(), 0), Ahead::Nothing);
        assert_eq!(around.ahead(&options, 0), Ahead::TearDown);
        around.tear_down(5_000);
        assert_eq!(around.ahead(&options, 85_000), Ahead::Wait);
        assert_eq!(around.ahead(&options, 85_001), Ahead::Nothing);
    }
}
