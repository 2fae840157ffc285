"""Bulk activities: jobs that are taken on at once and done later."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from simulator.clock import iso
from simulator.errors import bulk_queue_full

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulator.world import World

OUTCOMES = ("completed", "cancelled", "failed", "timed_out")
UNFINISHED = ("initialized", "processing")


@dataclass
class Job:
    """One bulk activity."""

    activity_id: str
    kind: str
    created_ms: int
    updated_ms: int
    #: Does the work and returns the counters.
    work: Callable[[], dict[str, int]] = field(repr=False)
    status: dict[str, int]
    state: str = "initialized"
    polls: int = 0
    started_ms: int = 0
    completed_ms: int = 0
    errors: list[str] = field(default_factory=list)
    #: The state that it will end in, where a fault says so.
    outcome: str = ""

    def as_json(self) -> dict[str, Any]:
        """The activity as the contract shows it."""
        body: dict[str, Any] = {
            "activity_id": self.activity_id,
            "state": self.state,
            "created_at": iso(self.created_ms),
            "updated_at": iso(self.updated_ms),
            "percent_done": {"initialized": 1, "processing": 50}.get(self.state, 100),
            "activity_errors": list(self.errors),
            "status": dict(self.status),
            "_links": {"self": {"href": f"/v3/activities/{self.activity_id}"}},
        }
        if self.started_ms:
            body["started_at"] = iso(self.started_ms)
        if self.completed_ms:
            body["completed_at"] = iso(self.completed_ms)
        return body


class BulkJobs:
    """All bulk activities of the account, in order of creation."""

    def __init__(self) -> None:
        self.jobs: dict[str, Job] = {}

    def queued(self) -> int:
        """How many are not done yet."""
        return sum(job.state in UNFINISHED for job in self.jobs.values())

    def submit(
        self, world: World, kind: str, status: dict[str, int], work: Callable[[], dict[str, int]]
    ) -> Job:
        """Take a job on.

        Raises:
            ApiError: 429, the queue is full.
        """
        if 0 < world.limits.bulk_queue <= self.queued():
            raise bulk_queue_full()
        now_ms = world.clock.now_ms()
        job = Job(world.new_id("bulk"), kind, now_ms, now_ms, work, status)
        self.jobs[job.activity_id] = job
        return job

    def tick(self, world: World) -> None:
        """Finish what is due by the clock."""
        seconds = world.settings.bulk_seconds
        now_ms = world.clock.now_ms()
        for job in self.jobs.values():
            if job.state not in UNFINISHED:
                continue
            by_polls = world.settings.bulk_polls <= 0
            by_clock = seconds >= 0 and now_ms - job.created_ms >= seconds * 1000
            if by_polls or by_clock:
                self.finish(world, job)

    def poll(self, world: World, job: Job) -> None:
        """One look at an unfinished job moves it on."""
        if job.state not in UNFINISHED:
            return
        job.polls += 1
        if job.polls >= world.settings.bulk_polls:
            self.finish(world, job)
        else:
            job.state = "processing"
            job.started_ms = job.updated_ms = world.clock.now_ms()

    def finish(self, world: World, job: Job) -> None:
        """End a job: do its work, or nothing when its outcome is set to fail."""
        outcomes = world.settings.bulk_outcomes
        job.state = job.outcome or (outcomes.pop(0) if outcomes else "completed")
        if job.state == "completed":
            job.status = job.work()
        else:
            job.errors.append(f"The activity ended as {job.state}.")
        job.updated_ms = job.completed_ms = world.clock.now_ms()
        job.started_ms = job.started_ms or job.updated_ms
