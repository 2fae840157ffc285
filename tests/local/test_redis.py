"""Celery's broker without containers."""

import shutil
from pathlib import Path

import pytest
import redis

from local.redis import local_redis
from local.stop import Stop

needs_redis = pytest.mark.skipif(shutil.which("redis-server") is None, reason="needs redis-server")


@needs_redis
def test_it_runs_as_long_as_it_is_used_however_deep_the_folder(deep_folder: Path) -> None:
    with local_redis(deep_folder) as url:
        client = redis.Redis(unix_socket_path=url.removeprefix("redis+socket://"))
        client.rpush("queue", "a task")
    with pytest.raises(redis.ConnectionError):
        client.ping()


@needs_redis
def test_what_is_queued_survives_a_restart(tmp_path: Path) -> None:
    for expected in (0, 1):
        with local_redis(tmp_path) as url:
            client = redis.Redis(unix_socket_path=url.removeprefix("redis+socket://"))
            assert client.llen("queue") == expected
            client.rpush("queue", "a task")


def test_without_redis_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Stop, match="apt-get install redis-server"), local_redis(tmp_path):
        pass
