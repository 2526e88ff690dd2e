"""The version of this code; pyproject.toml takes it from here."""

__version__ = "0.2.0"


def numbers(release: str) -> tuple[int, ...]:
    """The numbers of a release, to be compared: "0.10.0" is later than "0.9.1"."""
    return tuple(int(number) for number in release.split("."))
