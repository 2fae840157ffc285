"""What the local PostgreSQL costs, in CPU seconds: a busy machine changes them less than time."""

import psutil  # type: ignore[import-untyped]
import psycopg


def cpu_s(crm_url: str) -> float:
    """CPU seconds of the whole server since it was started, sessions that ended included."""
    with psycopg.connect(crm_url) as connection:
        row = connection.execute(
            "SELECT split_part(pg_read_file('postmaster.pid'), chr(10), 1)::integer"
        ).fetchone()
        server = psutil.Process(row[0] if row else 0)
        while (total := _total(server)) is None:
            pass
    return total


def _total(server: psutil.Process) -> float | None:
    """None if a session began or ended meanwhile: it may be counted twice, or not at all."""
    sessions = server.children()
    try:
        spent = sum(sum(session.cpu_times()[:2]) for session in sessions)
    except psutil.NoSuchProcess:
        return None
    # its own, and of the sessions that ended
    spent += sum(server.cpu_times()[:4])
    return float(spent) if server.children() == sessions else None
