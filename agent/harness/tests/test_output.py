"""What tests print: kept for each of them, bounded, and never in the way of events."""

import pytest
from pod import Pod
from project import Project

TESTS = """
    import ctypes, logging, multiprocessing, os, subprocess, sys, unittest

    class Prints(unittest.TestCase):
        def test_a_python(self):
            print("to stdout")
            print("to stderr", file=sys.stderr)
            sys.stdout.write("no newline")

        def test_b_descriptors(self):
            os.write(1, b"one ")
            os.write(2, b"two ")

        def test_c_subprocess(self):
            subprocess.run(["sh", "-c", "echo child; echo error >&2"], check=True)

        def test_d_c_code(self):
            ctypes.CDLL(None).puts(b"from C")

        def test_e_fork(self):
            child = multiprocessing.get_context("fork").Process(target=print, args=("forked",))
            child.start()
            child.join()

        def test_f_silent(self):
            pass

        def test_g_much(self):
            os.write(1, b"head" + b"x" * 100_000 + b"tail")

        def test_h_bytes(self):
            os.write(1, b"caf\\xe9 \\xc3\\xa9\\n")

        def test_i_reads_nothing(self):
            self.assertEqual(sys.stdin.read(), "")

        def test_j_closed_stream(self):
            stream, sys.stdout = sys.stdout, open(os.devnull, "w")
            sys.stdout.close()
            self.addCleanup(setattr, sys, "stdout", stream)

        def test_k_descriptors_are_not_inherited(self):
            script = "import os; print(max(int(fd) for fd in os.listdir('/proc/self/fd')) < 100)"
            run = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, close_fds=False)
            self.assertEqual(run.stdout, b"True\\n")

        def test_l_closes_what_it_did_not_open(self):
            os.closerange(3, 200)

        def test_m_closes_what_everybody_has(self):
            os.closerange(0, 21)

        def test_n_prints_after_that(self):
            self.assertEqual(os.read(0, 1), b"")
            print("still heard")
            subprocess.run(["echo", "so is this"])
"""


@pytest.fixture(scope="module")
def pod(tmp_path_factory):
    project = Project(tmp_path_factory.mktemp("output"))
    project.write("shop/tests.py", TESTS)
    with Pod(project) as pod:
        yield pod.whole(output_limit=1000)


@pytest.mark.parametrize(
    "name, output",
    [
        ("test_a_python", "to stdout\nto stderr\nno newline"),
        ("test_b_descriptors", "one two "),
        ("test_c_subprocess", "child\nerror\n"),
        ("test_d_c_code", "from C\n"),
        ("test_e_fork", "forked\n"),
        ("test_f_silent", ""),
        ("test_h_bytes", "caf\ufffd é\n"),
        ("test_n_prints_after_that", "still heard\nso is this\n"),
    ],
)
def test_prints_are_kept_with_their_test(pod, name, output):
    finished = pod.finished(name)
    assert (finished["output"], finished["output_omitted"]) == (output, 0)
    assert finished["verdict"] == "passed"


def test_much_output_keeps_its_two_ends(pod):
    finished = pod.finished("test_g_much")
    assert finished["output_omitted"] == 100_008 - 1000
    assert finished["output"].startswith("headxxx") and finished["output"].endswith("xxxtail")
    assert "[99008 bytes left out]" in finished["output"]


@pytest.mark.parametrize(
    "name",
    [
        "test_i_reads_nothing",
        "test_j_closed_stream",
        "test_k_descriptors_are_not_inherited",
        "test_l_closes_what_it_did_not_open",
        "test_m_closes_what_everybody_has",
    ],
)
def test_the_surroundings_of_a_test(pod, name):
    assert (pod.finished(name)["verdict"], pod.finished(name)["failures"]) == ("passed", [])
