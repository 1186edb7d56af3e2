"""What a measurement may do next; who decides it (judge) and who does it (measure) never meet."""

import msgspec


class Calls(msgspec.Struct, frozen=True, kw_only=True):
    """Run on up to call number `to`."""

    to: int


class Verify(msgspec.Struct, frozen=True, kw_only=True):
    """Give what was frozen back to the collector, settle patiently and compare."""


class Finish(msgspec.Struct, frozen=True, kw_only=True):
    """Tear down: the pass has shown what it can."""


class Survey(msgspec.Struct, frozen=True, kw_only=True):
    """Run one stage of a pass that explains; what it finds is `surveys[stage]` of the record."""

    stage: str
    options: dict[str, object] = {}


Step = Calls | Verify | Survey | Finish
