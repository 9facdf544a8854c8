"""The accuracy report as one HTML page with its pictures inside: to look at, to keep, to send to somebody."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from keywright import __version__
from keywright.errors import KeywrightError, reason
from keywright.learning.evaluation import CurvePoint, Evaluation, ReliabilityBin

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LEAST_SHOWN = 0.02  # confidences below this say nothing in the precision-recall curve
_INK, _ACCENT, _PALE = "#1d1d1f", "#0a66c2", "#9aa7b4"


def write_report(evaluation: Evaluation, source: str, file: Path) -> None:
    """Write the page. Raises ``KeywrightError`` where matplotlib is not installed or the file cannot be written."""
    page = report_page(evaluation, source)
    try:
        file.write_text(page, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise KeywrightError(f"The report cannot be written to {file}: {reason(error)}.") from error


def require_matplotlib() -> None:
    """Raises ``KeywrightError`` where it is not installed: asked before the work, not after."""
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError as error:
        raise KeywrightError(
            "The pictures of the report need matplotlib; install it with `pip install keywright[report]`."
        ) from error


def report_page(evaluation: Evaluation, source: str) -> str:
    """The HTML of the report; everything in it stands in the page itself."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    require_matplotlib()
    environment = Environment(
        loader=PackageLoader("keywright.operations", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"number": _number, "percent": _percent}
    ranked = sorted(evaluation.per_keyword, key=lambda k: (-_or_least(k.average_precision), k.keyword))
    return environment.get_template("report.html").render(
        found=evaluation,
        keywords=ranked,
        source=source,
        made=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        keywright=__version__,
        picture=picture(evaluation),
    )


def picture(evaluation: Evaluation) -> str:
    """Reliability diagram and precision-recall curve beside each other, as SVG; the same figures, the same bytes."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context({"svg.hashsalt": "keywright", "svg.fonttype": "none", "font.size": 9}):
        figure = Figure(figsize=(9, 4.2), layout="constrained")
        left, right = figure.subplots(1, 2)
        _reliability(left, evaluation.reliability)
        _precision_recall(right, evaluation.curve, evaluation)
        drawn = io.StringIO()
        figure.savefig(drawn, format="svg", metadata={"Date": None, "Creator": None})
    text = drawn.getvalue()
    return text[text.index("<svg") :]


def _reliability(axes: Axes, bins: Sequence[ReliabilityBin]) -> None:
    shown = [one for one in bins if one.suggestions]
    most = max((one.suggestions for one in shown), default=1)
    axes.plot([0, 1], [0, 1], color=_PALE, linewidth=1, linestyle="--", label="as sure as right")
    axes.bar(
        [(one.low + one.high) / 2 for one in shown],
        [0.25 * one.suggestions / most for one in shown],
        width=0.09,
        color=_PALE,
        alpha=0.5,
        label="how many suggestions",
    )
    axes.plot(
        [one.mean_confidence for one in shown],
        [one.share_right for one in shown],
        color=_ACCENT,
        marker="o",
        label="share that was right",
    )
    axes.set(title="Reliability", xlabel="confidence", ylabel="share right", xlim=(0, 1), ylim=(0, 1.02))
    axes.legend(loc="upper left", frameon=False)


def _precision_recall(axes: Axes, curve: Sequence[CurvePoint], evaluation: Evaluation) -> None:
    shown = [one for one in curve if one.confidence >= _LEAST_SHOWN and math.isfinite(one.precision + one.recall)]
    axes.plot([one.recall for one in shown], [one.precision for one in shown], color=_ACCENT)
    if math.isfinite(evaluation.precision + evaluation.recall):
        axes.plot(evaluation.recall, evaluation.precision, "o", color=_INK, label="at the keywords' thresholds")
        axes.legend(loc="lower left", frameon=False)
    axes.set(title="Precision and recall", xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02))


def _number(value: float) -> str:
    return f"{value:.3f}" if math.isfinite(value) else ""


def _percent(value: float) -> str:
    return f"{value:.0%}" if math.isfinite(value) else ""


def _or_least(value: float) -> float:
    return value if math.isfinite(value) else -1.0
