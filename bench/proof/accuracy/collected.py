"""Count what one target leaves to the collector, by the plainest way there is.

Run by path, as a script, with nothing but the standard library and PYTHONMALLOC=malloc:
    collected.py FILE:FUNCTION CALLS
Prints the objects and the bytes of malloc that `gc.disable()`, the calls and `gc.collect()` find.
"""

import ctypes
import gc
import runpy
import sys

_NAMES = ["arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks"]
_NAMES += ["fordblks", "keepcost"]


class _Mallinfo(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in _NAMES]


def main(target, calls):
    path, name = target.rsplit(":", 1)
    call = runpy.run_path(path, run_name="cycles")[name]
    libc = ctypes.CDLL(None)
    libc.mallinfo2.restype = _Mallinfo
    for _ in range(20):
        call()
    gc.collect()
    gc.disable()
    for _ in range(calls):
        call()
    before = libc.mallinfo2()
    objects = gc.collect()
    after = libc.mallinfo2()
    freed = before.uordblks + before.hblkhd - after.uordblks - after.hblkhd
    print(objects / calls, freed / calls)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
