"""An authority, so that certificates can be issued."""

from tests.certificates.conftest import keys as keys
