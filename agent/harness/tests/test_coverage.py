"""Coverage measured in pods and combined in another: the same as that of a serial run."""

import base64
import json
import os
import subprocess
import sys
import tarfile

from pod import Pod

CONFIGURATION = "[run]\nbranch = true\nsource = shop, conf\n"

CODE = """
    def price(amount, member):
        if member:
            return amount * 0.9
        return amount

    def never():
        return 1
"""

TESTS = """
    import os, unittest
    from shop.prices import price

    class Members(unittest.TestCase):
        def test_pay_less(self):
            self.assertEqual(price(10, True), 9)

    class Guests(unittest.TestCase):
        def test_pay_all(self):
            self.assertEqual(price(10, False), 10)
"""

WANTED = {"config": None, "xml": True, "html": True}


def prepare(project):
    project.write(".coveragerc", CONFIGURATION)
    project.write("shop/prices.py", CODE)
    project.write("shop/tests.py", TESTS)


def measure(project, *tests):
    with Pod(project) as pod:
        pod.hello(coverage=WANTED)
        pod.assign(tests=tests)
        pod.run()
        pod.finish()
        pod.rest()
    return [event for event in pod.of("artifact") if event["kind"] == "coverage"]


def combine(project, parts, **changes):
    with Pod(project) as pod:
        pod.hello(adapter="coverage", coverage=dict(WANTED, **changes))
        for number, part in enumerate(parts):
            pod.send("part", name="%d/%s" % (number, part["name"]), data=part["data"], last=True)
        pod.send("combine")
        pod.until("combined")
        pod.finish()
        pod.rest()
    return pod


def serial_totals(project):
    environment = dict(os.environ, COVERAGE_FILE=str(project.root / ".coverage.serial"))
    for arguments in (["run", "manage.py", "test"], ["json", "-o", "serial.json"]):
        command = [sys.executable, "-m", "coverage", *arguments]
        subprocess.run(command, cwd=project.root, env=environment, check=True, stderr=subprocess.PIPE)
    return json.loads((project.root / "serial.json").read_text())["totals"]


def test_two_pods_together_are_a_serial_run(project):
    prepare(project)
    parts = measure(project, "shop.tests.Members.test_pay_less") + measure(project, "shop.tests.Guests.test_pay_all")
    assert len({part["name"] for part in parts}) == len(parts) == 2
    pod = combine(project, parts)
    combined, totals = pod.one("combined"), serial_totals(project)
    assert combined["files"] == 2
    assert (combined["statements"], combined["missing"]) == (totals["num_statements"], totals["missing_lines"])
    assert (combined["branches"], combined["missing_branches"]) == (totals["num_branches"], totals["missing_branches"])
    assert combined["percent"] == totals["percent_covered_display"] and combined["demanded"] is None
    names = [event["name"] for event in pod.of("artifact")]
    assert sorted(set(names)) == ["coverage-html.tar", "coverage.xml"]
    assert pod.events[-1]["type"] == "closed"


def test_only_what_is_wanted_is_written(project):
    prepare(project)
    pod = combine(project, measure(project, "shop.tests.Members.test_pay_less"), html=False, xml=False)
    assert pod.of("artifact") == []


def test_what_the_projects_configuration_demands_is_told(project):
    prepare(project)
    project.append(".coveragerc", "[report]\nfail_under = 99\n")
    pod = combine(project, measure(project, "shop.tests.Members.test_pay_less"))
    assert pod.one("combined")["demanded"] == "99"


def test_a_crash_leaves_no_data_and_a_half_written_file_is_stated(project):
    project.write("shop/tests.py", "import os, unittest\nclass C(unittest.TestCase):\n    def test(self): open(os.environ['COVERAGE_FILE'] + '.1', 'w').close(); os.abort()\n")
    with Pod(project) as pod:
        pod.whole(coverage=WANTED)
        pod.rest()
    (part,) = pod.of("artifact")
    assert part["lost"] == "it is empty: its process died before it could write"


def test_without_the_package_nothing_is_run(project, tmp_path):
    prepare(project)
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden" / "coverage.py").write_text("raise ImportError('not installed')\n")
    with Pod(project, env={"PYTHONPATH": str(tmp_path / "hidden")}) as pod:
        pod.hello(coverage=WANTED)
        failed = pod.one("failed")
    assert failed["phase"] == "boot"
    assert "there is no package `coverage` beside the project" in failed["failures"][0]["message"]


def test_processes_that_measure_themselves_count(project):
    prepare(project)
    project.append(".coveragerc", "parallel = true\n")
    script = "import coverage; coverage.process_startup(); from shop.prices import never; never()"
    test = "import os, subprocess, sys, unittest\nclass S(unittest.TestCase):\n    def test(self): subprocess.run([sys.executable, '-c', %r], check=True, env=dict(os.environ, COVERAGE_PROCESS_START='.coveragerc'))\n"
    project.write("shop/tests.py", test % script)
    parts = measure(project, "shop.tests.S.test")
    assert len(parts) == 2
    project.append(".coveragerc", "[html]\ntitle = shop\n")
    pod = combine(project, parts)
    archive = b"".join(base64.b64decode(e["data"]) for e in pod.of("artifact") if e["name"].endswith("tar"))
    (project.root / "html.tar").write_bytes(archive)
    with tarfile.open(project.root / "html.tar") as html:
        assert "coverage-html/index.html" in html.getnames()
    assert pod.one("combined")["missing"] == 3, "all of price, and nothing of never"
