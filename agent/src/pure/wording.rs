//! How events and silences of a pod are named to people.

use muletrain_proto::event::{Event, Failed, Phase};
use muletrain_proto::outcome::{Failure, FailureKind, Output as Printed};

use crate::pure::conversation::{DATABASES_LIMIT, QUIET_LIMIT};

/// What is said of a pod that was silent for too long.
pub(super) fn silence(phase: Phase) -> Failed {
    let (doing, limit) = match phase {
        Phase::Setup => ("running setup commands", QUIET_LIMIT),
        Phase::Boot => ("loading Django and the settings", QUIET_LIMIT),
        Phase::Collect => ("loading test modules", QUIET_LIMIT),
        Phase::Databases => ("setting up the databases", DATABASES_LIMIT),
        Phase::Checks => ("running system checks", QUIET_LIMIT),
        Phase::Run => ("between tests, in a class or module fixture", QUIET_LIMIT),
        Phase::Teardown => ("taking the databases down", QUIET_LIMIT),
    };
    let message =
        format!("the pod was killed after {} minutes of silence, {doing}", limit.as_secs() / 60);
    let failure = Failure {
        kind: FailureKind::Error,
        exception: "TimeoutError".to_owned(),
        traceback: message.clone(),
        message,
        subtest: None,
    };
    Failed { phase, failures: vec![failure], output: Printed::default() }
}

/// An event, as the protocol calls it.
pub(super) fn name(event: &Event) -> &'static str {
    match event {
        Event::Warming(_) => "`warming`",
        Event::PodStarted(_) => "`pod_started`",
        Event::Booted(_) => "`booted`",
        Event::Collected(_) => "`collected`",
        Event::Planned(_) => "`planned`",
        Event::Ready(_) => "`ready`",
        Event::Found(_) => "`found`",
        Event::Started { .. } => "`started`",
        Event::Finished(_) => "`finished`",
        Event::Fixture(_) => "`fixture`",
        Event::Class(_) => "`class`",
        Event::Done { .. } => "`done`",
        Event::Failed(_) => "`failed`",
        Event::TimedOut(_) => "`timed_out`",
        Event::Artifact(_) => "`artifact`",
        Event::Hook(_) => "`hook`",
        Event::Warnings(_) => "`warnings`",
        Event::Combined(_) => "`combined`",
        Event::Closed(_) => "`closed`",
        Event::Ended(_) => "`ended`",
    }
}
