"""Django's migrations of the app: pgqueue's own, as one operation."""
