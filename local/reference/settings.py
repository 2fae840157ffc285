"""The settings: the fields of a connection and the options of `[constant_contact]`."""

from typing import Any

from constant_contact.get_provider_info import get_provider_info
from constant_contact.options import OPTIONS, SECTION
from local.reference.markdown import code, table


def page() -> str:
    """Both tables."""
    return (
        "# Settings\n\n## The connection\n\n"
        "Of type `constant_contact`; in JSON, all but the first four are in `extra`.\n\n"
        f"{_connection()}\n## The options\n\n"
        f"Of the section `[{SECTION}]` of Airflow's configuration, or in the environment as\n"
        f"`AIRFLOW__{SECTION.upper()}__<OPTION>`.\n\n{_options()}"
    )


def _connection() -> str:
    """The fields of the connection's form."""
    (form,) = get_provider_info()["connection-types"]
    behaviour = form["ui-field-behaviour"]
    labels, hints = behaviour["relabeling"], behaviour["placeholders"]
    standard = [
        (labels.get(name, name.capitalize()), code(name), hints[name])
        for name in ("login", "password", "host", "port")
    ]
    ours = [
        (field["label"], code(f"extra.{name}"), _field(field))
        for name, field in form["conn-fields"].items()
    ]
    return table(["field", "key in JSON", ""], standard + ours)


def _options() -> str:
    """The options, with their defaults."""
    return table(
        ["option", "default", "what it does"],
        [
            (
                code(name),
                code(option["default"]) or "none",
                option["description"] + _example(option["example"]),
            )
            for name, option in OPTIONS.items()
        ],
    )


def _field(field: dict[str, Any]) -> str:
    default = field["schema"].get("default")
    return str(field["description"]) + (f" Default: `{default}`." if default else "")


def _example(example: str | None) -> str:
    return f" Such as `{example}`." if example else ""
