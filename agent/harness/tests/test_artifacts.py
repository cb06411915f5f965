"""Files taken out of a pod: which, how much of each, and from where not."""

import base64
import os

import pytest
from pod import Pod
from test_endings import ONE_TEST


def take(project, body, *globs, limit=1 << 20, total_limit=10 << 20):
    """What a pod gives whose test runs `body`, by name: its last piece, with all of its bytes as `content`."""
    project.write("shop/tests.py", ONE_TEST % body)
    with Pod(project) as pod:
        pod.whole(artifacts={"globs": globs, "limit": limit, "total_limit": total_limit})
        pod.rest()
    files, content = {}, {}
    for event in pod.of("artifact"):
        name = event["name"]
        content[name] = content.get(name, b"") + base64.b64decode(event["data"])
        files[name] = dict(event, content=content[name])
    files[None] = pod
    return files


WRITE = "import pathlib; p = pathlib.Path; w = os.environ['WORKSPACE']; "


def test_files_below_the_root_and_the_workspace_are_taken_whole(project):
    body = WRITE + "os.makedirs('shots/a/b'); p('shots/a/b/1.png').write_bytes(b'x' * 500_000); p(w, 'out.log').write_text('hi')"
    files = take(project, body, "shots/**", "*.log")
    assert files["shots/a/b/1.png"]["content"] == b"x" * 500_000
    assert files["out.log"]["content"] == b"hi" and files["out.log"]["size"] == 2
    assert files[None].events[-1]["type"] == "closed", "the sentinel comes after them"


def test_those_of_a_crashed_process_too(project):
    files = take(project, WRITE + "p('last.log').write_text('words'); os.abort()", "*.log")
    assert files["last.log"]["content"] == b"words"
    assert files[None].one("exited")["signal"] == 6


def test_what_the_pod_began_with_is_not_taken(project):
    project.write("logs/old.txt", "old")
    os.utime(project.root / "logs/old.txt")
    files = take(project, WRITE + "p('logs/new.txt').write_text('new')", "logs/*.txt")
    assert sorted(name for name in files if name) == ["logs/new.txt"]


def test_what_is_beyond_a_limit_is_cut_off_or_left_out_and_stated(project):
    body = WRITE + "p('a.log').write_bytes(b'a' * 100); p('b.log').write_bytes(b'b' * 900); p('c.log').write_bytes(b'c' * 900)"
    files = take(project, body, "*.log", limit=500, total_limit=700)
    assert files["a.log"]["omitted"] == 0
    assert (files["b.log"]["content"], files["b.log"]["omitted"], files["b.log"]["size"]) == (b"b" * 500, 400, 900)
    assert files["c.log"]["lost"] == "the pod has given as many bytes as it may"


def test_there_may_be_so_many_of_them(project):
    files = take(project, WRITE + "[p(str(n).zfill(4) + '.log').touch() for n in range(1003)]", "*.log")
    assert "3 files are left out" in files["1000.log"]["lost"] and "1001.log" not in files


@pytest.mark.parametrize(
    "body, glob",
    [
        ("os.symlink('/etc/passwd', 'shot.png')", "*.png"),
        ("os.symlink('/etc', 'shots')", "shots/*"),
        ("os.symlink('/etc', 'shots')", "shots/**"),
        ("os.mkdir('shots'); os.symlink('/etc', 'shots/etc')", "**/passwd"),
        ("os.mkfifo('shot.png')", "*.png"),
        ("pass", "../*"),
        ("pass", "shop/../../*"),
    ],
)
def test_nothing_leads_out_of_the_project(project, body, glob):
    assert list(take(project, body, glob)) == [None]


def test_an_absolute_glob_names_files_of_the_pod(project, tmp_path_factory):
    folder = tmp_path_factory.mktemp("elsewhere")
    body = WRITE + "p(%r).write_text('there')" % str(folder / "app.log")
    files = take(project, body, str(folder / "*.log"))
    assert files[str(folder / "app.log").strip("/")]["content"] == b"there"


@pytest.mark.parametrize(
    "glob, names",
    [
        ("*.log", ["a.log"]),
        ("**/*.log", ["a.log", "x/b.log", "x/y/c.log"]),
        ("x/**", ["x/b.log", "x/y/c.log", "x/y/d[1].txt"]),
        ("x/?.log", ["x/b.log"]),
        ("x/y/[!c].log", []),
        ("x/*/[cd]*", ["x/y/c.log", "x/y/d[1].txt"]),
        ("x/y/d[[]1].txt", ["x/y/d[1].txt"]),
    ],
)
def test_globs_mean_what_they_mean_elsewhere(project, glob, names):
    body = WRITE + "os.makedirs('x/y'); [p(n).touch() for n in ('a.log', 'x/b.log', 'x/y/c.log', 'x/y/d[1].txt')]"
    assert sorted(name for name in take(project, body, glob) if name) == names
