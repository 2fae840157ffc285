"""How a command ends that cannot do what it was asked for."""

import errno
import os

import pytest

from local.stop import Stop, command


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.ENOSPC])
def test_a_folder_that_cannot_be_written_ends_with_1_and_one_line_that_names_it(
    number: int, capsys: pytest.CaptureFixture[str]
) -> None:
    def main() -> int:
        raise OSError(number, os.strerror(number), "/clone/.local/airflow")

    with pytest.raises(SystemExit) as ended:
        command(main)
    said = capsys.readouterr().err
    assert ended.value.code == 1
    assert said.startswith(f"cannot write /clone/.local/airflow: {os.strerror(number)}")
    assert "where another user made these, have that user remove them" in said
    assert len(said.splitlines()) == 1


def test_any_other_error_of_the_system_keeps_its_trace() -> None:
    def main() -> int:
        raise ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")

    with pytest.raises(ConnectionRefusedError):
        command(main)


def test_whatever_fails_on_a_full_disk_the_disk_is_what_is_told(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def main() -> int:
        raise Stop("initdb failed:\na page of text\nNo space left on device\n")

    with pytest.raises(SystemExit) as ended:
        command(main)
    assert ended.value.code == 1
    (said,) = capsys.readouterr().err.splitlines()
    assert said.startswith("No space left on device for ")
