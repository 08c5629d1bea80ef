"""What was said about the columns and words of a file, for the next file with the same headers."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table of mappings."""
    op.create_table(
        "mappings",
        sa.Column("mapping_key", sa.String(length=200), nullable=False),
        sa.Column("role", sa.String(length=40), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("who", sa.String(length=80), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("mapping_key", name=op.f("pk_mappings")),
    )


def downgrade() -> None:
    """Remove the table, and with it what was remembered."""
    op.drop_table("mappings")
