"""Pages made of results, and a browser to open them in."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from browser import Browser, start

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target"))
REPORTER = TARGET / "debug/muletrain-reporter"


class Pages:
    """The pages under test, and what the JSON report says of the same results."""

    def __init__(self, folder):
        self.folder = folder
        subprocess.run([sys.executable, HERE / "results.py", folder], check=True)
        self.run = self.render("run", "run", "--html-against", "earlier/20260103-090000-d4y2", "--html-history", "earlier")
        self.hostile = self.render("hostile", "hostile.xml")
        self.both = self.render("both", "run", "earlier/20260101-090000-d4y0", "hostile.xml")
        slots = self.slots(folder / "run/journal.jsonl")
        self.tests = [{**test, "slot": slots[test["app"]]} for test in self.json("run")["runs"][0]["tests"]]

    @staticmethod
    def slots(journal):
        """The slot of its agent that each app ran in, by what the scheduler wrote."""
        records = map(json.loads, journal.read_text(encoding="utf-8").splitlines())
        leased = [record for record in records if record.get("record") == "leased"]
        return {record["lease"]["work"]["app"]: record["place"]["slot"] for record in leased}

    def reporter(self, *arguments):
        done = subprocess.run([REPORTER, "report", *arguments], cwd=self.folder, capture_output=True, text=True)
        assert done.returncode == 1, done.stderr
        return done.stdout

    def render(self, name, *arguments):
        self.reporter(*arguments, "--html", f"{name}.html")
        return self.folder / f"{name}.html"

    def json(self, *results):
        return json.loads(self.reporter(*results, "--json"))

    def bars(self, result):
        """Tests in the timeline that is written for other tools."""
        self.reporter(result, "--trace", "trace.json")
        events = json.loads((self.folder / "trace.json").read_text(encoding="utf-8"))["traceEvents"]
        return [event for event in events if event.get("cat") == "test"]


@pytest.fixture(scope="session")
def pages(tmp_path_factory):
    return Pages(tmp_path_factory.mktemp("pages"))


@pytest.fixture(scope="session")
def driver():
    driver = start()
    yield driver
    driver.quit()


@pytest.fixture
def browser(driver):
    """A page that has to be silent: no error of a script, and no request."""
    browser = Browser(driver)
    browser.reset()
    yield browser
    assert browser.errors() == []
    assert browser.requests() == []
