"""What a lesson's files of tests, oracles and wrong answers must be; read as text, so that nothing of them has to run."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeGuard

from autograde import layout
from autograde.authoring.rules.edits import replaced
from autograde.authoring.source import Source, SourceError, text_of
from autograde.checking.syntax import bound, is_magic

Definition = ast.FunctionDef | ast.ClassDef
PROBES = ("PROBES", "DEVICE_PROBES")


def unreadable(name: str) -> list[str]:
    """The first mistake of each file that is not Python."""
    found = []
    for path in filter(
        Path.is_file, (layout.checks_path(name), layout.hidden_path(name), layout.oracles_path(name), layout.misconceptions_path(name))
    ):
        try:
            ast.parse(text_of(path))
        except SourceError as error:
            found.append(str(error))
        except SyntaxError as error:
            found.append(f"{_place(path, error.lineno or 1)}: this is not Python: {error.msg}")
    return found


def complaints(lesson: Source) -> list[str]:
    """What no lesson may have; of files that are Python."""
    checks, hidden, wrong = (_parsed(of(lesson.name)) for of in (layout.checks_path, layout.hidden_path, layout.misconceptions_path))
    tests = [(path, node) for path, tree in (checks, hidden) for node in tree.body if _is_test(node)]
    answers = [(wrong[0], node, exercise) for node in wrong[1].body for exercise in set(_decorated(node, "misconception", "variant"))]
    return [
        *_of_one_name("test", [(path, node, "") for path, node in tests]),
        *_of_one_name("answer to", answers),
        *_untitled(tests),
        *_called_otherwise(tests),
        *_without_public_test(lesson, *checks),
        *_of_no_exercise(lesson, tests),
        *_of_no_name(lesson, *checks),
        *_of_no_name(lesson, *hidden),
        *_wrong_answers(lesson, *wrong),
        *_unknown_probes(lesson, *checks),
        *_without_oracles(lesson.name, *checks),
    ]


def notes(lesson: Source) -> list[str]:
    """Exercises without a probe: `check` cannot call their mistakes by name."""
    known = {key.value for name, key in _probes(_parsed(layout.checks_path(lesson.name))[1]) if name == PROBES[0]}
    lacking = [e.name for e in lesson.exercises.values() if e.points and not e.outcome and e.name not in known]
    return [f"no probe, by which mistakes are recognised, for {', '.join(lacking)}"] if lacking else []


def _parsed(path: Path) -> tuple[Path, ast.Module]:
    return path, ast.parse(text_of(path) if path.is_file() else "")


def _place(path: Path, line: int) -> str:
    return f"{path.relative_to(layout.ROOT).as_posix()}:{line}"


def _is_test(node: ast.stmt) -> TypeGuard[ast.FunctionDef]:
    return isinstance(node, ast.FunctionDef) and node.name.startswith("test_")


def _decorated(node: ast.stmt, *decorators: str) -> Iterator[str]:
    """The first argument of each decorator of these names, such as the exercise of `@pytest.mark.exercise("…")`."""
    for call in node.decorator_list if isinstance(node, Definition) else ():
        if isinstance(call, ast.Call) and ast.unparse(call.func).split(".")[-1] in decorators:
            yield from (str(argument.value) for argument in call.args[:1] if isinstance(argument, ast.Constant))


def _of_one_name(what: str, nodes: Iterable[tuple[Path, Any, str]]) -> Iterator[str]:
    """Python keeps one of two tests of one name; of two wrong answers nobody can tell which is meant."""
    first: dict[tuple[str, str], str] = {}
    for path, node, of in nodes:
        place = _place(path, node.lineno)
        if (of, node.name) in first:
            yield f"{place}: a second {f'{what} {of}'.strip()} is called {node.name}; the first is at {first[of, node.name]}. Rename one"
        first.setdefault((of, node.name), place)


def _untitled(tests: Iterable[tuple[Path, ast.FunctionDef]]) -> Iterator[str]:
    for path, node in tests:
        if not ast.get_docstring(node):
            yield f"{_place(path, node.lineno)}: {node.name} has no docstring, the line that students read of it"


def _without_public_test(lesson: Source, path: Path, tree: ast.Module) -> Iterator[str]:
    tested = {exercise for node in tree.body for exercise in _decorated(node, "exercise")}
    for name in lesson.exercises if path.is_file() else ():
        if name not in tested:
            yield f"{_place(path, 1)}: no public test of {name}: its check would tell a student nothing"


def _called_otherwise(tests: Iterable[tuple[Path, ast.FunctionDef]]) -> Iterator[str]:
    """Tests that no exercise has, that take something other than the student, or count for nothing."""
    for path, node in tests:
        marks = [call for call in node.decorator_list if isinstance(call, ast.Call)]
        given = {name.strip() for names in _decorated(node, "parametrize") for name in names.split(",")}
        # a list of names, or names that are computed: nothing is known of these
        known = all(
            isinstance(call.args[0], ast.Constant) for call in marks if ast.unparse(call.func).endswith("parametrize") and call.args
        )
        arguments = {argument.arg for argument in node.args.args}
        if not list(_decorated(node, "exercise")):
            yield f'{_place(path, node.lineno)}: {node.name} is of no exercise: write @pytest.mark.exercise("NAME") above it'
        if "student" not in arguments or known and arguments - given - {"student"}:
            yield f"{_place(path, node.lineno)}: {node.name} takes {ast.unparse(node.args) or 'nothing'}: a test takes student, and what it is parametrized by"
        for weight in (word.value for call in marks for word in call.keywords if word.arg == "weight"):
            if isinstance(weight, ast.Constant) and (not isinstance(weight.value, (int, float)) or weight.value <= 0):
                yield f"{_place(path, weight.lineno)}: weight={weight.value!r} of {node.name}: a weight is a number above 0"


def _of_no_name(lesson: Source, path: Path, tree: ast.Module) -> Iterator[str]:
    """`student.looking_distanse`: the test would fail for everyone."""
    from autograde.checking.student import Student  # imports PyTorch

    code = [ast.parse(cell.source) for cell in lesson.cells if cell.defines and not is_magic(cell.source)]
    names = {name for module in code for name in bound(module.body)} | set(lesson.exercises) | set(vars(Student))
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "student" and node.attr not in names:
            meant = difflib.get_close_matches(node.attr, names, n=1)
            hint = f": is {meant[0]} meant?" if meant else ""
            yield f"{_place(path, node.lineno)}: student.{node.attr}, which the lesson does not define{hint}"


def _wrong_answers(lesson: Source, path: Path, tree: ast.Module) -> Iterator[str]:
    """Wrong and unusual answers of no exercise, without a sentence, or that change what the right answer does not hold."""
    answers = {cell.exercise: cell.source for cell in lesson.cells if cell.exercise}
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        if (kind := ast.unparse(call.func).split(".")[-1]) not in ("misconception", "variant"):
            continue
        given = [str(argument.value) for argument in call.args if isinstance(argument, ast.Constant)]
        if given and given[0] not in lesson.exercises:
            yield f"{_place(path, call.lineno)}: an answer to {given[0]!r}, which is no exercise of the lesson"
            continue
        if (
            kind == "misconception"
            and len(call.args) > 1
            and isinstance(call.args[1], ast.Constant)
            and not str(call.args[1].value or "").strip()
        ):
            yield f"{_place(path, call.lineno)}: this misconception has no sentence, and so would count as a right answer"
        for edit in (word.value for word in call.keywords if word.arg == "replace"):
            if given and (why := _wrong_edit(answers.get(given[0], ""), given[0], edit)):
                yield f"{_place(path, call.lineno)}: {why}"


def _wrong_edit(answer: str, name: str, edit: ast.expr) -> str:
    """The first text that an edit of these cannot find, each in what the ones before it left, or that it leaves no Python."""
    try:
        value = ast.literal_eval(edit)
    except ValueError:
        return ""
    for old, new in (value,) if isinstance(value[0], str) else value:
        edited = replaced(answer, old, new)
        if edited is None:
            return f"replaces {old!r}, which the answer of {name} does not hold"
        answer = edited
    try:
        ast.parse(answer)
    except SyntaxError as error:
        return f"with this edit the answer of {name} is no Python: {error.msg}"
    return ""


def _of_no_exercise(lesson: Source, tests: Iterable[tuple[Path, ast.FunctionDef]]) -> Iterator[str]:
    """As behind a slip of the pen."""
    for path, node in tests:
        for name in _decorated(node, "exercise"):
            if name not in lesson.exercises:
                yield f"{_place(path, node.lineno)}: {node.name} is of {name!r}, which is no exercise of the lesson"


def _probes(tree: ast.Module) -> Iterator[tuple[str, ast.Constant]]:
    """(`PROBES` or `DEVICE_PROBES`, each key)."""
    for node in tree.body:
        target, value = (
            (node.targets[0], node.value) if isinstance(node, ast.Assign) else (getattr(node, "target", None), getattr(node, "value", None))
        )
        if isinstance(target, ast.Name) and target.id in PROBES and isinstance(value, ast.Dict):
            yield from ((target.id, key) for key in value.keys if isinstance(key, ast.Constant))


def _unknown_probes(lesson: Source, path: Path, tree: ast.Module) -> Iterator[str]:
    for name, key in _probes(tree):
        if key.value not in lesson.exercises:
            yield f"{_place(path, key.lineno)}: {name} has {key.value!r}, which is no exercise of the lesson"


def _without_oracles(name: str, path: Path, tree: ast.Module) -> Iterator[str]:
    """Without them a build would write down that nothing is expected."""
    asked = next((n for n in ast.walk(tree) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name) and n.func.id == "oracles"), None)
    oracles = layout.oracles_path(name)
    if asked and not oracles.is_file():
        yield f"{_place(path, asked.lineno)}: asks for oracles, but there is no {oracles.relative_to(layout.ROOT).as_posix()}"
