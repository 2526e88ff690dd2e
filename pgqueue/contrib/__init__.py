"""One module or folder a framework; nothing else imports it."""
