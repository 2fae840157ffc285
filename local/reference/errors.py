"""The errors: the tree in the module's docstring, and what each says of itself."""

import inspect

from constant_contact import errors
from local.reference.markdown import code, table


def page() -> str:
    """The tree, and a line for each error that is raised."""
    tree, _, rest = inspect.cleandoc(errors.__doc__ or "").partition("\n\n")[2].partition("\n\n")
    raised = [
        kind
        for _, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, errors.ConstantContactError)
    ]
    return (
        f"# Errors\n\n```\n{tree}\n```\n\n{rest}\n\n"
        "What to do about a message: [troubleshooting.md](../troubleshooting.md) and\n"
        "[tokens.md](../tokens.md). What a task does about each: *Which error to raise* in\n"
        "CONTRIBUTING.\n\n"
        + table(
            ["error", "a kind of", ""], [(code(k.__name__), _bases(k), _line(k)) for k in raised]
        )
    )


def _bases(kind: type) -> str:
    return code(kind.__bases__[0].__name__) if kind is not errors.ConstantContactError else ""


def _line(kind: type) -> str:
    return inspect.cleandoc(kind.__doc__ or "").partition("\n\n")[0]
