"""Mutations: a vendor that differs in one point from what the simulator takes it to be.

Each is data: settings and faults that stay until `reset`. Its point is the name of what a client
may have assumed; a point may have several mutations.
"""

from simulator.mutations.contacts import CONTACTS
from simulator.mutations.engagement import ENGAGEMENT
from simulator.mutations.mutation import Mutation
from simulator.mutations.writes import WRITES
from simulator.world import World

__all__ = ["MUTATIONS", "Mutation", "mutate"]

MUTATIONS = (*CONTACTS, *ENGAGEMENT, *WRITES)


def mutate(world: World, point: str, differs: str) -> Mutation:
    """Let the vendor differ in one point."""
    for mutation in MUTATIONS:
        if (mutation.point, mutation.differs) == (point, differs):
            mutation.apply(world)
            return mutation
    raise ValueError(f"there is no such mutation: {point}, {differs}")
