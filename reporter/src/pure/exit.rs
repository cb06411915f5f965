//! From what a run came to, to the exit code that says so.

use muletrain_proto::exit_code::ExitCode;
use muletrain_proto::run::Stop;

use super::counts::Counts;

/// The exit code: the strongest of everything that holds.
///
/// `whole` says whether the journal accounts for everything it should.
#[must_use]
pub fn exit_code(counts: &Counts, stop: Option<&Stop>, whole: bool) -> ExitCode {
    let stopped = stop.map_or(ExitCode::Green, of_stop);
    let red = when(counts.red() > 0, ExitCode::Red);
    let incomplete = when(counts.lost > 0 || !whole, ExitCode::Incomplete);
    let code = stopped.and(red).and(incomplete);
    // Tests are left out because of something red, or because the run was stopped. Where there is
    // neither, nobody can say why they did not run.
    let unexplained = code == ExitCode::Green && counts.not_run > 0;
    code.and(when(unexplained, ExitCode::Incomplete))
}

fn of_stop(stop: &Stop) -> ExitCode {
    match stop {
        Stop::Interrupted => ExitCode::Interrupted,
        Stop::Infrastructure { .. } => ExitCode::Infrastructure,
        Stop::NothingSelected { .. } => ExitCode::Usage,
        Stop::CannotBoot
        | Stop::SetupFailed { .. }
        | Stop::FailureLimit { .. }
        | Stop::Timeout { .. } => ExitCode::Red,
    }
}

fn when(holds: bool, code: ExitCode) -> ExitCode {
    match holds {
        true => code,
        false => ExitCode::Green,
    }
}

#[cfg(test)]
mod tests {
    use muletrain_proto::seconds::Seconds;

    use super::*;

    const GREEN: Counts = Counts {
        passed: 3,
        flaky: 1,
        skipped: 1,
        expected_failures: 1,
        unexpected_successes: 0,
        failed: 0,
        errors: 0,
        crashed: 0,
        timed_out: 0,
        not_run: 0,
        lost: 0,
        problems: 0,
    };

    #[test]
    fn green_needs_a_whole_journal_and_nothing_red() {
        assert_eq!(exit_code(&GREEN, None, true), ExitCode::Green);
        assert_eq!(exit_code(&GREEN, None, false), ExitCode::Incomplete);
        for red in [
            Counts { failed: 1, ..GREEN },
            Counts { errors: 1, ..GREEN },
            Counts { crashed: 1, ..GREEN },
            Counts { timed_out: 1, ..GREEN },
            Counts { unexpected_successes: 1, ..GREEN },
            Counts { problems: 1, ..GREEN },
        ] {
            assert_eq!(exit_code(&red, None, true), ExitCode::Red);
        }
    }

    #[test]
    fn tests_not_run_because_of_something_red_add_nothing() {
        let counts = Counts { problems: 1, not_run: 5, ..GREEN };
        assert_eq!(exit_code(&counts, None, true), ExitCode::Red);
        let unexplained = Counts { not_run: 5, ..GREEN };
        assert_eq!(exit_code(&unexplained, None, true), ExitCode::Incomplete);
    }

    #[test]
    fn lost_work_is_worse_than_red() {
        let counts = Counts { failed: 1, lost: 1, ..GREEN };
        assert_eq!(exit_code(&counts, None, true), ExitCode::Incomplete);
    }

    #[test]
    fn a_run_that_was_stopped_is_never_green() {
        let limit = Seconds::ZERO;
        for (stop, code) in [
            (Stop::Interrupted, 130),
            (Stop::Infrastructure { reason: String::new() }, 4),
            (Stop::NothingSelected { reason: String::new() }, 2),
            (Stop::CannotBoot, 1),
            (Stop::FailureLimit { failures: 1 }, 1),
            (Stop::Timeout { limit }, 1),
        ] {
            assert_eq!(exit_code(&GREEN, Some(&stop), true).status(), code);
        }
    }
}
