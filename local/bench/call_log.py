"""What keeping every call costs a sync: the same pass with and without the call log."""

from local.bench.measure import Figures, measured, middle
from local.bench.result import Result
from local.bench.stage import Stage

_SIZE = 100_000
_MOST_TIMES = 1.05


def run(stage: Stage) -> list[Result]:
    """Pairs of passes, in turns: what disturbs the machine disturbs both."""
    # a hundredth is looked for: more rounds than elsewhere
    rounds = 2 * stage.rounds + 1
    result = Result(
        "call_log",
        f"a full pass of {_SIZE:,} contacts with and without the call log, median of {rounds}",
        ("who", "seconds", "CPU s", "calls kept"),
    )
    found: dict[bool, list[Figures]] = {True: [], False: []}
    kept = 0
    with stage.vendor(contacts=_SIZE, lists=20) as vendor:
        for number in range(rounds):
            # each goes first half of the time
            for logged in (True, False) if number % 2 else (False, True):
                with stage.database() as crm_url:
                    vendor.control.clear_calls()
                    figures = measured(
                        "local.bench.contacts:mirror",
                        crm_url=crm_url,
                        account=vendor.account(),
                        logged=logged,
                    )
                found[logged].append(figures)
                stage.say(f"call_log, logged {logged}: {figures['seconds']:.2f} s")
            kept = vendor.calls()
    for logged, name in ((True, "with the call log"), (False, "without")):
        figures_of = found[logged]
        shown = [middle(figures_of, each) for each in ("seconds", "cpu_s")]
        result.rows.append((name, *shown, kept if logged else 0))
    pairs = zip(found[True], found[False], strict=True)
    times = middle([{"of": a["seconds"] / b["seconds"]} for a, b in pairs], "of")
    result.at_most("time with the call log / without", times, _MOST_TIMES)
    return [result]
