-- Purpose: the database of the demo's CRM, beside Airflow's; made with the volume, else unused.
-- Parameters: none.
CREATE DATABASE crm LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' TEMPLATE template0;
