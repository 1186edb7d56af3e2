"""Write the table and the pictures of docs/verdicts.md from the code: `make rules`."""

import ast
from collections.abc import Iterator
from pathlib import Path

from memcurve.judge.growth import read_curve
from memcurve.judge.limits import Limits
from memcurve.model import thresholds
from memcurve.model.thresholds import Thresholds
from tests.memcurve.rule_examples import EXAMPLES, Example

DOCS = Path(__file__).parents[2] / "docs"
PAGE, PICTURES = DOCS / "verdicts.md", DOCS / "pictures"
BEGIN, END = "<!-- figures: make rules -->\n", "<!-- end of the figures -->\n"
INCHES = (4.2, 1.5)


def table() -> str:
    """Return the table of all numbers of the judge, in the order of the file that has them."""
    lines = ["| number | default | what it is, and where it comes from |", "|---|--:|---|"]
    lines += [f"| `{name}` | {value} | {words} |" for name, value, words in figures()]
    return "\n".join(lines) + "\n"


def figures() -> Iterator[tuple[str, str, str]]:
    """Yield (name, default, words) of every number, those of a rule as ``rule.name``."""
    tree = ast.parse(Path(str(thresholds.__file__)).read_text(encoding="utf-8"))
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    own = Thresholds()
    for name, words in _fields(classes["Thresholds"]):
        yield name, _shown(getattr(own, name)), words
    for group in (field for field in Thresholds.__struct_fields__ if _is_group(own, field)):
        rule = getattr(own, group)
        for name, words in _fields(classes[type(rule).__name__]):
            yield f"{group}.{name}", _shown(getattr(rule, name)), words


def _is_group(own: Thresholds, field: str) -> bool:
    return type(getattr(own, field)).__module__ == thresholds.__name__


def _fields(node: ast.ClassDef) -> Iterator[tuple[str, str]]:
    """Yield each field that has words of its own after it."""
    for field, words in zip(node.body, node.body[1:], strict=False):
        if not isinstance(field, ast.AnnAssign) or not isinstance(field.target, ast.Name):
            continue
        if isinstance(words, ast.Expr) and isinstance(words.value, ast.Constant):
            yield field.target.id, " ".join(str(words.value.value).split())


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(_shown(one) for one in value)
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def page_with(text: str) -> str:
    """Return the page with this table in its place."""
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{text}\n{END}{after}"


def draw(name: str, example: Example) -> None:
    """Draw one rule: the curve, and the tail that it was read by."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    curve = example.maker.make()
    reading = read_curve(curve, Limits.of_bytes(Thresholds()))
    with mpl.rc_context({"svg.hashsalt": name, "svg.fonttype": "none", "font.size": 8}):
        figure = Figure(figsize=INCHES, layout="constrained")
        axes = figure.subplots()
        axes.plot(curve.calls, [value / 1024 for value in curve.values], color="#3b6ea5", lw=0.9)
        if reading.trend is not None:
            axes.axvspan(reading.trend.from_call, reading.trend.to_call, color="#3b6ea5", alpha=0.1)
        axes.set_title(f"{reading.shape}: {example.caption}", loc="left", fontsize=8)
        axes.set_ylabel("KiB")
        axes.spines[["top", "right"]].set_visible(False)
        figure.savefig(PICTURES / f"rule-{name}.svg", metadata={"Date": None})


if __name__ == "__main__":
    PICTURES.mkdir(exist_ok=True)
    for key, one in EXAMPLES.items():
        draw(key, one)
    PAGE.write_text(page_with(table()), encoding="utf-8")
    print(f"rules: {len(EXAMPLES)} pictures, {len(list(figures()))} numbers")
