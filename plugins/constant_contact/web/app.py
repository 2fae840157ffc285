"""The FastAPI app with our pages; Airflow's api-server mounts it below `PREFIX`."""

from typing import Final

from fastapi import FastAPI

from constant_contact.web import overview, waiting

PREFIX: Final = "/constant-contact"


def create_app() -> FastAPI:
    """The app; from now on this api-server also looks after the tasks that wait."""
    waiting.follow()
    app = FastAPI(title="Constant Contact", docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(overview.router)
    return app
