"""The chart's values say what the compose file says.

The chart itself is in no package that can be installed here, and its schema not ours to keep: that
the keys are the chart's is a matter of reading (docs/kubernetes.md says of which version).
"""

import re
from typing import Any

import yaml

from local import deployment
from local.paths import ROOT
from tests.deploy.compose import SERVICES

HELM = ROOT / "deploy" / "helm"
VALUES: dict[str, Any] = yaml.safe_load((HELM / "values.yaml").read_text())
JOB: dict[str, Any] = yaml.safe_load((HELM / "crm-schema.yaml").read_text())
CHARTS_NAMES = {
    "api-server": ("apiServer",),
    "scheduler": ("scheduler",),
    "dag-processor": ("dagProcessor",),
    "triggerer": ("triggerer",),
    "worker": ("workers", "celery"),
}


def of(process: str) -> dict[str, Any]:
    """The chart's section for a process."""
    section = VALUES
    for key in CHARTS_NAMES[process]:
        section = section[key]
    return section


def test_the_settings_are_the_same() -> None:
    wanted = dict(deployment.SETTINGS | deployment.LOGIN)
    assert wanted.pop(deployment.EXECUTOR) == VALUES["executor"]
    compose = SERVICES["worker"]["environment"]
    wanted |= {name: compose[name] for name in deployment.FOLDERS}
    assert {each["name"]: each["value"] for each in VALUES["env"]} == wanted


def test_the_processes_get_as_much_memory() -> None:
    for process in deployment.PROCESSES:
        limit = SERVICES[process]["deploy"]["resources"]["limits"]["memory"]
        assert of(process)["resources"]["limits"]["memory"] == limit.replace("g", "Gi")
    assert of("worker")["replicas"] == deployment.WORKERS


def test_secrets_are_named_and_not_written() -> None:
    assert {each["envName"] for each in VALUES["secret"]} == {
        deployment.CRM, deployment.CONSTANT_CONTACT,
    }  # fmt: skip
    named = {each["secretName"] for each in VALUES["secret"]}
    named |= {VALUES[key] for key in VALUES if key.endswith("SecretName")}
    assert named | {VALUES["data"]["metadataSecretName"]} == {"constant-contact"}
    page = (ROOT / "docs" / "kubernetes.md").read_text()
    keys = {each["secretKey"] for each in VALUES["secret"]}
    keys |= {"connection", "fernet-key", "api-secret-key", "jwt-secret"}
    assert set(re.findall(r"--from-literal=([\w-]+)=", page)) == keys


def test_the_crms_schema_is_made_by_the_same_image() -> None:
    (container,) = JOB["spec"]["template"]["spec"]["containers"]
    image = f"{VALUES['defaultAirflowRepository']}:{VALUES['defaultAirflowTag']}"
    assert container["image"] == image
    assert " ".join(container["command"]) in (ROOT / "deploy" / "init.sh").read_text()
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert f"slim-{VALUES['airflowVersion']}-" in dockerfile
