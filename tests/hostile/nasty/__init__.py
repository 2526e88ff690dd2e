"""Tasks that no worker should have to meet; each module is one kind of nastiness."""
