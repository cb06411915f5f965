//! How much an agent keeps for a scheduler that does not acknowledge, and when pods have to wait.

use muletrain_proto::event::{Event, Warming, Warning};
use muletrain_proto::inventory::Inventory;
use muletrain_proto::outcome::{Ending, Failure, Output};

/// Bytes of unacknowledged events from which on a pod is not listened to.
pub const LIMIT: usize = 64 << 20;

/// Bytes of an event beside its texts, and of an entry of an inventory; an estimate.
const OVERHEAD: usize = 256;

/// About how many bytes an event takes.
#[must_use]
pub fn weight(event: &Event) -> usize {
    OVERHEAD
        + match event {
            Event::Finished(finished) => failures(&finished.failures) + output(&finished.output),
            Event::Fixture(fixture) => {
                failures(&fixture.failures)
                    + output(&fixture.output)
                    + fixture.tests.len() * OVERHEAD
            }
            Event::Failed(failed) => failures(&failed.failures) + output(&failed.output),
            Event::TimedOut(timed_out) => timed_out.stacks.len() + output(&timed_out.output),
            Event::Class(class) => output(&class.output),
            Event::Ready(ready) => output(&ready.output),
            Event::Collected(collected) => inventory(&collected.inventory),
            Event::Planned(planned) => inventory(&planned.inventory),
            Event::Found(found) => inventory(&found.inventory),
            Event::Ended(Ending::Crashed(death)) => death.stderr.len() + output(&death.output),
            Event::Warming(Warming::Failed { reason }) => reason.len(),
            Event::Hook(hook) => hook.command.len() + output(&hook.output),
            Event::Warnings(warnings) => {
                let text = |warning: &Warning| OVERHEAD + warning.message.len();
                warnings.warnings.iter().map(text).sum()
            }
            Event::Combined(combined) => combined.notes.iter().map(String::len).sum(),
            Event::Artifact(artifact) => artifact.lost.as_ref().map_or(0, String::len),
            Event::Warming(_)
            | Event::PodStarted(_)
            | Event::Booted(_)
            | Event::Started { .. }
            | Event::Done { .. }
            | Event::Closed(_)
            | Event::Ended(_) => 0,
        }
}

fn failures(failures: &[Failure]) -> usize {
    failures.iter().map(|failure| failure.message.len() + failure.traceback.len()).sum()
}

fn output(output: &Output) -> usize {
    output.text.len()
}

fn inventory(inventory: &Inventory) -> usize {
    let errors = inventory.errors.iter().map(|error| failures(&error.failures)).sum::<usize>();
    (inventory.classes.len() + inventory.test_count()) * OVERHEAD + errors
}
