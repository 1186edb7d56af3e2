"""Whose an execution is, and which replica answers for it for how long."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    for column in (
        sa.Column("caller", sa.String(64)),
        sa.Column("attempt", sa.Integer, nullable=False, server_default="1"),
        sa.Column("request", sa.JSON),
        sa.Column("owner", sa.String(128)),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True)),
    ):
        op.add_column("executions", column)
    op.create_index("executions_by_caller", "executions", ["caller", "created_at"])
    op.create_index("executions_by_lease", "executions", ["status", "heartbeat_at"])


def downgrade() -> None:
    op.drop_index("executions_by_lease", "executions")
    op.drop_index("executions_by_caller", "executions")
    for name in ("heartbeat_at", "owner", "request", "attempt", "caller"):
        op.drop_column("executions", name)
