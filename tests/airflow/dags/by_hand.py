"""A task of an adopter's own that calls Constant Contact through the hook."""

from airflow.sdk import DAG, task

from constant_contact.hooks.constant_contact import ConstantContactHook


@task
def names() -> list[str]:
    """The lists' names, by the hook's own session."""
    hook = ConstantContactHook()
    with hook.get_conn() as session:
        reply = session.get(f"{hook.base_url}/v3/contact_lists")
    hook.crm.close()
    return [each["name"] for each in reply.json()["lists"]]


with DAG("by_hand", schedule=None):
    names()
