"""What Airflow learns of this package: the connection type, its form, the options."""

from typing import Any

from constant_contact import __version__
from constant_contact.options import OPTIONS, SECTION


def _text(label: str, description: str, **schema: Any) -> dict[str, Any]:
    return {
        "label": label,
        "description": description,
        "schema": {"type": ["string", "null"]} | schema,
    }


def get_provider_info() -> dict[str, Any]:
    """Airflow calls this through the entry point `apache_airflow_provider`."""
    return {
        "package-name": "airflow-constant-contact",
        "name": "Constant Contact",
        "description": "Constant Contact for a CRM in PostgreSQL.",
        "versions": [__version__],
        "hooks": [
            {
                "integration-name": "Constant Contact",
                "python-modules": ["constant_contact.hooks.constant_contact"],
            }
        ],
        "connection-types": [
            {
                "connection-type": "constant_contact",
                "hook-class-name": "constant_contact.hooks.constant_contact.ConstantContactHook",
                "hook-name": "Constant Contact",
                "ui-field-behaviour": {
                    "hidden-fields": ["schema"],
                    "relabeling": {
                        "login": "API key",
                        "password": "Client secret",
                        "host": "API base URL",
                    },
                    "placeholders": {
                        "host": "https://api.cc.email",
                        "login": "of your application at Constant Contact",
                        "password": "shown once, when it is generated",
                        "port": "443",
                    },
                },
                "conn-fields": {
                    "refresh_token": _text(
                        "Refresh token",
                        "From the first authorization. One pasted here later replaces it.",
                        format="password",
                    ),
                    "scope": _text(
                        "Scopes",
                        "Without offline_access no refresh token is given.",
                        default="contact_data campaign_data offline_access",
                    ),
                    "rate_plan": _text(
                        "Rate plan",
                        "standard: 4 calls a second, 10,000 a day; partner: 20 and 250,000.",
                        enum=["standard", "partner", None],
                        default="standard",
                    ),
                    "calls_per_second": _text(
                        "Calls a second", "Overrides the plan; for a key that others use too."
                    ),
                    "calls_per_day": _text("Calls a day", "Overrides the plan, likewise."),
                    "timeout_s": _text("Timeout (seconds)", "Of one call; 30 if empty."),
                    "redirect_url": _text(
                        "Redirect URL", "As registered with the application at Constant Contact."
                    ),
                    "authorize_url": _text("Authorize URL", "The vendor's if empty."),
                    "token_url": _text("Token URL", "The vendor's if empty."),
                    "api_version": _text("API version", "v3 if empty."),
                },
            }
        ],
        "config": {
            SECTION: {
                "description": "How the Constant Contact jobs behave.",
                "options": {
                    name: option | {"version_added": "0.1.0"} for name, option in OPTIONS.items()
                },
            }
        },
    }
