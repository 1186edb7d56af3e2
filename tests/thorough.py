"""Tests that take minutes, or a quiet machine: `make thorough` runs them, `make test` does not."""

import os

import pytest

ASKED = bool(os.environ.get("MEMCURVE_THOROUGH"))

thorough = pytest.mark.skipif(not ASKED, reason="takes minutes: make thorough")
