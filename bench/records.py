"""An earlier run, read back from its JSON lines."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

from pgqueue.bench import before
from pgqueue.bench.beside import Rival
from pgqueue.bench.machine import Machine
from pgqueue.bench.reading import Key, Reading
from pgqueue.bench.run import Results
from pgqueue.bench.sizes import FULL
from pgqueue.bench.targets import judge, targets


def read(file: Path) -> Results:
    """The results that were written there; the targets are judged anew."""
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    (run,) = [line for line in lines if line["kind"] == "run"]
    where = Machine(**{field.name: run[field.name] for field in fields(Machine)})
    found = Results(where, seconds=run["seconds"], command=run["command"])
    found.rounds = [{} for _ in range(run["rounds"])]
    for line in lines:
        match line["kind"]:
            case "reading":
                reading = Reading(Key(line["figure"], line["of"]), line["unit"], line["value"])
                found.rounds[line["round"] - 1][reading.key] = reading
            case "missing":
                found.missing[line["measure"]] = line["why"]
            case "rival":
                found.rivals.append(Rival(line["name"], line["python"]))
    compared = any(key.subject == before.BEFORE for each in found.rounds for key in each)
    found.verdicts = [judge(target, found.rounds) for target in targets(FULL, found.rivals, compared=compared)]
    return found
