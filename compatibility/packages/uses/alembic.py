"""A script of migrations made in memory, and SQL for several databases."""

import io

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations


def answer(number: int) -> str:
    text = io.StringIO()
    context = MigrationContext.configure(
        dialect_name="postgresql", opts={"as_sql": True, "output_buffer": text}
    )
    operations = Operations(context)
    operations.create_table(f"t{number}", sa.Column("id", sa.Integer, primary_key=True))
    operations.add_column(f"t{number}", sa.Column("word", sa.String(number + 1)))
    engine = sa.create_engine("sqlite://", poolclass=sa.pool.NullPool)
    metadata = sa.MetaData()
    sa.Table(f"other{number}", metadata, sa.Column("id", sa.Integer))
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)
    return text.getvalue() + str([each[0] for each in differences])
