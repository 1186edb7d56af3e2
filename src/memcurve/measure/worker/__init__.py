"""Measure a callable from inside its own process.

This package stands alone: standard library only, CPython 3.8 and newer, relative imports only, so
that any interpreter can run it from its folder (see ``boot.py``) without memcurve installed there.
"""
