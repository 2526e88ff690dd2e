"""The API of the dashboard: every screen and every action as JSON below `/api/v1`, for programs that show a token."""

from pgqueue.dashboard.api.acts import Acts
from pgqueue.dashboard.api.app import Api
from pgqueue.dashboard.api.tokens import Tokens, hash_token, new_token

__all__ = ["Acts", "Api", "Tokens", "hash_token", "new_token"]
