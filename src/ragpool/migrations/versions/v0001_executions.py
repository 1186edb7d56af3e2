"""The first table: executions and how they ended."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "executions",
        sa.Column("execution_id", sa.String(128), primary_key=True),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("query", sa.Text, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True)),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.Column("results", sa.JSON, nullable=False),
        sa.Column("error", sa.JSON),
    )
    op.create_index("executions_by_age", "executions", ["created_at", "execution_id"])


def downgrade() -> None:
    op.drop_table("executions")
