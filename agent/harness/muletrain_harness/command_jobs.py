"""Jobs of a command, and the cases of their results, as an inventory."""

from .inventory import Entry, Inventory, Unique

SEPARATOR = "::"


class Jobs:
    """Stands where the suite of unittest stands elsewhere."""

    _tests = ()


class Job:
    def __init__(self, name):
        self.name = name


class JobEntry(Entry):
    """`frontend`, or `frontend::src/cart.test.js` where a command lists several jobs."""

    def __init__(self, job, suite, app):
        id = SEPARATOR.join(name for name in (suite["name"], job.name) if name)
        super().__init__(id, job, JobGroup(id, app, job.name or suite["name"], suite["path"]))

    @property
    def unit(self):
        return self.group

    def as_fields(self):
        return {"id": self.id, "tags": []}

    def take_test(self):
        return self.test


class JobGroup:
    def __init__(self, id, app, label, path):
        self.id = id
        self.app = app
        self._label = label
        self._path = path

    def as_fields(self):
        return {
            "id": self.id,
            "app": self.app,
            "module": self._label,
            "file": self._path,
            "line": None,
            "phase": 0,
            "whole_module": False,
            "tags": [],
            "databases": [],
            "bases": [],
        }


class JobInventory(Inventory):
    def __init__(self, entries):
        super().__init__(entries, [])
        self._ids = {entry.id for entry in entries}

    def runs(self, id):
        """A case runs with its job: the longest id that it begins with."""
        while id not in self._ids and SEPARATOR in id:
            id = id.rpartition(SEPARATOR)[0]
        return id


def found(entry, cases):
    """The cases of a job as an inventory; from here on they have ids."""
    ids, classes = Unique(entry.id + SEPARATOR), {}
    for case in cases:
        case.id = ids.make(case.classname + SEPARATOR + case.name)
        classes.setdefault(case.classname, []).append(case)
    fields = [
        dict(
            entry.group.as_fields(),
            id=entry.id + SEPARATOR + classname,
            file=members[0].file,
            line=members[0].line,
            tests=[{"id": case.id, "tags": []} for case in members],
        )
        for classname, members in classes.items()
    ]
    return {"classes": fields, "errors": []}
