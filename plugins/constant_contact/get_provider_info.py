"""What Airflow learns of this package: the connection type, its form, the options, commands."""

from typing import Any

from constant_contact import __version__
from constant_contact.api import vendor
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
        "package-name": "airflow-provider-constant-contact",
        "name": "Constant Contact",
        "description": "Constant Contact for a CRM in PostgreSQL.",
        "versions": [__version__],
        "hooks": [
            {
                "integration-name": "Constant Contact",
                "python-modules": ["constant_contact.hooks.constant_contact"],
            }
        ],
        "cli": ["constant_contact.cli.definition.get_cli_commands"],
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
                    # All that Airflow shows of help for these; the others have descriptions.
                    "placeholders": {
                        "host": "https://api.cc.email if empty",
                        "login": "of your application: v3.developer.constantcontact.com",
                        "password": "shown there once, when it is generated",
                        "port": "443, which the Test button wants stored",
                    },
                },
                "conn-fields": {
                    "redirect_url": _text(
                        "Redirect URL",
                        "Where Constant Contact leads back to after an authorization: registered "
                        "with the application, exactly so. The page Browse → Constant Contact → "
                        "Connection shows the right one, which is also taken if this is empty.",
                        examples=["https://airflow.example.com/constant-contact/oauth2/callback"],
                    ),
                    "scope": _text(
                        "Scopes",
                        "Asked for at the next authorization. Without offline_access no refresh "
                        "token is given; account_read, if added, tells the account's name.",
                        default="contact_data campaign_data offline_access",
                        examples=["contact_data campaign_data offline_access account_read"],
                    ),
                    "refresh_token": _text(
                        "Refresh token",
                        "Stays empty when you authorize in the Airflow UI. One pasted here, such "
                        "as from the command authorize, counts from the next call on instead of "
                        "the stored tokens.",
                        format="password",
                    ),
                    "rate_plan": _text(
                        "Rate plan",
                        "Of the API key. standard: 4 calls a second, 10,000 a day; partner: 20 and "
                        "250,000.",
                        enum=["standard", "partner", None],
                        default="standard",
                    ),
                    "calls_per_second": _text(
                        "Calls a second",
                        "The plan's if empty. Less, for a key that other software uses too.",
                        examples=["2"],
                    ),
                    "calls_per_day": _text(
                        "Calls a day",
                        "Likewise. Raising it lets tasks go on that wait for the next day.",
                        examples=["5000"],
                    ),
                    "timeout_s": _text(
                        "Timeout (seconds)",
                        "Of one call; 30 if empty.",
                        examples=["30"],
                    ),
                    "authorize_url": _text(
                        "Authorize URL",
                        "The vendor's consent page; its own if empty, as it should be but for a "
                        "simulator.",
                        examples=[vendor.DEFAULT_AUTHORIZE_URL],
                    ),
                    "token_url": _text(
                        "Token URL",
                        "The vendor's token endpoint; likewise.",
                        examples=[vendor.DEFAULT_TOKEN_URL],
                    ),
                    "api_version": _text(
                        "API version", "v3 if empty.", examples=[vendor.DEFAULT_API_VERSION]
                    ),
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
