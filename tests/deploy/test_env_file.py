"""`make env`."""

import json
import shutil
import stat
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography.fernet import Fernet

from local.deployment import BROKER, CONSTANT_CONTACT, CRM, METADATA
from local.env_file import write_env
from local.paths import ROOT
from local.stop import Stop


def made(folder: Path, *, demo: bool = False) -> dict[str, str]:
    folder.mkdir()
    shutil.copy(ROOT / ".env.example", folder)
    write_env(folder, demo=demo)
    lines = (folder / ".env").read_text().splitlines()
    pairs = [line.partition("=") for line in lines if line and not line.startswith("#")]
    return {name: value for name, _, value in pairs}


def test_it_has_a_key_for_everything_and_leaves_to_people_what_only_they_know(
    tmp_path: Path,
) -> None:
    values = made(tmp_path / "one")
    empty = {name for name, value in values.items() if not value}
    assert empty == {CRM, CONSTANT_CONTACT, "PRIVATE_ADDRESS"}
    Fernet(values["AIRFLOW__CORE__FERNET_KEY"])
    assert urlsplit(values[METADATA]).password == values["POSTGRES_PASSWORD"]
    assert urlsplit(values[BROKER]).password == values["REDIS_PASSWORD"]
    assert stat.S_IMODE((tmp_path / "one" / ".env").stat().st_mode) == 0o600


def test_no_two_have_a_key_in_common(tmp_path: Path) -> None:
    one, other = made(tmp_path / "one"), made(tmp_path / "other")
    secret = {name for name in one if name.endswith(("_KEY", "_SECRET", "_PASSWORD"))}
    assert len(secret) == 6
    assert not {one[name] for name in secret} & {other[name] for name in secret}


def test_keys_that_data_were_written_with_are_not_replaced(tmp_path: Path) -> None:
    made(tmp_path / "one")
    before = (tmp_path / "one" / ".env").read_text()
    with pytest.raises(Stop, match="left as is"):
        write_env(tmp_path / "one", demo=False)
    assert (tmp_path / "one" / ".env").read_text() == before


def test_the_demos_connections_lead_to_the_demos_services(tmp_path: Path) -> None:
    values = made(tmp_path / "one", demo=True)
    crm = urlsplit(values[CRM])
    assert (crm.hostname, crm.path, crm.password) == (
        "postgres", "/crm", values["POSTGRES_PASSWORD"],
    )  # fmt: skip
    account = json.loads(values[CONSTANT_CONTACT].strip("'"))
    assert account["host"] == "http://simulator:8099"
