"""Every change of one node of a reference answer, such as `<` for `<=`: the checks catch it, or a list says why it changes nothing."""

from __future__ import annotations

import ast
import copy
import multiprocessing
import resource
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import torch

from autograde.authoring.strength import equivalents
from autograde.authoring.strength.mutation import Bench
from autograde.authoring.strength.trial import Trial

SECONDS = 3  # of a processor, beyond ten times what the right answer takes: an endless loop is caught by its end
MEMORY = 8 << 30
LARGE = 100  # a number from which on one more is as good as none
OPERATORS: dict[type, type] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mod, ast.Mod: ast.FloorDiv, ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.And: ast.Or, ast.Or: ast.And,
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
ORDERED = (ast.Sub, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow, ast.MatMult)  # operands that are not as good the other way round


@dataclass(frozen=True)
class Mutant:
    """An answer with one node changed. `change` names it within its exercise, whatever stands around it."""

    exercise: str
    change: str
    code: str


def mutants(exercise: str, answer: str) -> list[Mutant]:
    """All that differ from the answer, and from each other, in what they do when they are read as code."""
    tree = ast.parse(answer)
    found, known, counts = [], {ast.unparse(tree)}, {}  # type: ignore[var-annotated]
    for place, node in enumerate(_nodes(tree)):
        for new in _changed(node):
            code = ast.unparse(_with(tree, place, new))
            if code in known:
                continue
            known.add(code)
            words = f"{_one_line(node)} → {_one_line(new)}"
            counts[words] = counts.get(words, 0) + 1
            found.append(Mutant(exercise, words if counts[words] == 1 else f"{words} ({counts[words]})", code))
    return found


def _nodes(tree: ast.AST) -> list[ast.AST]:
    """What may be changed: neither annotations nor texts that only explain, such as an error's."""
    left_out: set[int] = set()
    for node in ast.walk(tree):
        hints = [getattr(node, "annotation", None), getattr(node, "returns", None), *getattr(node, "decorator_list", [])]
        texts: list[ast.AST] = [node] if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) else []
        texts += node.exc.args if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) else []
        left_out |= {id(part) for one in (*hints, *texts) if one is not None for part in ast.walk(one)}
    return [node for node in ast.walk(tree) if id(node) not in left_out]


def _changed(node: ast.AST) -> Iterator[ast.AST]:
    new = copy.deepcopy(node)
    match new:
        case ast.BinOp() | ast.BoolOp() | ast.AugAssign() if type(new.op) in OPERATORS:
            new.op = OPERATORS[type(new.op)]()
            yield new
        case ast.Compare():
            yield from _other_comparisons(new)
        case ast.UnaryOp():
            yield new.operand
        case ast.Constant(value=bool() as value):
            yield ast.Constant(not value)
        case ast.Constant(value=int() | float() as value):
            yield from (ast.Constant(value + 1), ast.Constant(value - 1)) if abs(value) < LARGE else (ast.Constant(value * 2),)
        case ast.IfExp():
            yield ast.IfExp(new.test, new.orelse, new.body)
        case ast.Call():
            yield from _other_calls(new)
        case ast.Assign() | ast.AugAssign() | ast.Expr() | ast.Raise() | ast.If() | ast.For() | ast.While() | ast.Break() | ast.Continue():
            yield ast.Pass()
    if isinstance(node, ast.BinOp) and isinstance(node.op, ORDERED):
        yield ast.BinOp(node.right, node.op, node.left)
    if isinstance(node, ast.AugAssign):
        yield ast.Pass()


def _other_comparisons(node: ast.Compare) -> Iterator[ast.AST]:
    for i, op in enumerate(node.ops):
        if type(op) in OPERATORS:
            yield ast.Compare(node.left, [*node.ops[:i], OPERATORS[type(op)](), *node.ops[i + 1 :]], node.comparators)


def _other_calls(node: ast.Call) -> Iterator[ast.AST]:
    for i in range(len(node.args) - 1):
        swapped = [*node.args[:i], node.args[i + 1], node.args[i], *node.args[i + 2 :]]
        yield ast.Call(node.func, swapped, node.keywords)
    for i in range(len(node.keywords)):
        yield ast.Call(node.func, node.args, [*node.keywords[:i], *node.keywords[i + 1 :]])


def _with(tree: ast.Module, place: int, new: ast.AST) -> ast.Module:
    """A copy of the tree with `new` at that place of `_nodes`."""
    whole = copy.deepcopy(tree)
    old = _nodes(whole)[place]

    class Put(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> Any:
            return new if node is old else self.generic_visit(node)

    return ast.fix_missing_locations(Put().visit(whole))


def _one_line(node: ast.AST) -> str:
    return " ".join(ast.unparse(node).split())[:80]


def caught(trial: Trial, mutant: Mutant) -> bool:
    """Whether a check fails on it, or its process ends before all have passed: of a hang, for want of memory, by itself."""
    fork = multiprocessing.get_context("fork")
    here, there = fork.Pipe(duplex=False)
    process = fork.Process(target=_try, args=(trial, mutant, there))
    process.start()
    there.close()
    try:
        survived = here.recv()
    except EOFError:
        survived = False
    process.join()
    return not survived


def _try(trial: Trial, mutant: Mutant, answer: Connection) -> None:
    torch.set_num_threads(1)  # OpenMP's other threads stayed in the parent: waiting for them takes no processor time and never ends
    limit = SECONDS + round(10 * trial.seconds)
    resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    names = dict(trial.bench.reference)
    try:
        exec(compile(mutant.code, f"<mutant of {mutant.exercise}>", "exec", dont_inherit=True), names)
        answer.send(trial.passes(names[mutant.exercise], names))
    except BaseException:  # one that fails before any check is caught, too
        answer.send(False)


def of_lesson(bench: Bench) -> list[Mutant]:
    """Those of all exercises that checks grade."""
    graded = [e.name for e in bench.lesson.exercises.values() if e.outcome is None]
    return [mutant for name in graded for mutant in mutants(name, bench.source.answer(name))]


def complaints(bench: Bench, tried: Sequence[Mutant]) -> list[str]:
    """The mutants that survive without a reason in the list, and those in the list that are caught."""
    trials = {name: Trial(bench, name) for name in {mutant.exercise for mutant in tried}}
    verdicts = [(mutant, not caught(trials[mutant.exercise], mutant)) for mutant in tried]
    lines = [equivalents.complaint(bench.source.name, mutant.exercise, mutant.change, survived) for mutant, survived in verdicts]
    return list(filter(None, lines))
