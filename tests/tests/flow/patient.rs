//! A project with a test that does not end by itself, for what happens meanwhile.

use muletrain_proto::event::Event;
use muletrain_proto::lease::Work;
use muletrain_tests::flow::Flow;
use muletrain_tests::journal::Journal;

/// The test that does not end by itself.
pub(crate) const WAITING: &str = "app.tests.PatientTest.test_b_waits";

/// One that passes before it.
pub(crate) const BEFORE: &str = "app.tests.PatientTest.test_a_passes";

/// A class with a test that passes, one that waits with a process of its own in the background,
/// and one after it.
pub(crate) const TESTS: &str = "
import subprocess
import time

from django.test import SimpleTestCase


class PatientTest(SimpleTestCase):
    def test_a_passes(self):
        self.assertEqual(1 + 1, 2)

    def test_b_waits(self):
        subprocess.Popen(['sleep', '300'], start_new_session=True)
        time.sleep(300)

    def test_c_passes(self):
        self.assertEqual(2 + 2, 4)
";

/// A test module that does not end being imported.
pub(crate) const ENDLESS_IMPORT: &str = "import time\ntime.sleep(300)\n";

/// A project with that test in `app`.
pub(crate) fn flow() -> Flow {
    Flow::small(&[("app/tests.py", TESTS)])
}

/// Whether the test waits by now.
pub(crate) fn waits(journal: &Journal) -> bool {
    journal.has_started(WAITING)
}

/// Whether the process that collects has loaded Django, so that it imports tests by now.
pub(crate) fn collects(journal: &Journal) -> bool {
    // Leases are numbered from 1 in the order they were made.
    let mut leases = (1..).zip(journal.leased());
    let collection = leases.find(|(_, work)| matches!(work, Work::Collect { .. }));
    let booted = |event: &Event| matches!(event, Event::Booted(_));
    collection.is_some_and(|(number, _)| {
        journal.events().any(|(lease, event)| lease.0 == number && booted(event))
    })
}

/// The container in which a test has begun.
pub(crate) fn pod_of(journal: &Journal, wanted: &str) -> Option<String> {
    let begins =
        |event: &Event| matches!(event, Event::Started { test, .. } if test.as_str() == wanted);
    let (place, _) = journal.events().find(|(_, event)| begins(event))?;
    journal.events().find_map(|(lease, event)| match event {
        Event::PodStarted(started) if lease == place => Some(started.pod.clone()),
        _ => None,
    })
}
