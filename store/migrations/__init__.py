"""Alembic's migrations: ``env.py``, and one module for each step in ``versions``."""
