"""The command adapter: jobs in any language, and results from the JUnit XML that they write."""

import pytest
from pod import Pod

REPORT = """<?xml version="1.0"?>
<testsuites><testsuite name="cart">
  <testcase classname="Cart" name="adds" time="0.25" file="src/cart.test.js" line="3"/>
  <testcase classname="Cart" name="removes" time="1,000.5"><failure type="Error" message="no &lt;item&gt;">at cart.js:3</failure><system-out>emptied</system-out></testcase>
  <testcase classname="Cart" name="weighs"><skipped message="no scales"/></testcase>
  <testcase classname="Pay" name="pays"><error>boom</error></testcase>
  <testcase classname="Pay" name="pays"/>
</testsuite></testsuites>
"""


def run(bare, app="frontend", **suite):
    bare.apps = [{"label": "frontend", "path": ""}]
    with Pod(bare) as pod:
        pod.whole(app, adapter="command", name="frontend", other="frontend", **suite)
        assert pod.ended() == 0
    return pod


def verdicts(pod):
    return {event["test"]: event["verdict"] for event in pod.of("finished")}


def outputs(pod):
    return {event["test"]: event["output"] for event in pod.of("finished")}


def only_failure(pod, test="frontend"):
    (event,) = [event for event in pod.of("finished") if event["test"] == test]
    (failure,) = event["failures"]
    return event, failure["message"]


def test_what_a_command_reports_are_tests_beside_its_job(bare):
    (bare.root / "report").write_text(REPORT)
    pod = run(bare, command="echo running $TEST; cp report junit.xml; exit 1", junit=["junit.xml"])
    assert verdicts(pod) == {
        "frontend": "failed",
        "frontend::Cart::adds": "passed",
        "frontend::Cart::removes": "failed",
        "frontend::Cart::weighs": "skipped",
        "frontend::Pay::pays": "error",
        "frontend::Pay::pays#2": "passed",
    }
    kinds = [event["type"] for event in pod.events]
    assert kinds.index("found") < kinds.index("finished"), "no result of a test that is not known"
    cart, pay = pod.one("found")["inventory"]["classes"]
    assert (cart["id"], cart["app"], cart["module"]) == ("frontend::Cart", "frontend", "frontend")
    assert (cart["file"], cart["line"], len(pay["tests"])) == ("src/cart.test.js", 3, 2)
    by_id = {event["test"]: event for event in pod.of("finished")}
    failed = by_id["frontend::Cart::removes"]
    assert (failed["seconds"], failed["output"]) == (1000.5, "emptied")
    assert (failed["failures"][0]["exception"], failed["failures"][0]["message"]) == ("Error", "no <item>")
    assert failed["failures"][0]["traceback"] == "at cart.js:3"
    assert by_id["frontend::Cart::weighs"]["reason"] == "no scales"
    assert by_id["frontend"]["output"] == "running\n"
    assert by_id["frontend"]["failures"][0]["message"] == "the command ended with exit code 1"
    assert pod.one("closed")["tests"] == 6


def test_a_command_that_ends_well_and_wrote_what_it_promised_passed(bare):
    green = '<testsuite><testcase classname="A" name="a"/></testsuite>'
    pod = run(bare, command="mkdir -p out/deep; echo '%s' > out/deep/r.xml" % green, junit=["out/**/*.xml"])
    assert verdicts(pod) == {"frontend": "passed", "frontend::A::a": "passed"}
    assert verdicts(run(bare, command="true")) == {"frontend": "passed"}, "it promised nothing"


def test_an_exit_code_counts_even_where_all_it_reports_is_green(bare):
    green = '<testsuite><testcase classname="A" name="a"/></testsuite>'
    pod = run(bare, command="echo '%s' > r.xml; exit 3" % green, junit=["r.xml"])
    assert verdicts(pod) == {"frontend": "failed", "frontend::A::a": "passed"}


def test_a_report_that_was_there_before_or_is_not_written_is_none(bare):
    (bare.root / "junit.xml").write_text(REPORT)
    event, message = only_failure(run(bare, command="echo fine", junit=["junit.xml", "more/*.xml"]))
    assert event["verdict"] == "failed" and event["output"] == "fine\n"
    assert message == "the command wrote no file that matches junit.xml, more/*.xml"


@pytest.mark.parametrize(
    "text, problem",
    [
        ("<html></html>", "its root is <html>"),
        ("not xml", "syntax error"),
        ("<testsuite><testcase name='a'/>", "no element found"),
        ("<!DOCTYPE a [<!ENTITY b 'c'>]><testsuite/>", "declares the entity b"),
        ("", "no element found"),
    ],
)
def test_a_report_that_cannot_be_read_makes_its_job_red(bare, text, problem):
    (bare.root / "report").write_text(text)
    pod = run(bare, command="cp report junit.xml", junit=["*.xml"])
    (event,) = [event for event in pod.of("finished") if event["test"] == "frontend"]
    assert event["verdict"] == "error"
    assert problem in event["failures"][0]["message"] and "junit.xml" in event["failures"][0]["message"]


def test_what_is_complete_in_a_broken_report_is_kept(bare):
    (bare.root / "report").write_text("<testsuite><testcase classname='A' name='a'/><testcase name='b'")
    pod = run(bare, command="cp report junit.xml", junit=["*.xml"])
    assert verdicts(pod) == {"frontend": "error", "frontend::A::a": "passed"}


def test_each_job_that_is_listed_runs_with_its_name_and_its_pods_variables(bare):
    command = 'echo "$BUILD_ID $TEST"; test -d "$WORKSPACE" && echo "$TEST" > "$WORKSPACE/$TEST"'
    pod = run(bare, command=command, list="printf 'cart\\n\\npay\\ncart\\n'")
    assert verdicts(pod) == {"frontend::cart": "passed", "frontend::pay": "passed"}
    assert outputs(pod)["frontend::pay"] == "run-1 pay\n"


def test_jobs_can_be_asked_for_by_name_and_by_what_they_found(bare):
    bare.apps = [{"label": "frontend", "path": ""}]
    suite = dict(adapter="command", name="frontend", other="frontend", list="printf 'cart\\npay\\n'")
    with Pod(bare) as pod:
        pod.hello(command="true", **suite)
        ids = [found["id"] for found in pod.collect()["classes"]]
        assert ids == ["frontend::cart", "frontend::pay"]
        for label in ("pay", "frontend::pay"):
            assert [found["module"] for found in pod.collect(label)["classes"]] == ["pay"]
        pod.finish()
    case = "frontend::pay::Pay::pays"
    with Pod(bare) as pod:
        pod.hello(command="true", **suite)
        pod.assign("frontend", ["pay"], [case])
        assert pod.one("planned")["missing"] == [], "a case runs with its job"
        pod.run([{"id": case, "try": 2}])
        pod.finish()
    assert [(event["test"], event["try"]) for event in pod.of("finished")] == [("frontend::pay", 2)]


def test_a_list_that_cannot_be_had_is_said(bare):
    with Pod(bare) as pod:
        pod.hello(adapter="command", name="frontend", command="true", list="echo no such file; exit 2")
        pod.send("collect", labels=[])
        failed = pod.until("failed")
    assert failed["phase"] == "collect"
    assert failed["failures"][0]["message"] == "the command that lists the jobs of frontend ended with exit code 2"


def test_a_command_ended_by_a_signal_says_so(bare):
    event, message = only_failure(run(bare, command="kill -9 $$"))
    assert (event["verdict"], message) == ("failed", "the command ended with SIGKILL")


def test_a_time_limit_ends_a_command_and_all_it_started(bare):
    with Pod(bare) as pod:
        pod.whole("(other)", adapter="command", name="slow", command="echo begun; sleep 60 & wait", test_timeout=0.5)
        assert pod.ended() == 1
    timed_out = pod.one("timed_out")
    assert (timed_out["test"], timed_out["output"]) == ("slow", "begun\n")
