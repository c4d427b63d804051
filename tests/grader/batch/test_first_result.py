"""What is imported before the first result of a class: each of these takes a good part of a second."""

import subprocess
import sys

import pytest

from autograde import layout

pytestmark = pytest.mark.slow  # PyTorch is imported anew
COMPILER = """
import sys, torch
from autograde.checking import compiler
from autograde.grader.worker import stand_ins

compiler.put_off()
stand_ins.install()
layer = torch.nn.Linear(2, 2)
optimizer = torch.optim.AdamW(layer.parameters())
layer(torch.ones(2)).sum().backward()
optimizer.step()
optimizer.zero_grad()
{used}
"""


def said(program: str) -> list[str]:
    found = subprocess.run([sys.executable, "-c", program], cwd=layout.ROOT, capture_output=True, text=True, timeout=120)
    assert found.returncode == 0, found.stderr
    return found.stdout.split()


def test_an_optimizer_does_not_bring_the_compiler():
    assert said(COMPILER.format(used="print('torch._dynamo.eval_frame' in sys.modules)")) == ["False"]


@pytest.mark.parametrize(
    "used",
    [
        "import torch._dynamo.config as config",
        "from torch._dynamo import config",
        "config = torch._dynamo.config",
        "from torch._dynamo.utils import counters; config = torch._dynamo.config",
        "from torch._inductor.fx_passes import fuse_attention; config = torch._dynamo.config",
        "torch._dynamo.reset(); import torch._dynamo; config = torch._dynamo.config",
    ],
)
def test_who_uses_the_compiler_has_it(used):
    same = "print(config.suppress_errors, config is sys.modules['torch._dynamo.config'], torch._dynamo is sys.modules['torch._dynamo'])"
    assert said(COMPILER.format(used=f"{used}\n{same}")) == ["False", "True", "True"]


CHECK = """
import sys, torch
from autograde.checking.defaults import plain_defaults

for _ in range(2):
    with plain_defaults():
        torch.ones(2, device="meta") / 2
        {used}
print('torch._dynamo' in sys.modules, '_dynamo' in vars(torch))
twice = torch.compile(lambda x: x * 2, backend="eager")
print(twice(torch.ones(1)).item(), torch._dynamo.utils.counters["frames"]["ok"], len([f for f in sys.meta_path if 'autograde' in type(f).__module__]))
"""


@pytest.mark.parametrize(("used", "imported"), [("", "False"), ("torch._dynamo.config.suppress_errors", "True")])
def test_a_check_leaves_the_compiler_to_the_student(used, imported):
    assert said(CHECK.format(used=used)) == [imported, imported, "2.0", "1", "0"]


def test_graders_start_without_the_gradebook_and_without_jupyters_server():
    heavy = "'nbgrader', 'jupytext', 'jupyter_server', 'torch._dynamo', 'matplotlib'"
    assert said(f"import sys, autograde.grader.run.task; print(*{{{heavy}}} & set(sys.modules))") == []


CHECKS = """
import sys
from autograde import layout
from autograde.checking import compiler
compiler.put_off()
from autograde.grader.worker import preloaded
preloaded._import((*preloaded.PRELOAD, *preloaded._utils(str(layout.ROOT))))
from autograde.authoring.strength.mutation import Bench
from autograde.checking import pretend_gpu
from autograde.checking.scoring import run_checks
pretend_gpu.prepare()
bench = Bench(layout.resolve("{lesson}"))
before = set(sys.modules)
checks = [bench.lesson.checks[e.name] for e in bench.lesson.exercises.values() if not e.outcome]
assert all(outcome.passed for some in checks for outcome in run_checks(some, bench.student())[0])
print(*set(sys.modules) - before)
"""


@pytest.mark.parametrize("lesson", layout.lesson_names())
def test_what_answers_use_is_imported_before_workers_are_isolated(lesson):
    """At levels that show a worker no files, what PyTorch then imports would be missing; at others it is imported anew for each submission."""
    assert said(CHECKS.format(lesson=lesson)) == []
