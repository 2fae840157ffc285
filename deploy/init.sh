#!/usr/bin/env bash
# Before any process starts, and after each upgrade: both databases, and the first user. Whatever is
# done already is not done again; a user that exists keeps its password.
set -euo pipefail

airflow db migrate
# the command asks for the password twice: arguments are for all of the machine to read, and without
# a terminal it reads what it asks for from its input
printf '%s\n%s\n' "$AIRFLOW_ADMIN_PASSWORD" "$AIRFLOW_ADMIN_PASSWORD" |
    setsid --wait airflow users create --username admin --role Admin \
        --firstname Airflow --lastname Administrator --email admin@example.org
python -m local.migrate
