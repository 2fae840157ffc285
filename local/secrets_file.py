"""Secrets of this machine's Airflow: made once, kept where only this user can read them."""

import base64
import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from local.paths import LOCAL


@dataclass(frozen=True)
class Secrets:
    """What has to be the same in every Airflow process, and tomorrow."""

    fernet_key: str
    jwt_secret: str
    api_secret_key: str
    admin_password: str


def load_secrets(file: Path = LOCAL / "secrets.json") -> Secrets:
    """Reads them; the first of several processes makes them, the others get the same."""
    if not file.exists():
        publish(file, json.dumps(asdict(generate()), indent=2))
    return Secrets(**json.loads(file.read_text()))


def passwords_file(known: Secrets, file: Path = LOCAL / "passwords.json") -> Path:
    """The file from which Airflow's simple auth manager takes the login."""
    content = json.dumps({"admin": known.admin_password})
    if not file.exists() or file.read_text() != content:
        file.unlink(missing_ok=True)
        publish(file, content)
    return file


def generate() -> Secrets:
    """New ones."""
    return Secrets(
        fernet_key=base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        jwt_secret=secrets.token_urlsafe(32),
        api_secret_key=secrets.token_urlsafe(32),
        admin_password=secrets.token_urlsafe(9),
    )


def publish(file: Path, content: str) -> None:
    """Makes the file appear at once and complete, unless another process was faster."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f"{file.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as output:
        output.write(content)
    try:
        os.link(draft, file)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
