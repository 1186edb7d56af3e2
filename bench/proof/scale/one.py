"""One check in a process of its own: prints its rows and the height of its highest one as JSON."""

import json
import sys

import memcurve


def main() -> None:
    target, calls = sys.argv[1], int(sys.argv[2])
    checked = memcurve.check(target, calls=calls, explain=False)
    settled = checked.recording.of("settled")
    assert settled is not None
    live = settled.samples.curve("live_bytes")
    print(json.dumps({"rows": len(live), "highest": max(live.values) - live.values[0]}))


if __name__ == "__main__":
    main()
