"""A real PostgreSQL for development: find it, start it, share it, stop it."""

from __future__ import annotations

from pgqueue.embedded.cluster import Server

__all__ = ["Server"]
