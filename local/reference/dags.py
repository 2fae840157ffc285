"""The DAGs, from the objects that Airflow makes of dags/.

Import this only in a process whose environment is set: it imports Airflow.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from airflow.dag_processing.dagbag import DagBag

from local.paths import ROOT
from local.reference.markdown import code, table


def load() -> list[Any]:
    """The DAGs: those that run by the clock first, in its order."""
    bag = DagBag(ROOT / "dags")
    if bag.import_errors:
        raise AssertionError(bag.import_errors)
    return sorted(bag.dags.values(), key=lambda dag: (_nightly_at(dag) or "~", dag.dag_id))


def _overview(dags: Sequence[Any]) -> str:
    """One line a DAG."""
    starters = _starters(dags)
    return table(
        ["DAG", "when", "what it does", "params"],
        [
            (code(dag.dag_id), _when(dag, starters), dag.description, _param_names(dag))
            for dag in dags
        ],
    )


def page(dags: Sequence[Any]) -> str:
    """Each DAG with its tasks, params and runbook."""
    return "# DAGs\n\n" + _overview(dags) + "".join(_section(dag) for dag in dags)


def _section(dag: Any) -> str:
    runbook = (dag.doc_md or "").partition("\n")[2]
    tasks = table(
        ["task", "operator", "reads", "changes"],
        [
            (
                code(task.task_id),
                code(task.task_type),
                ", ".join(_assets(task, "inlets")),
                ", ".join(_assets(task, "outlets")),
            )
            for task in dag.topological_sort()
        ],
    )
    params = [
        (
            code(name),
            code(" or ".join(_types(param.schema))),
            code(repr(param.value)),
            param.description or "",
        )
        for name, param in _params(dag)
    ]
    shown = table(["param", "type", "default", ""], params) if params else ""
    return (
        f"\n## {code(dag.dag_id)}\n\n{runbook.strip()}\n\n{tasks}" + ("\n" if shown else "") + shown
    )


def _params(dag: Any) -> Iterator[tuple[str, Any]]:
    for name in dag.params:
        yield name, dag.params.get_param(name)


def _param_names(dag: Any) -> str:
    return " ".join(f"`{name}`: {param.description}" for name, param in _params(dag)) or "none"


def _types(schema: Mapping[str, Any]) -> list[str]:
    if choices := schema.get("enum"):
        return [repr(choice) for choice in choices]
    kind = schema.get("type", "any")
    return [kind] if isinstance(kind, str) else [each for each in kind if each != "null"]


def _nightly_at(dag: Any) -> str | None:
    """HH:MM of a nightly DAG."""
    fields = str(getattr(dag.timetable, "expression", "")).split()
    if len(fields) == 5 and fields[0].isdigit() and fields[1].isdigit():  # noqa: PLR2004 - cron
        return f"{int(fields[1]):02}:{int(fields[0]):02}"
    return None


def _when(dag: Any, starters: Mapping[str, Sequence[str]]) -> str:
    if at := _nightly_at(dag):
        return at
    if condition := getattr(dag.timetable, "asset_condition", None):
        rows = " or ".join(code(asset.name) for asset in condition.objects)
        return f"when {rows} changes, and {code(dag.timetable.timetable.expression)}"
    if by := starters.get(dag.dag_id):
        return "started by " + ", ".join(map(code, by))
    return "by hand"


def _starters(dags: Sequence[Any]) -> dict[str, list[str]]:
    """By which DAGs another is started."""
    found: dict[str, list[str]] = {}
    for dag in dags:
        for task in dag.tasks:
            given = getattr(task, "partial_kwargs", None) or vars(task)
            if started := given.get("trigger_dag_id"):
                found.setdefault(started, []).append(dag.dag_id)
    return found


def _assets(task: Any, direction: str) -> list[str]:
    given = getattr(task, "partial_kwargs", {}).get(direction) or getattr(task, direction, None)
    return [code(asset.name) for asset in given or []]
