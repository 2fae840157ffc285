"""The command: ``python -m simulator``."""

import argparse

from simulator.server import make_world, serve

EPILOG = """\
examples:
  python -m simulator --port 8099
  python -m simulator --port 0 --contacts 100000 --lists 20 --campaigns 500 --events 1000000
  python -m simulator --port 8099 --refresh-token seed-token --calls-per-second 20

The vendor's API is under /v3, its OAuth endpoints under /oauth2/default/v1, the control API
under /_control (see simulator/README.md). Data live in memory and end with the process.
"""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(
        prog="python -m simulator",
        description="A stand-in for the Constant Contact V3 API, over plain HTTP on loopback.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    made.add_argument(
        "--port", type=int, required=True, help="0 picks a free one and prints it when ready"
    )
    made.add_argument(
        "--log-level",
        default="warning",
        choices=("debug", "info", "warning", "error"),
        help="debug shows every request (%(default)s)",
    )
    data = made.add_argument_group("account", "made up at the start; none of these: empty")
    data.add_argument("--seed", type=int, default=1, help="same seed, same account (%(default)s)")
    data.add_argument("--contacts", type=int, help="number of contacts")
    data.add_argument("--lists", type=int, help="number of contact lists")
    data.add_argument("--campaigns", type=int, help="number of sent campaigns")
    data.add_argument("--events", type=int, help="number of engagement events")
    limits = made.add_argument_group("limits", "0 switches one off")
    limits.add_argument("--calls-per-second", type=float, default=4, help="per key (%(default)s)")
    limits.add_argument("--calls-per-day", type=int, default=10_000, help="per key (%(default)s)")
    limits.add_argument(
        "--token-calls-per-second", type=float, default=1, help="token endpoint (%(default)s)"
    )
    limits.add_argument("--latency-ms", type=float, default=0, help="added to each call")
    limits.add_argument("--jitter-ms", type=float, default=0, help="up to this much on top")
    oauth = made.add_argument_group("oauth")
    oauth.add_argument("--client-id", default="demo-api-key", help="API key (%(default)s)")
    oauth.add_argument("--client-secret", default="demo-secret", help="(%(default)s)")
    oauth.add_argument(
        "--redirect-uri",
        action="append",
        default=[],
        dest="redirect_uris",
        metavar="URI",
        help="registered redirect URI, may be repeated; none: any http one on loopback",
    )
    oauth.add_argument(
        "--rotating",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="refresh tokens are single-use, or long-lived (rotating)",
    )
    oauth.add_argument(
        "--access-token-ttl",
        type=float,
        default=86_400,
        dest="access_token_ttl_s",
        metavar="SECONDS",
        help="life of an access token (%(default)s)",
    )
    oauth.add_argument(
        "--refresh-token", metavar="TOKEN", help="a refresh token that is valid at the start"
    )
    return made


def main() -> None:
    """Make the account, then serve until interrupted."""
    options = vars(parser().parse_args())
    host, port, log_level = (options.pop(name) for name in ("host", "port", "log_level"))
    serve(make_world(**options), host, port, log_level)


if __name__ == "__main__":
    main()
