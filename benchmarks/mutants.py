"""Mutants: does a test fail when a line of the core is wrong?

    python benchmarks/mutants.py                   # every module of SUBJECTS
    python benchmarks/mutants.py footprint zonal   # some

The tests of a module are run once as it is. Then, for one small change at a time, a fork takes
the changed code into the loaded module and runs the tests again, the quickest first, until one
fails. No file is changed. What survives is printed: it wants a test, a shorter line, or a reason
(`docs/reliability.md`). Kernels that are changed are interpreted. Not for Windows, which has no
fork.
"""

from __future__ import annotations

import ast
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from inspect import isclass, isfunction
from pathlib import Path
from types import ModuleType

import pytest
from _pytest.runner import runtestprotocol

ROOT = Path(__file__).parents[1]
MACRO, P1812, ITM = (f"tests/radio/test_{name}.py" for name in ("macro_models", "p1812", "itm"))
# Each module with the arguments of pytest; its examples are run as well.
SUBJECTS = {
    "footprint": "tests/test_footprint.py -m 'not realdata'",
    "zonal": "tests/test_zonal.py -m 'not realdata'",
    "indicators": "tests/test_indicators.py -m 'not realdata'",
    "crosswalk": "tests/test_crosswalk.py",
    "radio.freespace": MACRO,
    "radio.tr38901": MACRO,
    "radio.limits": MACRO,
    "radio.p1812": P1812,
}
# The same where kernels are changed: without the examples, which round what only a compiled kernel
# returns, and without what holds sums of float32 to more digits than an interpreted one has.
KERNELS = {
    "zonal_kernels": "tests/test_zonal.py -m 'not realdata' -k 'not dense_arrays'",
    "radio.normal": P1812,
    "radio.diffraction": P1812,
    "radio.p1812_kernel": P1812,
    "radio.itm": ITM,
    "radio.itm_reference": ITM,
    "radio.itm_terrain": ITM,
    "radio.itm_variability": ITM,
}

OTHERS: dict[type[ast.AST], tuple[type[ast.AST], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE), ast.LtE: (ast.Lt, ast.Gt), ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt), ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,), ast.IsNot: (ast.Is,), ast.In: (ast.NotIn,), ast.NotIn: (ast.In,),
    ast.And: (ast.Or,), ast.Or: (ast.And,), ast.Add: (ast.Sub,), ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div,), ast.Div: (ast.Mult,), ast.FloorDiv: (ast.Mult,), ast.Mod: (ast.Mult,),
    ast.Pow: (ast.Mult,), ast.BitAnd: (ast.BitOr,), ast.BitOr: (ast.BitAnd,),
}  # fmt: skip
STATEMENTS = (ast.AugAssign, ast.Break, ast.Continue, ast.Expr, ast.Raise)
# Words for people, and what only a type checker reads.
UNREAD = (ast.JoinedStr, ast.Import, ast.ImportFrom, ast.Raise)
UNREAD_FIELDS = ("annotation", "returns", "decorator_list")


def change(old: ast.AST) -> Iterator[ast.AST]:
    """Yield what may stand for a node: another operator, a near number, nothing."""
    for other in OTHERS.get(type(old), ()):
        yield other()
    match old:
        case ast.Constant(value=bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(value=int(value)):
            yield ast.Constant(value + 1)
        case ast.Constant(value=float(value)):  # small ones are tolerances
            yield ast.Constant(value * 1.01 if abs(value) > 1e-3 else value + 1.0)
        case ast.Constant(value=str(value)) if value.isidentifier():  # not a word for people
            yield ast.Constant(value + "X")
        case ast.UnaryOp(operand=operand):
            yield operand
        case ast.Return(value=ast.AST()):
            yield ast.Return(ast.Constant(None))
        case ast.IfExp() | ast.If():
            yield type(old)(ast.UnaryOp(ast.Not(), old.test), old.body, old.orelse)
            if not old.orelse:
                yield ast.Pass()
        case ast.Assign(targets=[ast.Subscript()]):
            yield ast.Pass()
    if isinstance(old, STATEMENTS):
        yield ast.Pass()


def is_unread(node: ast.AST) -> bool:
    """Whether a node is a docstring, a list of names, or a check that linters ask for."""
    match node:
        case ast.Expr(value=ast.Constant()) | ast.keyword(arg="strict"):
            return True
        case ast.Assign(targets=[ast.Name(id="__all__")]):
            return True
    return False


def find_nodes(node: ast.AST, line: int = 0) -> Iterator[tuple[int, ast.AST, str, int | None]]:
    """Yield the line, the parent, its field and the place in it of all nodes that may change."""
    for field, value in ast.iter_fields(node):
        for place, child in enumerate(value if isinstance(value, list) else [value]):
            if field in UNREAD_FIELDS or not isinstance(child, ast.AST) or is_unread(child):
                continue
            at = getattr(child, "lineno", line)
            yield at, node, field, place if isinstance(value, list) else None
            if not isinstance(child, UNREAD):
                yield from find_nodes(child, at)


def make_mutants(source: str) -> Iterator[tuple[str, ast.Module]]:
    """Yield each changed tree with what was changed; it is valid until the next one."""
    tree = ast.parse(source)
    lines = ast.unparse(tree).splitlines()
    for at, node, field, place in list(find_nodes(tree)):
        kept = getattr(node, field)
        for new in change(kept if place is None else kept[place]):
            as_list = [] if place is None else [*kept[:place], new, *kept[place + 1 :]]
            setattr(node, field, new if place is None else as_list)
            now = ast.unparse(ast.fix_missing_locations(tree)).splitlines()
            for was, is_now in zip(lines, now, strict=False):
                if was != is_now:
                    pairs = enumerate(zip(was, is_now, strict=False))
                    same = next((i for i, pair in pairs if pair[0] != pair[1]), 0)
                    said = (text[max(same - 40, 0) : same + 40].strip() for text in (was, is_now))
                    yield f"{at}: {'  ->  '.join(said)}", tree
                    break
        setattr(node, field, kept)


def take_in(module: ModuleType, tree: ast.Module) -> None:
    """Put the code of a tree into a loaded module; who has imported a function has it changed."""
    changed = {"__name__": module.__name__, "__file__": module.__file__}
    exec(compile(tree, str(module.__file__), "exec"), changed)  # noqa: S102
    for name, new in changed.items():
        old = vars(module).get(name)
        if getattr(new, "__module__", module.__name__) != module.__name__ or name[:2] == "__":
            continue
        if isfunction(new):
            swap(old, new)
        elif isclass(new):
            for key, member in vars(new).items():
                swap(vars(old).get(key), member)
        else:
            for other in list(sys.modules.values()):
                if getattr(other, "__dict__", {}).get(name) is old:
                    setattr(other, name, new)


def swap(old: object, new: object) -> None:
    """Give a function, or what a property or class method is made of, the code of another."""
    for inner in ("__func__", "fget", "func"):
        old, new = getattr(old, inner, old), getattr(new, inner, new)
    if isfunction(old) and isfunction(new):
        old.__code__, old.__defaults__ = new.__code__, new.__defaults__
        old.__kwdefaults__ = new.__kwdefaults__


class Hunt:
    """A plugin of pytest that runs the tests it is given, and again for each mutant."""

    def __init__(self, module: str, path: Path) -> None:
        self.module, self.path = f"phusong.{module}", path
        self.seconds: dict[str, float] = {}
        self.made = self.killed = 0

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        for item in session.items:
            begin = time.perf_counter()
            if not self.passes(item):
                raise pytest.UsageError(f"{item.nodeid} fails as it is")
            self.seconds[item.nodeid] = time.perf_counter() - begin
        items = sorted(session.items, key=lambda item: self.seconds[item.nodeid])
        if not self.survives(ast.parse(self.path.read_text(encoding="utf-8")), items):
            raise pytest.UsageError(f"{self.module}: its tests fail in a fork, as it is")
        capture = session.config.pluginmanager.getplugin("capturemanager")
        for said, tree in make_mutants(self.path.read_text(encoding="utf-8")):
            self.made += 1
            if self.survives(tree, items):
                with capture.global_and_fixture_disabled():
                    print(f"{self.module}:{said}", flush=True)
            else:
                self.killed += 1
        return True

    def survives(self, tree: ast.Module, items: list[pytest.Item]) -> bool:
        """Whether all tests pass with another tree; a change that never ends is no survivor."""
        child = os.fork()
        if child:
            return os.waitpid(child, 0)[1] == 0
        signal.alarm(10 + int(3 * sum(self.seconds.values())))
        try:
            take_in(sys.modules[self.module], tree)
            os._exit(0 if all(self.passes(item) for item in items) else 1)
        except BaseException:  # noqa: BLE001
            os._exit(1)

    def passes(self, item: pytest.Item) -> bool:
        if isinstance(item, pytest.DoctestItem):  # it empties its names when it has run
            item.dtest.globs.update(vars(sys.modules[self.module]))
        return not any(report.failed for report in runtestprotocol(item, log=False))


def main() -> None:
    os.chdir(ROOT)
    sys.dont_write_bytecode = True
    asked = sys.argv[1:] or [*SUBJECTS, *KERNELS]
    if len(asked) > 1:  # each in a process of its own: kernels are interpreted, or not
        for module in asked:
            subprocess.run([sys.executable, __file__, module], check=True)  # noqa: S603
        return
    module, begin = asked[0], time.perf_counter()
    path = ROOT / "coverage" / "phusong" / f"{module.replace('.', '/')}.py"
    if module in KERNELS:
        os.environ["NUMBA_DISABLE_JIT"] = "1"
    call = shlex.split(KERNELS.get(module) or f"{SUBJECTS[module]} {path}")
    hunt = Hunt(module, path)
    options = ["-q", "-p", "no:cacheprovider", "-p", "no:faulthandler", "--hypothesis-seed=0"]
    code = pytest.main([*options, *call], plugins=[hunt])
    seconds = time.perf_counter() - begin
    print(f"{module}: {hunt.made} mutants, {hunt.killed} killed, {seconds:.0f} s")
    sys.exit(code)


if __name__ == "__main__":
    main()
