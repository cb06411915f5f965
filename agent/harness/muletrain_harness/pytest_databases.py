"""The test databases of pytest-django, made where every adapter makes them: before the first test.

pytest-django makes them in the fixture `django_db_setup`, for the first test that asks for it. That
test would be blamed for the time it takes, and no other pod's work could be used. So an item that
stands for no test asks for the fixture; it stays set up for the whole session.
"""

import contextlib

from .pytest_items import WITHOUT, Skipped, phase
from .replacing import replaced

FIXTURE = "django_db_setup"


class Databases:
    def __init__(self, databases):
        self._databases = databases

    def set_up(self, session, items):
        """As the first test that uses one would have it; what goes wrong, each such test will say."""
        users = [item for item in items if not isinstance(item, Skipped) and phase(item) != WITHOUT]
        if not users or not _has_fixture(session):
            return
        from django.db import connections

        first = users[0]
        with self._databases.being_set_up(connections, None):
            _ask(session, first.parent, first)

    def warm(self, session, conversation):
        """Make all databases of the settings, whatever tests there are, and leave with what they hold."""
        from django.db import connections

        with _of_all_aliases(connections):
            conversation.warm(connections, None, lambda: _ask(session, session, None, swallow=False))


@contextlib.contextmanager
def _of_all_aliases(connections):
    """pytest-django looks at the tests it has collected for the databases they use; here are none."""
    import pytest_django.fixtures as fixtures

    name = "_get_databases_for_setup"
    if not hasattr(fixtures, name):
        yield
        return
    aliases = {alias for alias in connections if connections[alias].vendor != "unknown"}
    with replaced(fixtures, name, lambda items: (aliases, set())):
        yield


def _has_fixture(session):
    if not session.config.pluginmanager.hasplugin("django"):
        return False
    from django.conf import settings

    return settings.configured


def _ask(session, parent, following, swallow=True):
    item = _asking_class().from_parent(parent, name="databases")
    try:
        session._setupstate.setup(item)
    except Exception:
        # The fixture remembers it for every test that asks.
        if not swallow:
            raise
    finally:
        session._setupstate.teardown_exact(following)


def _asking_class():
    import pytest
    from _pytest import fixtures

    request = getattr(fixtures, "TopRequest", fixtures.FixtureRequest)

    class Asking(pytest.Item):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.obj = None
            self.funcargs = {}
            self._fixtureinfo = self.session._fixturemanager.getfixtureinfo(node=self, func=None, cls=None)
            self.fixturenames = []
            self._request = request(self, _ispytest=True)

        def setup(self):
            self._request.getfixturevalue(FIXTURE)

        def runtest(self):
            """Never called: it stands for no test."""

    return Asking
