"""How a page looks: to those who see less, on a telephone, and in the README and docs."""

import os
from collections.abc import Iterator

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import FloatRect, Page

from local.paths import ROOT

_AXE = Axe()
_WCAG_AA = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
_IMAGES = ROOT / "docs" / "images"
_UPPER_PART: FloatRect = {"x": 0, "y": 0, "width": 1280, "height": 640}
#: the README is read over slow lines too
_MAX_IMAGE_BYTES = 150_000
_MARK_CONTROLS = """() => {
    const controls = document.querySelectorAll("a[href], button, input, select, textarea, summary");
    const wanted = {};
    for (const [index, each] of controls.entries()) {
        if (each.disabled || each.type === "hidden" || !each.checkVisibility()) continue;
        // of a group of radio buttons Tab reaches one, arrow keys the others
        each.dataset.mark = each.type === "radio" ? `radio ${each.name}` : index;
        wanted[each.dataset.mark] = each.outerHTML.slice(0, 200);
    }
    return wanted;
}"""
_MARK_OF_FOCUS = """() => {
    const style = getComputedStyle(document.activeElement);
    const shows = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
    return shows ? document.activeElement.dataset.mark : null;
}"""


def settled(page: Page) -> None:
    """Waits until all of a page is there: a click returns when the next one has only begun.

    A test that looks at a page once, instead of until it is as expected, has to wait for that.
    """
    for frame in page.frames:
        frame.wait_for_load_state()
        frame.wait_for_function("document.querySelector('.htmx-request') === null")


def accessible(page: Page) -> list[str]:
    """What breaks a rule of WCAG 2 A or AA, in light and in dark; no line when nothing does.

    Asks the page that is open by itself: Airflow's frame around it is not ours.
    """
    settled(page)
    found = []
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        page.wait_for_function(
            "theme => document.documentElement.dataset.theme == theme", arg=theme
        )
        found += [f"{theme}: {line}" for line in _violations(page)]
    page.emulate_media(color_scheme="light")
    return found


def _violations(page: Page) -> Iterator[str]:
    options = {"resultTypes": ["violations"], "runOnly": {"type": "tag", "values": _WCAG_AA}}
    for rule in _AXE.run(page, options=options).response["violations"]:
        for node in rule["nodes"]:
            yield f"{rule['id']}: {node['html'][:200]}: {node['failureSummary']}"


def scrolls_sideways(page: Page) -> bool:
    """Whether the page is wider than its window."""
    settled(page)
    wider: bool = page.evaluate(
        "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    )
    return wider


def beyond_the_keyboard(page: Page) -> list[str]:
    """Controls that Tab does not reach, or that do not show it; it begins at the page's top."""
    settled(page)
    missed: dict[str, str] = page.evaluate(_MARK_CONTROLS)
    # a field for a date takes a Tab for its day, one for its month and so on
    for _ in range(10 * len(missed) + 10):
        if not missed:
            break
        page.keyboard.press("Tab")
        missed.pop(page.evaluate(_MARK_OF_FOCUS), None)
    return list(missed.values())


def screenshot(page: Page, name: str) -> None:
    """Keeps the window's upper part as docs/images/NAME.png, when SCREENSHOTS=1 asks for it."""
    if os.environ.get("SCREENSHOTS") != "1":
        return
    settled(page)
    picture = _IMAGES / f"{name}.png"
    picture.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=picture, clip=_UPPER_PART, animations="disabled", caret="hide")
    size = picture.stat().st_size
    assert size <= _MAX_IMAGE_BYTES, f"{picture} has {size:,} bytes: show less"
