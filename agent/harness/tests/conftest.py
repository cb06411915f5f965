"""What the harness's tests share."""

import pytest
from pod import Pod
from project import Project


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)


@pytest.fixture
def pod(project):
    with Pod(project) as pod:
        yield pod
