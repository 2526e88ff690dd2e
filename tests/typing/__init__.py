"""What type checkers make of the public names: `make check` reads these files, and nobody runs them."""
