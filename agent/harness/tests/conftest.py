"""What the harness's tests share.

They run with pytest, from a virtual environment with `requirements.txt`, under any Python and Django
that the harness supports.
"""

import pytest
from pod import Pod
from project import Bare, Project


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)


@pytest.fixture
def bare(tmp_path):
    return Bare(tmp_path)


@pytest.fixture
def pod(project):
    with Pod(project) as pod:
        yield pod
