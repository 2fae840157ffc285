"""Charts as SVG, made here: no script, and colours and fonts of the page around them.

The numbers are in the SVG's own tooltips, and in a table below each chart: `templates/charts.html`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import pygal
from markupsafe import Markup
from pygal.etree import etree
from pygal.style import Style

# Of static/style.css; from the seventh series on they come again, up to the last one drawn.
_COLOURS: Final = 6
_MOST_SERIES: Final = 24
_SO_FAR: Final = ", so far"
_STYLE: Final = Style(
    background="transparent",
    plot_background="transparent",
    foreground="var(--muted)",
    foreground_strong="var(--text)",
    foreground_subtle="var(--line)",
    guide_stroke_color="var(--line)",
    major_guide_stroke_color="var(--line)",
    font_family="inherit",
    label_font_size=12,
    major_label_font_size=12,
    legend_font_size=13,
    opacity="1",
    transition="0s",
    colors=tuple(f"var(--chart-{number % _COLOURS + 1})" for number in range(_MOST_SERIES)),
    value_colors=("var(--text)",) * _MOST_SERIES,
)


@dataclass(frozen=True)
class Chart:
    """Numbers over labels, to be drawn as stacked bars and written as a table.

    Attributes:
        title: What is shown, for those who cannot see it too.
        across: What the labels are, such as "day (UTC)".
        labels: Left to right.
        series: A name and a number a label each; drawn upwards in this order.
        label_every: How many labels share one that is written below the bars.
        is_partial: The last label's time is not over: its bars are named and drawn as such.
    """

    title: str
    across: str
    labels: Sequence[str]
    series: dict[str, Sequence[int]] = field(default_factory=dict)
    label_every: int = 1
    is_partial: bool = False

    @property
    def shown_labels(self) -> list[str]:
        """The labels; the one that is not over says so."""
        if not self.is_partial or not self.labels:
            return list(self.labels)
        return [*self.labels[:-1], f"{self.labels[-1]}{_SO_FAR}"]

    @property
    def total(self) -> int:
        """The sum of all numbers."""
        return sum(map(sum, self.series.values()))

    @property
    def rows(self) -> list[tuple[str, list[int]]]:
        """Each label with its numbers, in the series' order."""
        return [
            (label, [values[index] for values in self.series.values()])
            for index, label in enumerate(self.shown_labels)
        ]

    @property
    def svg(self) -> Markup:
        """The drawing, to be put into a page as it is: what it names is escaped."""
        drawn = pygal.StackedBar(
            style=_STYLE,
            js=(),
            title=None,
            width=1280,
            height=300,
            margin=8,
            legend_at_bottom=True,
            legend_at_bottom_columns=len(self.series),
            show_legend=len(self.series) > 1,
            x_labels=self.shown_labels,
            x_labels_major_every=self.label_every,
            show_minor_x_labels=False,
            truncate_label=-1,
            truncate_legend=-1,
            min_scale=2,
            max_scale=6,
            formatter=lambda value: f"{value:,.0f}",
            value_formatter=lambda value: f"{value:,.0f}",
        )
        for name, values in self.series.items():
            drawn.add(name, [value or None for value in values])
        return _as_image(drawn.render_tree(), self)


def _as_image(svg: Any, chart: Chart) -> Markup:
    """Leave the picture: pygal's scripts and what only they use go, each bar says its number."""
    for index, name in enumerate(chart.series):
        for bar in svg.iterfind(
            f".//g[@class='series serie-{index} color-{index}']//g[@class='bar']"
        ):
            said = {desc.get("class"): desc.text for desc in bar.iterfind("desc")}
            etree.SubElement(bar, "title").text = f"{name}, {said['x_label']}: {said['value']}"
            if said["x_label"].endswith(_SO_FAR):
                bar.set("class", "bar so-far")
    for parent in list(svg.iter()):
        if parent is not svg and parent.get("id"):
            # Two charts on a page would have the same.
            del parent.attrib["id"]
        for child in list(parent):
            if _is_for_scripts(child):
                parent.remove(child)
    svg.set("role", "img")
    svg.set("aria-label", chart.title)
    svg.find("title").text = chart.title
    # Written by the XML library, which escapes.
    return Markup(etree.tostring(svg, encoding="unicode"))  # noqa: S704


def _is_for_scripts(node: Any) -> bool:
    """Whether a node is a script, a comment, or what only pygal's script would show."""
    return (
        not isinstance(node.tag, str)
        or node.tag in {"script", "desc"}
        or "overlay" in node.get("class", "")
    )
