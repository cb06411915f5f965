"""The django adapter: the project's own `manage.py test`, its runner subclassed at run time.

Everything the project overrides stays in charge: what the agent and the harness have to say to each
other, they say in methods that Django's flow calls anyway.
"""

import os
import runpy
import sys

from .conversation import Conversation
from .failure import class_name
from .loading import Origins, recorded
from .session import Failed

_conversation = None


def drive(session, hello):
    """Run the `test` command as a user would, from the folder of `manage.py`."""
    global _conversation
    _conversation = Conversation(session, hello)
    suite = hello["suite"]
    manage = suite["manage"] and os.path.join(hello["root"], suite["manage"])
    folder = os.path.dirname(manage) if manage else hello["root"]
    os.chdir(folder)
    sys.path.insert(0, folder)
    sys.argv = ["manage.py", "test", "--testrunner=%s.Runner" % __name__, "--noinput", "--traceback"]
    if suite["settings"]:
        sys.argv.append("--settings=%s" % suite["settings"])
    if manage:
        runpy.run_path(manage, run_name="__main__")
    else:
        from django.core.management import execute_from_command_line

        execute_from_command_line(sys.argv)


def __getattr__(name):
    """`Runner`, which can exist only once Django has loaded the project's settings."""
    if name != "Runner":
        raise AttributeError(name)
    from django.conf import settings
    from django.test.runner import DiscoverRunner
    from django.test.utils import get_runner

    base = get_runner(settings)
    if not (isinstance(base, type) and issubclass(base, DiscoverRunner)):
        raise Failed(
            "TEST_RUNNER is %s, which is not a django.test.runner.DiscoverRunner: "
            "the django adapter drives no other" % settings.TEST_RUNNER
        )
    globals()[name] = _subclass(base, _conversation)
    return globals()[name]


def _subclass(base, conversation):
    from django import get_version
    from django.db import connections

    class Runner(base):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.parallel = 0
            if conversation.seed is not None and hasattr(self, "shuffle"):
                self.shuffle = conversation.seed
                conversation.is_shuffled = True

        def build_suite(self, test_labels=None, *args, **kwargs):
            def find(labels):
                self.parallel = 0
                with recorded(self.test_loader, Origins()) as origins:
                    suite = super(Runner, self).build_suite(labels or test_labels, *args, **kwargs)
                return suite, conversation.survey(suite, origins, self.reorder_by, connections)

            conversation.boot(get_version(), class_name(base))
            return conversation.build_suite(find, self.test_suite)

        def get_databases(self, suite):
            if conversation.is_warming:  # "unknown": what stands for `default` in projects without databases.
                return {alias: False for alias in connections if connections[alias].vendor != "unknown"}
            return super().get_databases(suite)

        def setup_databases(self, *args, **kwargs):
            def set_up():
                return super(Runner, self).setup_databases(*args, **kwargs)

            if conversation.is_warming:
                return conversation.warm(connections, kwargs.get("aliases"), set_up)
            with conversation.databases.being_set_up(connections, kwargs.get("aliases")):
                return set_up()

        def run_checks(self, *args, **kwargs):
            with conversation.checks() as wanted:
                return super().run_checks(*args, **kwargs) if wanted else None

        def run_suite(self, suite, *args, **kwargs):
            return conversation.run_suite(
                suite, lambda granted: super(Runner, self).run_suite(granted, *args, **kwargs)
            )

        def run_tests(self, *args, **kwargs):
            failures = super().run_tests(*args, **kwargs)
            conversation.end()
            return failures

    return Runner
