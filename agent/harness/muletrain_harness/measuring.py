"""Coverage of this process, measured by the project's own `coverage` package and configuration."""

import contextlib
import os

from . import workspace
from .session import Failed

DATA = ".coverage"


@contextlib.contextmanager
def measured(hello):
    """While this lasts; begun before anything of the project is imported.

    Subprocesses that measure themselves, by way of the package's own mechanism, write to the same folder.
    """
    settings = hello.get("coverage")
    if not settings or hello["adapter"] == "coverage":
        yield
        return
    os.environ["COVERAGE_FILE"] = workspace.path(workspace.COVERAGE, DATA)
    before = os.getcwd()
    os.chdir(folder(hello))  # Where the package looks for its configuration, and what paths are relative to.
    coverage = package(settings)(
        data_file=os.environ["COVERAGE_FILE"], data_suffix=True, messages=False, **configuration(settings)
    )
    make_portable(coverage)
    coverage.start()
    os.chdir(before)
    try:
        yield
    finally:
        coverage.stop()
        coverage.save()


def package(settings):
    """The class `Coverage`, as this project has it installed."""
    try:
        from coverage import Coverage
    except ImportError as error:
        raise Failed(
            "coverage is to be measured and there is no package `coverage` beside the project (%s): "
            "add it to what is installed, or leave --coverage out" % error
        )
    return Coverage


def configuration(settings):
    return {"config_file": settings["config"] or True}


def make_portable(coverage):
    """Data of pods fit together although each has a root of its own, and hold nothing of the harness."""
    coverage.set_option("run:relative_files", True)
    omitted = list(coverage.get_option("run:omit") or ())
    coverage.set_option("run:omit", [*omitted, "*/muletrain-*.zip/*"])


def folder(hello):
    """Where the project's configuration is looked for, and what measured files are relative to."""
    manage = hello["suite"].get("manage")
    path = os.path.join(hello["root"], hello["suite"].get("path") or "")
    return os.path.dirname(os.path.join(path, manage)) if manage else path

