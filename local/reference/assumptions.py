"""What the jobs rely on: a table for each side of the check."""

from constant_contact.sync.check.assumptions import Assumption, Side
from local.reference.markdown import code, table

_HEADS = {
    Side.CRM: "The CRM",
    Side.READS: "Constant Contact, by reading",
    Side.WRITES: "Constant Contact, by writing",
}


def page(*sides: tuple[Assumption, ...]) -> str:
    """Each assumption with its source, what the jobs do where it does not hold, and the remedy.

    Args:
        sides: The assumptions of one side each, in the order in which the check tells of them.
    """
    sections = (
        f"## {_HEADS[side[0].side]}\n\n"
        + table(
            ["name", "what holds", "source", "what the jobs do otherwise", "what to do"],
            [(code(a.name), a.states, a.source, a.otherwise, a.remedy) for a in side],
        )
        for side in sides
    )
    return (
        "# What the jobs rely on\n\n"
        "The check tries each of these, and names what does not hold. How each of Constant\n"
        "Contact's looks where it does not hold: [mutations.md](mutations.md).\n\n"
        + "\n".join(sections)
    )
