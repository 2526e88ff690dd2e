"""Alembic's entry: prints the migrations, which pgqueue.migrate runs; or, for developers, runs them."""

import os

import sqlalchemy
from alembic import context

OPTIONS = {"version_table": "alembic_version", "version_table_schema": "pgqueue", "transaction_per_migration": False}


def run_online() -> None:
    url = sqlalchemy.make_url(os.environ["PGQUEUE_DSN"]).set(drivername="postgresql+psycopg")
    with sqlalchemy.create_engine(url).begin() as own:
        run_on(own)


def run_on(connection: sqlalchemy.Connection) -> None:
    context.configure(connection=connection, **OPTIONS)
    with context.begin_transaction():
        context.run_migrations()


def print_sql() -> None:
    context.configure(dialect_name="postgresql", output_buffer=context.config.output_buffer, **OPTIONS)
    with context.begin_transaction():
        context.run_migrations()


if context.is_offline_mode():
    print_sql()
else:
    run_online()
