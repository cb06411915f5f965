"""Python's warnings: told once each, counted, and still printed."""

from pod import Pod

TESTS = """
    import unittest, warnings

    class Old(DeprecationWarning):
        pass

    def old(text="use new"):
        warnings.warn(text, UserWarning, stacklevel=2)

    class Warns(unittest.TestCase):
        def test_a_warns(self):
            old()

        def test_b_warns_elsewhere(self):
            old()

        def test_c_is_hidden_as_in_a_serial_run(self):
            warnings.warn("hidden", Old)

        def test_d_is_recorded(self):
            with self.assertWarns(UserWarning):
                old()

        def test_e_often(self):
            with warnings.catch_warnings():
                warnings.simplefilter("always")
                for number in range(300):
                    warnings.warn("number %d" % (number % 250))
"""


def test_warnings_are_told_once_each_at_the_end(project):
    project.write("shop/tests.py", TESTS)
    with Pod(project) as pod:
        pod.whole()
    told = pod.one("warnings")
    assert pod.events.index(told) == len(pod.events) - 2
    first, second, *others = told["warnings"]
    assert (first["category"], first["message"], first["file"], first["count"]) == ("UserWarning", "use new", "shop/tests.py", 1)
    assert second["line"] == first["line"] + 3
    assert len(others) == 198 and others[0]["count"] == 2
    assert told["omitted"] == 52
    assert "UserWarning: use new" in pod.finished("test_a_warns")["output"]


def test_nothing_is_told_where_there_are_none(project):
    project.write("shop/tests.py", "import unittest\nclass T(unittest.TestCase):\n    def test(self): pass\n")
    with Pod(project) as pod:
        assert pod.whole().of("warnings") == []
