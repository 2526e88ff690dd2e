"""What may run: a row names code, and the worker decides what it calls; nothing is imported because a row says so."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pgqueue.errors import AppError
from pgqueue.tasks import Modules, Refused, Task, Unknown, callable_tasks, find_task, import_modules, registered

TASKS = """
import os, functools
from os import system
from textwrap import dedent
from elsewhere import imported, send_elsewhere
from pgqueue.tasks import task

API_KEY = "s3cr3t-of-the-shop"

@task(queue='q')
def send(): ...

@task
def _sends_in_private(): ...

def plain(): ...

def _private(): ...

class Thing:
    def method(self): ...

def passing_on(function):
    @functools.wraps(function)
    def call(*args): return function(*args)
    return call

@passing_on
def decorated(): ...

shell = passing_on(os.system)
dedented = passing_on(dedent)

def spoof(): ...
spoof = functools.wraps(spoof)(imported)

def circle(): ...
circle.__wrapped__ = circle

alias = plain
made_of_a_task = send.using(queue='other')
computed = type('Lazy', (), {'__class__': property(lambda self: woken.append(1)), '__repr__': lambda self: 'woken'})()
woken = []

def __getattr__(name):
    woken.append(name)
    return plain
"""
FILES = {
    "shop/__init__.py": "def at_the_top(): ...\n",
    "shop/tasks.py": TASKS,
    "shop/more.py": "def late(): ...\n",
    "shop/said.py": "__all__ = ['open']\ndef open(): ...\ndef closed(): ...\n",
    "shop/maintenance.py": "raise RuntimeError('imported by a row')\n",
    "shop/broken.py": "import nowhere_at_all\n",
    "shop/leaving.py": "raise SystemExit(3)\n",
    "elsewhere.py": "from pgqueue.tasks import task\ndef imported(): ...\nimported.__module__ = 'shop.tasks'\n"
    "@task\ndef send_elsewhere(): ...\n",
    "bare/__init__.py": "",
    "bare/tasks/__init__.py": "from pgqueue.tasks import task\n@task\ndef of_a_package(): ...\n",
    "bare/tasks/deep.py": "from pgqueue.tasks import task\n@task\ndef deep(): ...\n",
    "amiss/__init__.py": "",
    "amiss/tasks.py": "import nowhere_at_all\n",
}
SHOP = Modules(("shop",))
BOTH = Modules(("shop", "shop.tasks"))


@pytest.fixture(autouse=True)
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An app `shop` of several modules, as a worker with `-A shop` has it."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    # Other tests enqueue for a target of the same name, which is no task of this process.
    known = sys.modules[Task.__module__].known
    before = dict(known)
    known.clear()
    import_modules(SHOP)
    yield
    known.clear()
    known.update(before)
    for name in [name for name in sys.modules if name.partition(".")[0] in ("shop", "elsewhere", "bare", "amiss")]:
        del sys.modules[name]


def test_an_app_is_imported_with_its_tasks_and_nothing_else_of_it() -> None:
    assert {name for name in sys.modules if name.partition(".")[0] == "shop"} == {"shop", "shop.tasks"}


def test_a_package_of_tasks_is_imported_and_not_what_is_below_it() -> None:
    import_modules(Modules(("bare",)))
    assert registered("bare.tasks:of_a_package") is not None
    assert "bare.tasks.deep" not in sys.modules


def test_tasks_py_of_an_included_module_is_not_looked_for() -> None:
    import_modules(Modules(include=("bare",)))
    assert "bare.tasks" not in sys.modules


def test_a_registered_task_may_run_wherever_it_stands() -> None:
    for target in ("shop.tasks:send", "shop.tasks:_sends_in_private", "elsewhere:send_elsewhere"):
        assert find_task(target, SHOP) is registered(target)
    assert find_task("shop.tasks:send_elsewhere", BOTH) is registered("elsewhere:send_elsewhere")
    assert find_task("shop.tasks:made_of_a_task", BOTH).options.queue == "other"


def test_public_functions_of_a_named_module_may_run() -> None:
    assert find_task("shop:at_the_top", SHOP).target == "shop:at_the_top"
    for name in ("plain", "decorated", "passing_on"):
        assert find_task(f"shop.tasks:{name}", BOTH).target == f"shop.tasks:{name}"
    assert find_task("shop.tasks:alias", BOTH).target == "shop.tasks:plain"
    import_modules(Modules(("shop",), ("shop.more",)))
    assert find_task("shop.more:late", Modules(("shop",), ("shop.more",))).target == "shop.more:late"


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("os:system", "part of Python"),
        ("subprocess:call", "part of Python"),
        ("builtins:exec", "part of Python"),
        ("shop.tasks:system", "of type builtin_function_or_method"),
        ("shop.tasks:dedent", "defined in textwrap"),
        ("shop.tasks:imported", "defined in elsewhere"),
        ("shop.tasks:spoof", "defined in elsewhere"),
        ("shop.tasks:shell", "defined in (posix|nt|os)"),
        ("shop.tasks:dedented", "defined in textwrap"),
        ("shop.tasks:circle", "wraps itself"),
        ("shop.tasks:Thing", "is a class"),
        ("shop.tasks:os", "of type module"),
        ("shop.tasks:API_KEY", "of type str"),
        ("shop.tasks:computed", "of type Lazy"),
        ("shop.tasks:_private", "begins with an underscore"),
        ("shop.said:closed", "not in __all__"),
        ("shop.tasks:__loader__", "part of Python itself"),
        ("shop.tasks:__getattr__", "part of Python itself"),
        ("shop.tasks:plain.__globals__", "must read"),
        ("shop.tasks:Thing.method", "must read"),
        ("shop.__init__:x", "part of Python itself"),
        ("shop.tasks:os.system", "must read"),
        ("shop.tasks:os:system", "must read"),
    ],
)
def test_what_no_job_may_call_is_refused(target: str, why: str) -> None:
    modules = Modules(("shop", "shop.tasks"), ("shop.said",))
    import_modules(modules)
    with pytest.raises(Refused, match=why) as refusal:
        find_task(target, modules)
    assert "s3cr3t" not in str(refusal.value)
    assert sys.modules["shop.tasks"].woken == []


def test_a_name_that_a_module_would_make_up_is_unknown() -> None:
    with pytest.raises(Unknown, match="has no such function"):
        find_task("shop.tasks:anything", BOTH)
    assert sys.modules["shop.tasks"].woken == []


def test_a_public_name_is_one_of_all_where_the_module_says_so() -> None:
    modules = Modules(include=("shop.said",))
    import_modules(modules)
    assert [task.target for task in callable_tasks(modules) if task.target.startswith("shop.said")] == [
        "shop.said:open"
    ]


@pytest.mark.parametrize(
    "module", ["shop.maintenance", "shop.more", "shop.broken", "shop.leaving", "shop.nothing", "xyz"]
)
def test_no_module_is_imported_because_a_row_names_it(module: str) -> None:
    before = set(sys.modules)
    with pytest.raises(Unknown, match=f"-A {module} or --include {module} does; imported: shop"):
        find_task(f"{module}:wipe", SHOP)
    assert set(sys.modules) == before


def test_a_plain_function_of_tasks_py_waits_for_a_worker_that_names_it() -> None:
    with pytest.raises(Unknown, match=r"it is no @task, and shop\.tasks was not named; -A shop\.tasks or --include"):
        find_task("shop.tasks:plain", SHOP)


def test_tasks_only_leaves_plain_functions_out() -> None:
    modules = Modules(("shop", "shop.tasks"), tasks_only=True)
    assert find_task("shop.tasks:send", modules) is registered("shop.tasks:send")
    with pytest.raises(Refused, match="runs @tasks only"):
        find_task("shop.tasks:plain", modules)
    with pytest.raises(Unknown, match="runs @tasks only"):
        find_task("elsewhere:imported", modules)
    assert not any(task.target.endswith(":plain") for task in callable_tasks(modules))


def test_an_unknown_target_is_told_with_what_was_imported_and_the_nearest() -> None:
    with pytest.raises(Unknown, match=r"imported: shop\.tasks; did you mean shop\.tasks:send\?"):
        find_task("shop.tasks:sendd", Modules(("shop.tasks",)))


def test_a_reloaded_module_replaces_its_tasks_and_functions() -> None:
    before, plain = registered("shop.tasks:send"), find_task("shop.tasks:plain", BOTH).function
    importlib.reload(sys.modules["shop.tasks"])
    assert find_task("shop.tasks:send", SHOP) is not before
    assert find_task("shop.tasks:plain", BOTH).function is not plain


def test_an_app_that_cannot_be_imported_is_named_with_its_error() -> None:
    with pytest.raises(AppError, match=r"cannot import nowhere_at_all: .*PYTHONPATH"):
        import_modules(Modules(("nowhere_at_all",)))
    with pytest.raises(AppError, match=r"cannot import shop\.broken: ModuleNotFoundError.*broken\.py, line 1"):
        import_modules(Modules(("shop",), ("shop.broken",)))
    with pytest.raises(AppError, match=r"cannot import shop\.leaving: SystemExit: 3"):
        import_modules(Modules(("shop.leaving",)))
    with pytest.raises(AppError, match=r"cannot import amiss\.tasks: ModuleNotFoundError.*tasks\.py, line 1"):
        import_modules(Modules(("amiss",)))


@pytest.mark.parametrize("app", ["shop/tasks.py", "./shop/tasks.py", "shop.tasks:send", "shop.tasks.py"])
def test_an_app_that_is_no_module_s_name_is_refused_with_what_was_meant(app: str) -> None:
    with pytest.raises(AppError, match=r"an app is a module, .*; did you mean shop\.tasks\?"):
        import_modules(Modules((app,)))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1\ndef f(:", r"SyntaxError: .* \(.*faulty\.py, line 2\)"),
        ("import pgqueue\n@pgqueue.task\ndef f(): yield", r"TargetError: f is a generator.* \(.*faulty\.py, line 2\)"),
    ],
)
def test_the_line_of_the_user_s_code_is_named(
    text: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "faulty.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(AppError, match=said):
        import_modules(Modules(("faulty",)))
