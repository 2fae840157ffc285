#!/usr/bin/env bash
# Before any process starts, and after each upgrade: both databases, and the first user. Whatever is
# done already is not done again; a user that exists keeps its password.
set -euo pipefail

airflow db migrate
airflow users create --username admin --password "$AIRFLOW_ADMIN_PASSWORD" --role Admin \
    --firstname Airflow --lastname Administrator --email admin@example.org
python -m local.migrate
