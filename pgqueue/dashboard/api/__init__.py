"""The API of the dashboard: every screen as JSON below `/api/v1`, for programs that show a token."""

from pgqueue.dashboard.api.app import Api
from pgqueue.dashboard.api.tokens import Tokens, hash_token, new_token

__all__ = ["Api", "Tokens", "hash_token", "new_token"]
