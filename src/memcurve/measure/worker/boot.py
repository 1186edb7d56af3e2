"""Start the worker in an interpreter that does not have memcurve.

The parent runs this file by its path. It loads the folder under a private name, so that nothing
of the worker can shadow a module of the measured program, and puts the caller's folder where the
script's own would have been on ``sys.path``. Any Python can read this file, so that one that is
too old is told so.
"""

import os
import sys

NEEDED = (3, 8)


def load():  # type: ignore[no-untyped-def]
    """Return the module that serves."""
    import importlib
    import importlib.util

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


def refuse(write_fd, version):  # type: ignore[no-untyped-def]
    """Tell the parent that this interpreter is too old."""
    text = "CPython 3.8 and newer can be measured, and this is %d.%d" % tuple(version[:2])
    line = '{"event": "failed", "stage": "import", "kind": "target", "message": "%s"}\n'
    os.write(write_fd, (line % (text + "; name another one with --python")).encode("ascii"))


if __name__ == "__main__":
    if sys.version_info < NEEDED:
        refuse(int(sys.argv[2]), sys.version_info)  # type: ignore[no-untyped-call]
    else:
        load().serve(int(sys.argv[1]), int(sys.argv[2]))  # type: ignore[no-untyped-call]
