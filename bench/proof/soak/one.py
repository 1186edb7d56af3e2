"""One check in a process of its own; its last word is the verdict's name."""

import argparse

import memcurve
from bench.proof.soak import workloads
from memcurve.model.verdict import name_of


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("function")
    parser.add_argument("--fork", action="store_true")
    parser.add_argument("--python")
    options = parser.parse_args()
    function = getattr(workloads, options.function)
    target = f"{workloads.__file__}:{options.function}"
    checked = (
        memcurve.check(function, isolation="fork", explain=False)
        if options.fork
        else memcurve.check(target, python=options.python, explain=False)
    )
    print(name_of(checked.verdict))


if __name__ == "__main__":
    main()
