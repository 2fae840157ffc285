# The image of every process of a deployment: Airflow's own, with what this package needs.
#
# Airflow publishes constraints: the versions that its release was tested with. Ours are
# deploy/requirements.txt: the versions that our tests ran with, with hashes, Airflow itself among
# them. Where the two differ, one must win, and it is the set that was tested with this code. So the
# image is the slim one, which brings Airflow's core and hardly a provider: nothing stays in it that
# the constraints chose and our lock did not. Airflow is neither raised nor lowered by that: its
# version stands in the lock and in the line below, and a test keeps the two alike.
FROM apache/airflow:slim-3.3.2-python3.11

WORKDIR /opt/constant_contact
COPY deploy/requirements.txt deploy/
# the lock is whole: whatever is not in it is not installed
RUN pip install --no-cache-dir --require-hashes --no-deps -r deploy/requirements.txt

COPY --chown=airflow:root . .
# editable, for dags, plugins and include must stay beside each other
RUN pip install --no-cache-dir --no-deps --no-build-isolation -e .

# where init finds the command for the CRM's schema, and the demo its simulator; that command wants a
# folder that it may write to
ENV PYTHONPATH=/opt/constant_contact LOCAL_FOLDER=/tmp/constant_contact
