"""`make clean`, first half: stops what is left running before its files go."""

from local.postgres import LocalPostgres
from local.simulator import SharedSimulator
from local.stop import Stop, command


def main() -> int:
    """Refuses while a command uses them: their data would vanish under their feet."""
    for service in (LocalPostgres(), SharedSimulator()):
        if service.folder.exists() and not service.stop_if_unused():
            raise Stop(f"another command uses the local {service.kind}: end that one first")
    return 0


if __name__ == "__main__":
    command(main)
