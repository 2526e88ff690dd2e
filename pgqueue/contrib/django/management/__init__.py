"""What `manage.py` has of pgqueue."""
