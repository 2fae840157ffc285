"""How a page is made: a template, escaped, that looks at home in Airflow."""

from datetime import datetime
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from fastapi.templating import Jinja2Templates
from markupsafe import Markup

_TEMPLATES = Jinja2Templates(directory=Path(__file__).parent / "templates")


def page(request: Request, name: str, **values: Any) -> HTMLResponse:
    """Answer with `templates/<name>.html`; nothing may keep it, since it shows people's data."""
    answer = _TEMPLATES.TemplateResponse(request, f"{name}.html", values)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def moment(value: datetime) -> Markup:
    """A time: in the reader's zone by the page's script, in UTC on hover and without it."""
    return Markup('<time datetime="{0}" title="{1} UTC">{1} UTC</time>').format(
        value.isoformat(), f"{value:%Y-%m-%d %H:%M}"
    )


_TEMPLATES.env.filters["moment"] = moment
