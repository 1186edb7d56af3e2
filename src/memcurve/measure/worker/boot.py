"""Start the worker in an interpreter that does not have memcurve.

The parent runs this file by its path. It loads the folder under a private name, so that nothing
of the worker can shadow a module of the measured program, and puts the caller's folder where the
script's own would have been on ``sys.path``.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from typing import Any


def load() -> Any:
    here = os.path.dirname(os.path.abspath(__file__))
    name = "_memcurve_worker"
    spec = importlib.util.spec_from_file_location(
        name, os.path.join(here, "__init__.py"), submodule_search_locations=[here]
    )
    assert spec is not None
    assert spec.loader is not None
    package = importlib.util.module_from_spec(spec)
    sys.modules[name] = package
    spec.loader.exec_module(package)
    sys.path[0] = os.getcwd()
    return importlib.import_module(name + ".main")


if __name__ == "__main__":
    load().serve(int(sys.argv[1]), int(sys.argv[2]))
