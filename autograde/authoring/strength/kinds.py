"""Kinds of mistake that any answer can make, each as a change of a right one: numbers in float32, a cache by shape, an argument
that is forgotten, an error that is missing."""

from __future__ import annotations

import copy
import dataclasses
import functools
import inspect
from collections.abc import Callable, Collection, Mapping
from typing import Any

import torch

from autograde.authoring.strength import equivalents
from autograde.authoring.strength.mutation import Bench
from autograde.authoring.strength.trial import Trial
from autograde.checking.expect import is_record

Call = Callable[..., Any]
PLAIN = (int, float, bool)  # arguments that a cache may well be kept by
NO_ERROR = "raises no error"
CHANGES, KEEPS, ALL_BUT = "changes ", "keeps the first ", "caches by all but "  # before an argument's name
KEPT = (*PLAIN, int | None, float | None)  # arguments of which something may be kept for the next call, such as a table, and masks
CHANGEABLE = ("Tensor", "list", "dict", "Sequence", "Iterable", "Collection", "TabularModel", "TabularMDP", "Experience")
Change = Callable[[Call, tuple, dict[str, Any]], Any]  # what becomes of a call of the right answer with these arguments


def altered(right: Any, kind: str) -> Any:
    """The right answer with one kind of mistake; of a class, in each of its public methods."""
    if not isinstance(right, type):
        change = _change(kind, right)
        return functools.wraps(right)(lambda *args, **kwargs: change(right, args, kwargs))
    public = {name: method for name, method in methods(right).items() if name != "__init__" or kind == NO_ERROR}
    return type(right.__name__, (right,), {name: _method(method, _change(kind, method)) for name, method in public.items()})


def _change(kind: str, right: Call) -> Change:
    prefix = next((prefix for prefix in OF_AN_ARGUMENT if kind.startswith(prefix)), "")
    return OF_AN_ARGUMENT[prefix](right, kind.removeprefix(prefix)) if prefix else KINDS[kind](right)


def methods(right: Any) -> dict[str, Call]:
    """What a class lets others call, its making included; of a function the function itself."""
    if not isinstance(right, type):
        return {right.__name__: right}
    named = {name: value for name, value in vars(right).items() if inspect.isfunction(value)}
    return {name: value for name, value in named.items() if name == "__init__" or not name.startswith("_")}


def _method(right: Call, change: Change) -> Call:
    return functools.wraps(right)(lambda self, *args, **kwargs: change(functools.partial(right, self), args, kwargs))


def shapes(right: Call) -> list[list[str]]:
    """For each argument, by its annotation, the names of its dimensions: `["*batch", "T", "d"]`; nothing for what is no tensor."""
    hints = [parameter.annotation for parameter in inspect.signature(right).parameters.values()]
    return [str(getattr(hint, "dim_str", "")).split() for hint in hints]


def in_float32(right: Call) -> Change:
    """What comes in float64 is computed in float32, and only the result is converted back."""

    def change(call: Call, args: tuple, kwargs: dict[str, Any]) -> Any:
        if not any(x.dtype == torch.float64 for x in _tensors((args, kwargs))):
            return call(*args, **kwargs)
        narrow, named = _each_tensor((args, kwargs), functools.partial(_cast, old=torch.float64, new=torch.float32))
        module = call.args[0] if isinstance(call, functools.partial) else None
        if isinstance(module, torch.nn.Module):  # its parameters are narrowed for this call only; it calls this very method
            weights = {**dict(module.named_parameters()), **dict(module.named_buffers())}
            call = functools.partial(torch.func.functional_call, module, _each_tensor(weights, _narrow))
            return _each_tensor(call(narrow, named), functools.partial(_cast, old=torch.float32, new=torch.float64))
        return _each_tensor(call(*narrow, **named), functools.partial(_cast, old=torch.float32, new=torch.float64))

    return change


def without_gradient(right: Call) -> Change:
    """The result is cut off from the inputs."""
    return lambda call, args, kwargs: _each_tensor(call(*args, **kwargs), torch.Tensor.detach)


def cached_by_shape(right: Call) -> Change:
    """What was computed for arguments of these shapes, lengths and numbers is given again for others of the same."""
    known: dict[Any, Any] = {}

    def change(call: Call, args: tuple, kwargs: dict[str, Any]) -> Any:
        key = (id(getattr(call, "args", (None,))[0]), _shape(args), _shape(kwargs))
        if key not in known:
            known[key] = call(*args, **kwargs)
        return known[key]

    return change


def argument_changed(right: Call, name: str) -> Change:
    """Afterwards a tensor that the caller gave under this name holds other values; a list or dict, also in a dataclass, has lost its own."""
    signature = inspect.signature(right)

    def change(call: Call, args: tuple, kwargs: dict[str, Any]) -> Any:
        result = copy.copy(call(*args, **kwargs))
        given = signature.bind(*getattr(call, "args", ()), *args, **kwargs).arguments  # of a method, the object first
        _spoil(given.get(name))
        return result

    return change


def argument_kept(right: Call, name: str) -> Change:
    """The argument's first value is used again where all others are of the same sizes: what was made of it stood in a cache."""
    signature = inspect.signature(right)
    kept: dict[Any, Any] = {}

    def change(call: Call, args: tuple, kwargs: dict[str, Any]) -> Any:
        given = _given(signature, call, args, kwargs)
        value = given.arguments[name]
        own = _shape(value) if isinstance(value, torch.Tensor) else None
        given.arguments[name] = kept.setdefault((_sizes_but(given, name), own), value)
        return right(*given.args, **given.kwargs)

    return change


def cached_by_others(right: Call, name: str) -> Change:
    """What was computed is given again where all arguments but this one are of the same sizes and numbers."""
    signature = inspect.signature(right)
    known: dict[Any, Any] = {}

    def change(call: Call, args: tuple, kwargs: dict[str, Any]) -> Any:
        given = _given(signature, call, args, kwargs)
        value = given.arguments[name]
        key = _sizes_but(given, name), None if isinstance(value, (*PLAIN, str, type(None))) else _shape(value)
        if key not in known:
            known[key] = call(*args, **kwargs)
        return known[key]

    return change


def _given(signature: inspect.Signature, call: Call, args: tuple, kwargs: dict[str, Any]) -> inspect.BoundArguments:
    """All arguments of a call by name; of a method, the object first."""
    given = signature.bind(*getattr(call, "args", ()), *args, **kwargs)
    given.apply_defaults()
    return given


def _sizes_but(given: inspect.BoundArguments, name: str) -> tuple:
    others = ((key, value) for key, value in given.arguments.items() if key != name)
    return tuple((key, id(value) if key == "self" else _shape(value)) for key, value in others)


def own_generator(right: Call) -> Change:
    """Draws come from a generator that the answer makes, never the same twice."""

    def change(call: Call, args: tuple, kwargs: dict[str, Any]) -> Any:
        def other(value: Any) -> Any:
            if not isinstance(value, torch.Generator):
                return value
            fresh = torch.Generator(device=value.device)
            fresh.seed()
            return fresh

        return call(*map(other, args), **{key: other(value) for key, value in kwargs.items()})

    return change


def generator_not_advanced(right: Call) -> Change:
    """Draws come from a copy of the generator: the caller's next call gets the same ones again."""

    def change(call: Call, args: tuple, kwargs: dict[str, Any]) -> Any:
        states = [(x, x.get_state()) for x in (*args, *kwargs.values()) if isinstance(x, torch.Generator)]
        result = call(*args, **kwargs)
        for generator, state in states:
            generator.set_state(state)
        return result

    return change


def without_errors(right: Call) -> Change:
    """Where a ValueError is promised, nothing is said."""

    def change(call: Call, args: tuple, kwargs: dict[str, Any]) -> Any:
        try:
            return call(*args, **kwargs)
        except ValueError:
            return None

    return change


def on_the_cpu(right: Call) -> Change:
    """The result is made on the CPU, wherever the inputs are."""
    return lambda call, args, kwargs: _each_tensor(call(*args, **kwargs), torch.Tensor.cpu)


def other_in_eval_mode(right: Call) -> Change:
    """A module that is not being trained gives other numbers: a mask or a factor hangs on `self.training`."""

    def change(call: Call, args: tuple, kwargs: dict[str, Any]) -> Any:
        result, module = call(*args, **kwargs), call.args[0] if isinstance(call, functools.partial) else None
        if getattr(module, "training", True):
            return result
        return _each_tensor(result, lambda x: x + 1 if x.is_floating_point() else x)

    return change


def needs_a_batch(right: Call) -> Change:
    """Arguments without a batch dimension are refused."""
    return _refusing(right, lambda batch_dimensions: batch_dimensions == 0)


def one_batch_dimension(right: Call) -> Change:
    """Arguments with more than one batch dimension are refused."""
    return _refusing(right, lambda batch_dimensions: batch_dimensions > 1)


def _refusing(right: Call, refused: Callable[[int], bool]) -> Change:
    named = shapes(right)

    def change(call: Call, args: tuple, kwargs: dict[str, Any]) -> Any:
        given = [*getattr(call, "args", ()), *args]  # of a method, the object first
        for value, dimensions in zip(given, named):
            if dimensions[:1] == ["*batch"] and isinstance(value, torch.Tensor) and refused(value.ndim - len(dimensions) + 1):
                raise IndexError(f"{value.ndim} dimensions")
        return call(*args, **kwargs)

    return change


def applies(kind: str, right: Any, code: str) -> bool:
    """Whether an answer of this signature and code can make the mistake at all."""
    arguments = [p for method in methods(right).values() for p in inspect.signature(method).parameters.values() if p.name != "self"]
    dimensions = [named for method in methods(right).values() for named in shapes(method) if named]
    results = " ".join(str(inspect.signature(method).return_annotation) for method in methods(right).values())
    floating = any("Float[" in str(argument.annotation) for argument in arguments)
    differentiable = floating and "Float[" in results
    drawing, batched = any(p.name == "generator" for p in arguments), any(named[0] == "*batch" for named in dimensions)
    return {
        "computes in float32": floating,
        "cuts the gradient": differentiable,
        "caches by shape": any(argument.annotation not in PLAIN for argument in arguments),
        "has a generator of its own": drawing,
        "leaves the generator as it was": drawing,
        NO_ERROR: "raise ValueError" in code,
        "works on the CPU only": bool(dimensions) and "Tensor" in results,
        "is another layer in eval mode": isinstance(right, type) and issubclass(right, torch.nn.Module),
        "needs a batch dimension": batched,
        "has one batch dimension at most": batched,
    }[kind]


KINDS: dict[str, Callable[[Call], Change]] = {
    "computes in float32": in_float32,
    "cuts the gradient": without_gradient,
    "caches by shape": cached_by_shape,
    "has a generator of its own": own_generator,
    "leaves the generator as it was": generator_not_advanced,
    NO_ERROR: without_errors,
    "works on the CPU only": on_the_cpu,
    "is another layer in eval mode": other_in_eval_mode,
    "needs a batch dimension": needs_a_batch,
    "has one batch dimension at most": one_batch_dimension,
}


OF_AN_ARGUMENT: dict[str, Callable[[Call, str], Change]] = {CHANGES: argument_changed, KEEPS: argument_kept, ALL_BUT: cached_by_others}


def complaints(bench: Bench, exercises: Collection[str] = ()) -> list[str]:
    """The kinds that survive in an exercise they apply to without a reason in the list, and those in the list that are caught."""
    found = []
    for exercise in bench.lesson.exercises.values():
        if exercise.outcome is None and (not exercises or exercise.name in exercises):
            right, trial = bench.reference[exercise.name], Trial(bench, exercise.name)
            for kind in that_apply(bench, exercise.name):
                # made anew for the hidden checks, as in the grader: they are asked of another process
                survived = all(trial.passes(altered(right, kind), hidden=hidden) for hidden in (False, True))
                found.append(equivalents.complaint(bench.source.name, exercise.name, kind, survived))
    return list(filter(None, found))


def that_apply(bench: Bench, exercise: str) -> list[str]:
    """The kinds that an answer to the exercise can make."""
    right, code = bench.reference[exercise], bench.source.answer(exercise)
    named = {p.name: str(p.annotation) for method in methods(right).values() for p in inspect.signature(method).parameters.values()}
    changed = [f"{CHANGES}{name}" for name, hint in named.items() if "Callable" not in hint and any(word in hint for word in CHANGEABLE)]
    return [kind for kind in KINDS if applies(kind, right, code)] + changed + forgetful(right)


def forgetful(right: Any) -> list[str]:
    """The kinds that forget to look at an argument: its methods' that could keep something of it, but not what an object is made with, and not
    where a call draws, or asks a function: nobody keeps what comes of that."""
    found: dict[str, None] = {}
    for method in (method for name, method in methods(right).items() if name != "__init__"):
        hints = {p.name: p.annotation for p in inspect.signature(method).parameters.values() if p.name not in ("self", "device")}
        found |= dict.fromkeys(f"{ALL_BUT}{name}" for name, hint in hints.items() if hint in PLAIN)
        if not any(name == "generator" or "Callable" in str(hint) for name, hint in hints.items()):
            found |= dict.fromkeys(f"{KEEPS}{name}" for name, hint in hints.items() if hint in KEPT or "Bool[" in str(hint))
    return list(found)


def _cast(x: torch.Tensor, old: torch.dtype, new: torch.dtype) -> torch.Tensor:
    return x.to(new) if x.dtype == old else x


def _narrow(x: torch.Tensor) -> torch.Tensor:
    return x.float() if x.is_floating_point() else x


def _each_tensor(value: Any, change: Callable[[torch.Tensor], torch.Tensor]) -> Any:
    """The value with every tensor in its tuples, lists, dicts and dataclasses changed."""
    if isinstance(value, torch.Tensor):
        return change(value)
    if type(value) in (list, tuple):
        return type(value)(_each_tensor(item, change) for item in value)
    if isinstance(value, Mapping) and type(value) is dict:
        return {key: _each_tensor(item, change) for key, item in value.items()}
    if is_record(value):
        return dataclasses.replace(value, **{f.name: _each_tensor(getattr(value, f.name), change) for f in dataclasses.fields(value)})
    return value


def _tensors(value: Any) -> list[torch.Tensor]:
    found: list[torch.Tensor] = []

    def keep(x: torch.Tensor) -> torch.Tensor:
        found.append(x)
        return x

    _each_tensor(value, keep)
    return found


def _shape(value: Any) -> Any:
    """All that a careless cache looks at."""
    if isinstance(value, torch.Tensor):
        return value.shape, value.dtype, value.device.type, value.requires_grad
    if type(value) is dict or isinstance(value, (str, bytes)):
        return type(value), len(value)
    if type(value) in (list, tuple):
        return type(value), tuple(map(_shape, value))
    if is_record(value):
        return tuple(_shape(getattr(value, f.name)) for f in dataclasses.fields(value))
    return value if isinstance(value, (bool, int, float, type(None))) else type(value)


def _spoil(value: Any) -> None:
    if isinstance(value, torch.Tensor) and value.numel():
        with torch.no_grad():
            value.copy_(~value if value.dtype == torch.bool else value + 1)
    elif type(value) in (list, dict):
        value.clear()
    elif is_record(value):
        for f in dataclasses.fields(value):
            _spoil(getattr(value, f.name))
