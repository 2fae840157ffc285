"""A `dlt` REST API pipeline, in an environment of its own (see `local.bench.rivals.dlt_python`)."""

import tempfile
from typing import Any
from urllib.parse import quote

import dlt  # type: ignore[import-not-found, unused-ignore]
from dlt.sources.rest_api import rest_api_source  # type: ignore[import-not-found, unused-ignore]

from local.bench.gauge import Gauge


def load(
    gauge: Gauge,
    *,
    url: str,
    token: str,
    socket_folder: str,
    database: str,
    resources: list[dict[str, Any]],
    counted: list[str],
) -> dict[str, Any]:
    """Load `resources` as the documentation does; the rows are those of the tables `counted`."""
    client = {
        "base_url": f"{url}/v3/",
        "auth": {"type": "bearer", "token": token},
        "paginator": {"type": "json_link", "next_url_path": "_links.next.href"},
    }
    credentials = {
        "database": database,
        "username": "postgres",
        "password": "trusted",
        # quoted, a path stands where a URL has its host
        "host": quote(socket_folder, safe=""),
    }
    with tempfile.TemporaryDirectory() as folder, gauge:
        pipeline = dlt.pipeline(
            pipeline_name="bench",
            pipelines_dir=folder,
            destination=dlt.destinations.postgres(credentials=credentials),
            dataset_name="bench_dlt",
        )
        pipeline.run(rest_api_source({"client": client, "resources": resources}))
        counts = pipeline.last_trace.last_normalize_info.row_counts
    return {"rows": sum(counts.get(name, 0) for name in counted)}
