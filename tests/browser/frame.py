"""Our page inside Airflow's."""

from playwright.sync_api import FrameLocator, Page


def framed(page: Page) -> FrameLocator:
    """What the frame shows, once it does."""
    frame = page.frame_locator("iframe")
    frame.get_by_role("heading", level=1).wait_for()
    return frame
