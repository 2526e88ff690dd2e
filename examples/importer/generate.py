"""Makes the file: `python -m importer.generate orders.csv 100000`. The same rows each time, a few of them broken."""

import csv
import datetime
import random
import sys
from pathlib import Path

CITIES = ("Köln", "Paris", "São Paulo", "大阪", "Los Angeles, CA", 'The "Hague"')
# One line in so many is no order.
BROKEN_EVERY = 997


def generate(path: Path, rows: int) -> None:
    """Write a CSV file with so many lines of orders below its header."""
    chance = random.Random(42)
    first = datetime.date(2024, 1, 1)
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["customer", "city", "ordered", "amount"])
        for number in range(1, rows + 1):
            ordered = first + datetime.timedelta(days=chance.randrange(700))
            amount = "free" if number % BROKEN_EVERY == 0 else f"{chance.randrange(100, 1_000_000) / 100:.2f}"
            table.writerow([f"customer {chance.randrange(5_000)}", chance.choice(CITIES), ordered, amount])


if __name__ == "__main__":
    generate(Path(sys.argv[1]), int(sys.argv[2]))
