"""`db`: a connection on which each statement commits."""

from tests.client.conftest import db  # noqa: F401  # a fixture
