"""Results to look at: the journal of a run on three hosts, and JUnit XML whose names try everything.

Usage: results.py FOLDER      writes run/journal.jsonl, earlier/RUN/journal.jsonl, hostile.xml

The same bytes each time.
"""

import json
import random
import sys
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

REPOSITORY = Path(__file__).resolve().parents[2]
START = 1767268800000
SLOTS = [("ci-1", 0), ("ci-1", 1), ("ci-1", 2), ("ci-2", 0), ("ci-2", 1), ("ci-2", 2), ("laptop", 0), ("laptop", 1)]
APPS = {
    "checkout": 240, "catalogue": 190, "accounts": 150, "search": 120, "invoices": 110, "shipping": 90, "webhooks": 80,
    "reports": 70, "mailing": 60, "audit": 60, "coupons": 50, "api": 170, "staff": 40, "sitemaps": 20, "flags": 12, "health": 6,
}  # fmt: skip
THINGS = "cart order refund coupon session customer ledger address price stock voucher receipt".split()
VERBS = "keeps rejects sends lists totals locks renders expires merges retries rounds paginates".split()
NAMES = [
    "<img src=x onerror=\"document.title='pwned'\">",
    "</script><script>document.title='pwned'</script>",
    "test_quotes_\"double\"_'single'_`tick`",
    "test_\u202edesrever\u202c_text",
    "&lt;already&gt; &amp; escaped",
    "${document.title='pwned'}{{7*7}}",
    "javascript:alert(1)",
    "test with blanks\tand a tab",
    "größe 日本 👩‍💻",
    "#q=verdict:passed&test=x%00",
    "test_[param.with.dots-" + "long" * 200 + "]",
    "]]> <!-- --> <?php",
]
# What a terminal would show in colour: styles one in another, one that never ends, and what is none.
COLOURS = (
    "\x1b[1;31mFAILED\x1b[0m plain \x1b[32mgreen \x1b[4munder\x1b[24m green\x1b[39m \x1b[38;5;33mblue\x1b[0m\n"
    "\x1b]0;document.title='pwned'\x07\x1b[2J\x1b[35m<img src=x onerror=\"document.title='pwned'\"> goes on\n"
    "\x1b[7m and on \U0010e002 \x1b[\n"
    "\x1b[0m" + " ".join(f"\x1b[{code}mc{code}\x1b[0m" for code in [*range(30, 38), *range(40, 48), *range(90, 98), *range(100, 108)]) + "\n"
)
BREAKS = {
    "checkout": ("stripe.error.APIConnectionError", "could not reach api.stripe.test: connection refused", "/app/payments/gateway.py", "charge"),
    "invoices": ("stripe.error.APIConnectionError", "could not reach api.stripe.test: connection refused", "/app/payments/gateway.py", "charge"),
}


class Journal:
    """A journal in the making; records are put into the order of their moments at the end."""

    def __init__(self, run, start):
        lines = (REPOSITORY / "reporter/tests/fixtures/site.jsonl").read_text(encoding="utf-8").splitlines()
        self.header = json.loads(lines[0]) | {"run": run}
        self.opened = json.loads(lines[1])
        self.run, self.start, self.records, self.sequences = run, start, [], {}
        snapshot = {"name": "shop", "revision": {"commit": "9f31c07be4d2", "branch": "faster-checkout", "dirty": True}}
        self.opened["snapshot"] |= snapshot

    def record(self, at, kind, **fields):
        self.records.append((at, len(self.records), {"record": kind, **fields}))

    def event(self, lease, at, kind, **fields):
        sequence = self.sequences[lease] = self.sequences.get(lease, 0) + 1
        self.record(at, "observed", lease=lease, sequence=sequence, event={"type": kind, **fields})

    def write(self, path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "w", encoding="utf-8") as out:
            line = lambda value: out.write(json.dumps(value, separators=(",", ":")) + "\n")
            line(self.header)
            line(self.opened | {"at": self.start})
            for number, (at, _, record) in enumerate(sorted(self.records, key=lambda one: one[:2]), 2):
                line({"number": number, "at": self.start + at, **record})


def traceback(exception, message, path, function, test):
    module = test.rsplit(".", 2)[0].replace(".", "/")
    return (
        "Traceback (most recent call last):\n"
        f'  File "/app/{module}.py", line 88, in {test.rsplit(".", 1)[1]}\n'
        "    self.client.post(self.url, self.payload)\n"
        '  File "/usr/lib/python3.12/site-packages/django/test/client.py", line 992, in post\n'
        "    response = super().post(path, data=data, **extra)\n"
        f'  File "{path}", line 41, in {function}\n'
        "    return self.session.send(request, timeout=self.timeout)\n"
        f"{exception}: {message}\n"
    )


def classes(app, count):
    """The tests of an app by class."""
    chance, found = random.Random(app), {}
    for number in range(count):
        name = f"{app}.tests.test_{THINGS[number // 40 % 12]}.{THINGS[number // 10 % 12].title()}Test"
        found.setdefault(name, []).append(f"{name}.test_{chance.choice(VERBS)}_{chance.choice(THINGS)}_{number}")
    return found


def inventory(app, found):
    for name, tests in found.items():
        module = name.rsplit(".", 1)[0]
        yield {
            "id": name, "app": app, "module": module, "file": module.replace(".", "/") + ".py", "line": 7, "phase": 0,
            "whole_module": False, "tags": [], "databases": ["default"], "bases": ["django.test.TestCase"],
            "tests": [{"id": test, "tags": []} for test in tests],
        }  # fmt: skip


def make_run(run, start, broken):
    """A run of all apps, the largest first, each in the slot that is free first."""
    journal = Journal(run, start)
    found = {app: classes(app, count) for app, count in APPS.items()}
    everything = [one for app, tests in found.items() for one in inventory(app, tests)]
    journal.record(900, "inventory", inventory={"classes": everything, "errors": []}, deselected=0, remembered=False, suite="django", notes=[])
    free = {slot: 40 + 15 * number for number, slot in enumerate(SLOTS)}
    for lease, (app, tests) in enumerate(sorted(found.items(), key=lambda one: -APPS[one[0]]), 1):
        slot = min(free, key=lambda one: (free[one], one))
        free[slot] = run_app(journal, lease, app, tests, slot, free[slot], broken)
    journal.record(max(free.values()) + 30, "closed")
    return journal


def run_app(journal, lease, app, tests, slot, now, broken):
    chance = random.Random(f"{app} {broken}")
    work = {"kind": "run", "app": app, "labels": [app], "tests": None}
    identity = {"run": journal.run, "lease": lease, "epoch": lease}
    journal.record(now, "leased", lease={**identity, "work": work, "checks": lease == 1, "suite": "django"}, grant=None, place={"agent": slot[0], "slot": slot[1]})
    stages = [("pod_started", {"pod": f"pod-{lease}"}, 0.3), ("booted", {"python": "3.12.1", "django": "5.2", "runner": "django.test.runner.DiscoverRunner"}, 1.6),
              ("planned", {"inventory": {"classes": list(inventory(app, tests)), "errors": []}, "missing": []}, 0.4)]  # fmt: skip
    stages.append(("ready", {"databases": [{"alias": "default", "vendor": "postgresql", "warm": lease > 3}]}, 0.2 if lease > 3 else 3.5))
    for kind, fields, usual in stages:
        seconds = round(usual * chance.uniform(0.7, 1.4), 3)
        now += int(seconds * 1000)
        journal.event(lease, now, kind, seconds=seconds, **fields)
    for name, members in tests.items():
        setup = round(chance.uniform(0.02, 0.25), 3)
        now += int(setup * 1000)
        for number, test in enumerate(members):
            now = run_test(journal, lease, app, test, number, now, chance, broken)
        journal.event(lease, now, "class", **{"class": name, "setup_seconds": setup, "teardown_seconds": 0.01, "peak_kib": 90000})
    journal.event(lease, now + 60, "closed", tests=sum(map(len, tests.values())), peak_kib=120000)
    journal.event(lease, now + 110, "ended", how="closed")
    return now + 130


def run_test(journal, lease, app, test, number, now, chance, broken):
    seconds = round(min(chance.lognormvariate(-2.9, 1.0), 4.0), 4)
    kind = chance.choices(["passed", "skipped", "flaky", "failed", "printing"], [940, 25, 4, 3, 20])[0]
    if broken and app in BREAKS and chance.random() < 0.08:
        kind = "gateway"
    attempts = {"flaky": ["failed", "passed"], "gateway": ["error"], "printing": ["passed"]}.get(kind, [kind])
    for attempt, verdict in enumerate(attempts, 1):
        journal.event(lease, now, "started", test=test, **{"try": attempt})
        now += max(1, int(seconds * 1000))
        extra = {}
        if verdict == "skipped":
            extra = {"reason": "needs a search cluster"}
        elif verdict == "error":
            exception, message, path, function = BREAKS[app]
            extra = wrong("error", exception, message, path, function, test)
            extra["output"] = COLOURS + f"INFO charging 4200 for order {chance.randrange(9999)}\nWARNING retrying in 0.1 s\n"
        elif verdict == "failed":
            got = chance.randrange(100)
            extra = wrong("failure", "AssertionError", f"{got} != {got + 1}", f"/app/{app}/models.py", "total", test)
        elif kind == "printing":
            extra = {"output": f"loaded {number} rows of {app}\n"}
        journal.event(lease, now, "finished", test=test, verdict=verdict, seconds=seconds, **{"try": attempt}, **extra)
    return now


def wrong(kind, exception, message, path, function, test):
    text = traceback(exception, message, path, function, test)
    return {"failures": [{"kind": kind, "exception": exception, "message": message, "traceback": text}]}


def hostile():
    """A case for each name, failing with itself."""
    def case(name):
        inside = f"<failure message={quoteattr(name)} type={quoteattr(name[:60])}>{escape(name)}</failure><system-out>{escape(name)}</system-out>"
        return f"<testcase classname={quoteattr('evil.' + name[:40])} name={quoteattr(name)} time='0.1'>{inside}</testcase>"

    return f"<testsuites><testsuite name={quoteattr(NAMES[0])} hostname={quoteattr(NAMES[1])}>{''.join(map(case, NAMES))}</testsuite></testsuites>"


def main():
    folder = Path(sys.argv[1])
    make_run("20260104-090000-m4rt", START + 3 * 86_400_000, broken=True).write(folder / "run/journal.jsonl")
    for day in range(3):
        run = make_run(f"2026010{day + 1}-090000-d4y{day}", START + day * 86_400_000, broken=False)
        run.write(folder / f"earlier/{run.run}/journal.jsonl")
    (folder / "hostile.xml").write_text(hostile(), encoding="utf-8")


if __name__ == "__main__":
    main()
