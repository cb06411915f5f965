"""The unittest adapter: `python -m unittest discover`, for projects without Django."""

import argparse
import os
import sys
import unittest

from .conversation import Conversation
from .failure import class_name
from .hooks import Nowhere
from .loading import Origins, recorded
from .places import locate
from .session import Failed


def drive(session, hello):
    """Discover and run as a user would, in the suite's folder."""
    suite = hello["suite"]
    folder = os.path.normpath(os.path.join(hello["root"], suite["path"]))
    os.chdir(folder)
    sys.path.insert(0, folder)
    sys.argv = ["python -m unittest", "discover", *suite["arguments"]]
    finder = Finder(suite["arguments"])
    runner = unittest.TextTestRunner(stream=Nowhere(), verbosity=0)
    conversation = Conversation(session, hello)
    conversation.boot("", class_name(unittest.TextTestRunner))

    def find(labels):
        loader = unittest.TestLoader()
        with recorded(loader, Origins()) as origins:
            found = finder.find(loader, labels)
        return found, conversation.survey(found, origins, (), ())

    tests = conversation.build_suite(find, unittest.TestSuite)
    conversation.run_suite(tests, runner.run)
    conversation.end()


class Finder:
    """What `discover` would find, or what is named."""

    def __init__(self, arguments):
        parser = argparse.ArgumentParser(prog="arguments", add_help=False)
        parser.error = _refuse
        parser.add_argument("-s", "--start-directory", dest="start", default=".")
        parser.add_argument("-p", "--pattern", default="test*.py")
        parser.add_argument("-t", "--top-level-directory", dest="top")
        self._options = parser.parse_args(arguments)
        top = os.path.abspath(self._options.top or self._options.start)
        if top not in sys.path:
            sys.path.insert(0, top)

    def find(self, loader, labels):
        if not labels:
            return self._discover(loader, self._options.start)
        found = [self._named(loader, label) for label in labels]
        return loader.suiteClass(found)

    def _named(self, loader, label):
        """A package means all of it, as for Django's runner; anything else is a name of Python."""
        dotted, file = locate(label)
        if dotted == label and file is not None and os.path.basename(file) == "__init__.py":
            return self._discover(loader, os.path.dirname(file))
        return loader.loadTestsFromName(label)

    def _discover(self, loader, start):
        loader._top_level_dir = None  # Left over from the last call, in Python before 3.13.
        return loader.discover(start, self._options.pattern, self._options.top or self._options.start)


def _refuse(message):
    raise Failed("arguments of a unittest suite are -s, -p and -t, as `unittest discover` has them: %s" % message)
