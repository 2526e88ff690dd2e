"""A Python that runs the Python blocks of one page in order, in one module: `python -m tests.docs.session`.

Each line of its input is a JSON object: the environment, the place of the block and its text. It answers with one
line: the traceback, or nothing. Of what a block prints it says nothing; blocks assert what they promise.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
import json
import os
import sys
import traceback
import types


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    module = types.ModuleType("page")
    sys.modules["page"] = module
    sys.path.insert(0, os.getcwd())
    with asyncio.Runner() as runner:
        for line in sys.stdin:
            given = json.loads(line)
            os.environ.update(given["env"])
            answers.write(json.dumps(_run(module, given["place"], given["text"], runner)) + "\n")
            answers.flush()


def _run(module: types.ModuleType, place: str, text: str, runner: asyncio.Runner) -> str:
    page, line = place.rsplit(":", 1)
    try:
        # The empty lines make a traceback name the page's own line.
        code = compile("\n" * int(line) + text, page, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        if code.co_flags & inspect.CO_COROUTINE:
            runner.run(eval(code, vars(module)))
        else:
            exec(code, vars(module))
    except BaseException:
        return traceback.format_exc()
    return ""


if __name__ == "__main__":
    main()
