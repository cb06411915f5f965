"""The `coverage` adapter: makes one report of what pods measured, as the project's own package does."""

import base64
import contextlib
import io
import json
import os
import sys
import tarfile
import time

from . import PROTOCOL, measuring, workspace
from .channel import ProtocolError

HTML = "coverage-html.tar"
XML = "coverage.xml"


def drive(session, hello):
    """Instead of a runner: nothing of the project is imported."""
    settings, started = hello["coverage"], time.monotonic()
    os.chdir(measuring.folder(hello))
    sys.path.insert(0, os.getcwd())
    coverage = measuring.package(settings)
    import coverage as package

    session.emit(
        "booted",
        {
            "protocol": PROTOCOL,
            "python": sys.version.split()[0],
            "django": "",
            "runner": "coverage %s" % package.__version__,
            "seconds": time.monotonic() - started,
        },
    )
    session.phase = "collect"
    _receive(session)
    started = time.monotonic()
    with contextlib.redirect_stderr(io.StringIO()) as said:
        fields = _combine(coverage, settings, hello["root"])
    notes = [line for line in said.getvalue().splitlines() if line.strip()]
    session.emit("combined", dict(fields, notes=notes, seconds=time.monotonic() - started))
    command = session.commands.next()
    if command["type"] != "finish":
        raise ProtocolError("%r is not understood after `combine`" % command["type"])
    session.is_over = True


def _receive(session):
    """What pods measured, piece by piece, up to `combine`."""
    while True:
        command = session.commands.next()
        if command["type"] == "combine":
            return
        if command["type"] != "part":
            raise ProtocolError("%r is not understood before `combine`" % command["type"])
        with open(_place(command["name"]), "ab") as file:
            file.write(base64.b64decode(command["data"]))


def _place(name):
    """The package takes every file that begins like its own."""
    return workspace.path(workspace.OWN, "%s.%s" % (measuring.DATA, name.replace("/", ".")))


def _combine(coverage, settings, root):
    data = workspace.path(workspace.OWN)
    files = sorted(os.path.join(data, name) for name in os.listdir(data))
    combined = coverage(data_file=os.path.join(data, measuring.DATA), **measuring.configuration(settings))
    measuring.make_portable(combined)
    paths = dict(combined.get_option("paths") or {})
    # Subprocesses may have written whole paths; those of this pod's root are the project's own.
    combined.set_option("paths", dict(paths, muletrain=["", os.path.join(root, "")]))
    combined.combine(files, strict=True)
    combined.save()
    totals = _totals(combined)
    if settings["xml"]:
        combined.xml_report(outfile=workspace.path(workspace.REPORT, XML))
    if settings["html"]:
        _write_html(combined)
    return dict(totals, files=len(files))


def _totals(combined):
    place = workspace.path(workspace.OWN, "totals.json")
    combined.json_report(outfile=place)
    with open(place) as file:
        totals = json.load(file)["totals"]
    demanded = combined.get_option("report:fail_under") or 0
    percent = totals["percent_covered_display"]
    is_short = demanded and round(totals["percent_covered"], combined.get_option("report:precision")) < demanded
    return {
        "statements": totals["num_statements"],
        "missing": totals["missing_lines"],
        "branches": totals.get("num_branches", 0),
        "missing_branches": totals.get("missing_branches", 0),
        "percent": percent,
        "demanded": "%g" % demanded if is_short else None,
    }


def _write_html(combined):
    folder = workspace.path(workspace.OWN, "html")
    combined.html_report(directory=folder)
    with tarfile.open(workspace.path(workspace.REPORT, HTML), "w") as archive:
        archive.add(folder, arcname="coverage-html")
