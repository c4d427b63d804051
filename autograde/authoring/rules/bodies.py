"""What tests and wrong answers must hold: nothing that is printed, drawn anew each time, compared in vain or never run."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from pathlib import Path

from autograde import layout
from autograde.authoring.source import Source, text_of

MARKS = {"exercise", "trivial", "parametrize", "filterwarnings"}
DRAWS = {"rand", "randn", "randint", "randperm", "normal", "bernoulli", "multinomial", "random", "choice", "choices", "shuffle", "sample", "uniform", "gauss", "permutation"}  # fmt: skip
SOURCES = {"torch", "random", "np.random", "numpy.random"}
COMPARES = {"expect.close", "expect.equal"}  # (got, want)
MAKES = {"student", "torch", "np", "math", *dir(builtins)}  # what these make is looked at by no one
Function = ast.FunctionDef | ast.AsyncFunctionDef


def complaints(lesson: Source) -> list[str]:
    found = list[str]()
    for of in (layout.checks_path, layout.hidden_path):
        found += _of_tests(*_parsed(of(lesson.name)))
    return [*found, *_of_answers(lesson, *_parsed(layout.misconceptions_path(lesson.name)))]


def _parsed(path: Path) -> tuple[Path, ast.Module]:
    return path, ast.parse(text_of(path) if path.is_file() else "")


def _of_tests(path: Path, tree: ast.Module) -> Iterator[str]:
    where = path.relative_to(layout.ROOT).as_posix()
    for node in tree.body:
        if isinstance(node, Function):
            yield from _of_marks(where, node)
            if node.name.startswith("test_"):
                yield from _of_test(where, node)
    yield from _titled_alike(where, tree)
    for call in (call for call in ast.walk(tree) if isinstance(call, ast.Call)):
        name = ast.unparse(call.func)
        if name in ("print", "breakpoint", "pdb.set_trace"):
            yield f"{where}:{call.lineno}: {name} in a test: students and graders would see it"
        if _draws_anew(call):
            yield f"{where}:{call.lineno}: {name} draws anew each time: expect.rand(…, seed=N), or a generator with a seed"


def _marks(node: Function) -> list[ast.expr]:
    return [mark for mark in node.decorator_list if ast.unparse(mark).startswith("pytest.mark.")]


def _of_marks(where: str, node: Function) -> Iterator[str]:
    for mark in _marks(node):
        if (name := ast.unparse(mark).split(".")[2].split("(")[0]) not in MARKS:
            yield f"{where}:{mark.lineno}: there is no mark {name!r}; known are {', '.join(sorted(MARKS))}"
    if _marks(node) and not node.name.startswith("test_"):
        yield f"{where}:{node.lineno}: {node.name} is never run: the name of a test begins with test_"


def _titled_alike(where: str, tree: ast.Module) -> Iterator[str]:
    """Two tests of one exercise with one title."""
    seen: dict[tuple[str, str], str] = {}
    for node in (node for node in tree.body if isinstance(node, Function) and node.name.startswith("test_")):
        of = next((ast.unparse(mark.args[0]) for mark in _marks(node) if isinstance(mark, ast.Call) and mark.args), "")
        title = ast.get_docstring(node) or ""
        if title and (of, title) in seen:
            yield f"{where}:{node.lineno}: the title of {node.name} is that of {seen[of, title]}, too: students tell tests by their titles"
        seen.setdefault((of, title), node.name)


def _of_test(where: str, node: Function) -> Iterator[str]:
    looks = any(
        isinstance(part, (ast.Assert, ast.Raise))
        or isinstance(part, ast.Call)
        and ast.unparse(part.func).split(".")[0].split("(")[0] not in MAKES
        for statement in node.body
        for part in ast.walk(statement)
    )
    for part in ast.walk(node):
        if isinstance(part, ast.Expr) and isinstance(part.value, ast.Compare):
            yield f"{where}:{part.lineno}: a comparison that nothing is made of: expect.equal(got, wanted)"
            looks = True  # one line for one mistake
        if isinstance(part, ast.Assert) and isinstance(part.test, ast.Tuple):
            yield f"{where}:{part.lineno}: this assertion never fails: its brackets hold two things. Write assert …, message without them"
    for line in _other_way_round(node):
        yield f"{where}:{line}: what the student gave comes first, and then what is expected: the message would call the answer expected"
    if not looks:
        yield f"{where}:{node.lineno}: {node.name} looks at no result: nothing can fail it but an exception"


def _other_way_round(node: Function) -> Iterator[int]:
    """Lines where the second argument of a comparison is the student's, and the first is not."""
    theirs = {"student"}

    def of_student(part: ast.expr) -> bool:
        return any(isinstance(name, ast.Name) and name.id in theirs for name in ast.walk(part))

    for part in _in_order(node):
        if isinstance(part, ast.Assign) and of_student(part.value):
            theirs |= {name.id for target in part.targets for name in ast.walk(target) if isinstance(name, ast.Name)}
        if isinstance(part, ast.For) and of_student(part.iter):
            theirs |= {name.id for name in ast.walk(part.target) if isinstance(name, ast.Name)}
        if isinstance(part, ast.Call) and ast.unparse(part.func) in COMPARES and len(part.args) > 1:
            if of_student(part.args[1]) and not of_student(part.args[0]):
                yield part.lineno


def _in_order(node: ast.AST) -> Iterator[ast.AST]:
    """As it is written, not level by level."""
    for part in ast.iter_child_nodes(node):
        yield part
        yield from _in_order(part)


def _draws_anew(call: ast.Call) -> bool:
    name, seeded = ast.unparse(call.func), any(word.arg == "generator" for word in call.keywords)
    source, _, draw = name.rpartition(".")
    return not seeded and source in SOURCES and draw in DRAWS


def _of_answers(lesson: Source, path: Path, tree: ast.Module) -> Iterator[str]:
    """Wrong answers that could not be called as the exercise is: they would fail whatever a test looks at."""
    where = path.relative_to(layout.ROOT).as_posix()
    taken = {name: _taken(lesson, name) for name in lesson.exercises}
    for node in tree.body:
        for decorator in node.decorator_list if isinstance(node, (ast.FunctionDef, ast.ClassDef)) else ():
            called = ast.unparse(decorator).split("(")[0].split(".")[-1]
            if called not in ("misconception", "variant"):
                continue
            if not isinstance(decorator, ast.Call):
                yield f'{where}:{decorator.lineno}: write @{called}("NAME"{", SENTENCE" if called == "misconception" else ""})'
                continue
            if called == "misconception" and len(decorator.args) + len(decorator.keywords) < 2:
                yield f"{where}:{decorator.lineno}: this misconception has no sentence, which says to its student what is wrong"
            name = str(decorator.args[0].value) if decorator.args and isinstance(decorator.args[0], ast.Constant) else ""
            edit = any(word.arg == "replace" for word in decorator.keywords)  # of the right answer's text: the function below says nothing
            if isinstance(node, ast.FunctionDef) and not edit and (wanted := taken.get(name)) is not None and not _takes(node.args, wanted):
                yield f"{where}:{node.lineno}: {node.name} cannot be called as {name} is, with {wanted} arguments: it would fail for that alone"


def _taken(lesson: Source, name: str) -> int | None:
    """How many arguments the exercise's function wants by position, where it is a function."""
    cell = next((cell for cell in lesson.cells if cell.exercise == name), None)
    body = ast.parse(cell.source).body if cell else []
    found = next((node for node in body if isinstance(node, ast.FunctionDef) and node.name == name), None)
    return len(found.args.posonlyargs + found.args.args) - len(found.args.defaults) if found else None


def _takes(given: ast.arguments, wanted: int) -> bool:
    names = len(given.posonlyargs + given.args)
    return bool(given.vararg) and names - len(given.defaults) <= wanted or names - len(given.defaults) <= wanted <= names
