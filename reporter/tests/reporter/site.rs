//! A run in which everything happens: the journal behind `fixtures/site.jsonl`.

use muletrain_proto::event::{
    ClassTimes, Collected, Event, Failed, Finished, Fixture, LimitOf, Phase, TimedOut, Warming,
};
use muletrain_proto::id::{ClassId, LeaseId};
use muletrain_proto::inventory::{Inventory, LoadError};
use muletrain_proto::journal::Record;
use muletrain_proto::lease::Work;
use muletrain_proto::outcome::{Death, Ending, Failure, Output};
use muletrain_proto::verdict::Verdict;

use crate::journal::{Journal, app, classes, failed, failure, passed, printed, seconds, test};

const CART: &str = "shop.tests.test_cart.CartTest";
const PAY: &str = "shop.tests.test_pay.PayTest";
const POST: &str = "blog.tests.PostTest";
const FEED: &str = "blog.tests.FeedTest";
const PDF: &str = "reports.tests.test_pdf.PdfTest";
const MAIL: &str = "mail.tests.MailTest";

/// Four apps on two agents: every verdict, a broken module, a broken fixture, a broken database,
/// a crash, a time-out, a lost agent, a retry, databases that are kept and that are not.
pub(crate) fn journal() -> Journal {
    let mut journal = Journal::opened();
    let everything = inventory();
    journal.after(40).leased(1, Work::Collect { labels: Vec::new() }, "laptop");
    journal.after(5).lease(2, "shop", "laptop").after(5).lease(3, "blog", "build-7");
    // Those that wait for databases all say so.
    for lease in [2, 3] {
        journal.warming(lease, Warming::Begun);
    }
    journal.warming(3, not_kept());
    let collected = Collected { inventory: Inventory::default(), seconds: seconds(1.75) };
    journal.after(2000).event(1, Event::Collected(collected)).inventory(everything);
    journal.end(1, Ending::Closed);
    journal.warming(2, Warming::Made { seconds: seconds(2.125) });
    shop(&mut journal);
    blog(&mut journal);
    reports(&mut journal);
    mail(&mut journal);
    journal.close();
    journal
}

fn inventory() -> Inventory {
    let parts = [
        classes("shop", &[(CART, &["test_add", "test_total", "test_taxes", "test_old"])]),
        classes("shop", &[(PAY, &["test_card", "test_cash", "test_refund"])]),
        classes("blog", &[(POST, &["test_draft", "test_publish", "test_slug"])]),
        classes("blog", &[(FEED, &["test_atom", "test_rss"])]),
        classes("reports", &[(PDF, &["test_render", "test_fonts", "test_pages"])]),
        classes("mail", &[(MAIL, &["test_send", "test_bounce"])]),
    ];
    let error = LoadError {
        id: test("unittest.loader._FailedTest.blog.tests_old"),
        app: app("blog"),
        failures: vec![failure(
            "ImportError",
            "cannot import name 'Tag' from 'blog.models'",
            "blog/tests_old.py\", line 3",
        )],
    };
    let classes = parts.into_iter().flat_map(|part| part.classes).collect();
    Inventory { classes, errors: vec![error] }
}

fn of(label: &str) -> Inventory {
    let Inventory { classes, errors } = inventory();
    let classes = classes.into_iter().filter(|class| class.app.as_str() == label).collect();
    Inventory {
        classes,
        errors: errors.into_iter().filter(|one| one.app.as_str() == label).collect(),
    }
}

fn shop(journal: &mut Journal) {
    journal.up_kept(2, of("shop"));
    journal.run(2, passed(&format!("{CART}.test_add"), 0.032));
    let wrong =
        failure("AssertionError", "Decimal('11.90') != 12", "shop/tests/test_cart.py\", line 21");
    let output = Output { text: "tax table: {'de': 19}\n".repeat(3), omitted: 2048 };
    journal
        .run(2, Finished { output, ..failed(&format!("{CART}.test_total"), 0.412, vec![wrong]) });
    let subtest = |country: &str, message: &str| Failure {
        subtest: Some(format!("(country='{country}')")),
        ..failure("AssertionError", message, "shop/tests/test_cart.py\", line 40")
    };
    let both = vec![subtest("at", "20 != 19"), subtest("ch", "8 != 19")];
    journal.run(2, failed(&format!("{CART}.test_taxes"), 0.2, both));
    let odd = Verdict::UnexpectedSuccess;
    journal.run(2, Finished { verdict: odd, ..passed(&format!("{CART}.test_old"), 0.001) });
    journal.event(
        2,
        Event::Class(ClassTimes {
            class: ClassId::new(CART).unwrap(),
            setup_seconds: seconds(0.5),
            teardown_seconds: seconds(0.1),
            output: Output::default(),
            peak_kib: Some(81_000),
        }),
    );
    journal.run(2, passed(&format!("{PAY}.test_card"), 1.25));
    journal.start(2, &format!("{PAY}.test_cash")).after(900);
    died(journal);
    // The rest of the class goes on in a fresh pod.
    journal.lease(4, "shop", "laptop").warming(4, Warming::Found).up_kept(4, of("shop"));
    let missing = failure("KeyError", "'refund'", "shop/tests/test_pay.py\", line 60");
    journal.run(4, failed(&format!("{PAY}.test_refund"), 0.3, vec![missing]));
    let again = Finished { r#try: 2, ..passed(&format!("{PAY}.test_refund"), 0.2) };
    journal.run(4, again).end(4, Ending::Closed);
}

/// The scheduler's verdict goes before the ending that it is drawn from.
fn died(journal: &mut Journal) {
    let cash = test(&format!("{PAY}.test_cash"));
    let reason = "segmentation fault (signal 11)".to_owned();
    journal.record(Record::Settled {
        test: cash.clone(),
        r#try: 1,
        verdict: Verdict::Crashed,
        reason: reason.clone(),
        lease: Some(LeaseId(2)),
        lost: false,
    });
    let stderr = "Fatal Python error: Segmentation fault\n\nCurrent thread (most recent call \
                  first):\n  File \"/app/shop/money.py\", line 9 in round\n";
    journal.end(
        2,
        Ending::Crashed(Death {
            running: Some(cash),
            status: None,
            signal: Some(11),
            memory_limit: None,
            reason,
            output: printed("rounding 3 coins\n"),
            stderr: stderr.to_owned(),
        }),
    );
}

fn blog(journal: &mut Journal) {
    journal.up(3, of("blog"));
    let skipped = Verdict::Skipped;
    let reason = Some("needs a network".to_owned());
    journal.run(
        3,
        Finished { verdict: skipped, reason, ..passed(&format!("{POST}.test_draft"), 0.0) },
    );
    let expected = Verdict::ExpectedFailure;
    journal.run(3, Finished { verdict: expected, ..passed(&format!("{POST}.test_publish"), 0.02) });
    journal.start(3, &format!("{POST}.test_slug")).after(60_000);
    journal.event(
        3,
        Event::TimedOut(TimedOut {
            test: test(&format!("{POST}.test_slug")),
            r#try: 1,
            seconds: seconds(60.0),
            stacks:
                "Thread 0x00007f (most recent call first):\n  File \"/app/blog/slug.py\", line 4 \
                 in unique\n"
                    .to_owned(),
            output: Output::default(),
            limit_of: LimitOf::Test,
            tests: vec![],
        }),
    );
    journal.end(3, Ending::TimedOut);
    journal.lease(5, "blog", "build-7").up(5, of("blog"));
    journal.event(
        5,
        Event::Fixture(Fixture {
            id: test(&format!("setUpClass ({FEED})")),
            class: Some(ClassId::new(FEED).unwrap()),
            verdict: Verdict::Error,
            failures: vec![failure(
                "django.db.utils.IntegrityError",
                "duplicate key value violates unique constraint",
                "blog/tests.py\", line 80",
            )],
            output: Output::default(),
            tests: vec![test(&format!("{FEED}.test_atom")), test(&format!("{FEED}.test_rss"))],
        }),
    );
    journal.end(5, Ending::Closed);
}

fn reports(journal: &mut Journal) {
    journal.lease(6, "reports", "build-7").after(800);
    let failures = vec![failure(
        "django.db.utils.ProgrammingError",
        "relation \"reports_page\" does not exist",
        "reports/migrations/0002_pages.py\", line 12",
    )];
    let output = printed("Running migrations:\n  Applying reports.0002_pages...\n");
    journal.event(6, Event::Failed(Failed { phase: Phase::Databases, failures, output }));
    journal.end(6, Ending::Failed);
    for method in ["test_render", "test_fonts", "test_pages"] {
        let reason = "the app reports could not set up its databases";
        not_run(journal, &format!("{PDF}.{method}"), reason, false);
    }
}

fn mail(journal: &mut Journal) {
    journal.lease(7, "mail", "build-7");
    // What keeps one pod from kept databases keeps them all.
    journal.warming(7, not_kept()).up(7, of("mail"));
    journal.run(7, passed(&format!("{MAIL}.test_send"), 0.05));
    journal.start(7, &format!("{MAIL}.test_bounce")).after(15_000);
    let reason = "agent build-7 was lost: nothing was heard from it for 15 seconds".to_owned();
    journal.record(Record::LeaseLost { lease: LeaseId(7), reason });
    not_run(journal, &format!("{MAIL}.test_bounce"), "its work was lost 3 times", true);
}

fn not_kept() -> Warming {
    Warming::Failed { reason: "cannot write /var/cache/muletrain: no space left".to_owned() }
}

fn not_run(journal: &mut Journal, id: &str, reason: &str, lost: bool) {
    journal.record(Record::Settled {
        test: test(id),
        r#try: 1,
        verdict: Verdict::NotRun,
        reason: reason.to_owned(),
        lease: None,
        lost,
    });
}
