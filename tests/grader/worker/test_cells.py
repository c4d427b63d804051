"""Cells and scripts of a notebook in the grader: each fails for itself, in the order in which they ran at home, and what is missing here is told."""

import pytest
import torch

from autograde.checking.errors import (
    MissingName,
    StudentDied,
    StudentError,
    StudentTimeout,
)
from autograde.grader.run.session import Session


def test_each_cell_fails_for_itself(make):
    session = make(
        "%matplotlib inline\n!rm -rf /\n%%bogus\nx = 1",
        "import nothing_like_it",
        "def f(:\n  pass",
        "%%time\ndef g(): return 2",
        "from autograde.notebook import open_lesson\nlesson = open_lesson('3', globals())\nlesson.check(1)\nlesson.scoreboard()",
        "import asyncio\nz = await asyncio.sleep(0, 5)\nget_ipython().run_line_magic('pip', 'x')\nfiles = !ls\nprint?",
        "def h(): return z\n1 / 0\ndef never(): pass",
        "raise SystemExit(3)",
        "assert input() == ''",
        "import inspect, dataclasses\n@dataclasses.dataclass\nclass D:\n    x: int = 1\ndef k(): pass\ninspect.getsource(k)",
        "display(1); display(D())",
        "from autograde import expect\nimport autograde.checking.runner\nexpect.close(1, 2)",
    )
    status = [r.status for r in session.results.values()]
    assert status == ["ok", "error", "error", "ok", "ok", "ok", "error", "error", "error", "ok", "ok", "ok"], session.results
    student = session.student()
    assert student.g() == 2 and student.h() == 5 and student.has("h") and not student.has("never")
    assert "invalid syntax" in session.results["cell2"].message and session.results["cell2"].line.startswith("line 1:")
    assert session.results["cell6"].line == "line 2: 1 / 0" and "ModuleNotFoundError" in session.results["cell1"].message
    assert "SystemExit" in session.results["cell7"].message and "EOFError" in session.results["cell8"].message
    with pytest.raises(MissingName, match="its cell failed: SyntaxError"):
        student.f()


def test_a_cell_that_hangs_or_dies_costs_itself_only(make):
    session = make(
        "def a(): return 1", "while True: pass", "import os; os._exit(3)", "def b(): return 2",
        "def slow():\n    while True: pass", cell_seconds=0.3
    )  # fmt: skip
    assert [r.status for r in session.results.values()] == ["ok", "timeout", "died", "ok", "ok"]
    student = session.student()
    assert student.a() + student.b() == 3
    with pytest.raises(StudentTimeout), student.test(0.2):
        student.slow()
    with pytest.raises(StudentDied):
        student.a()
    with student.test():
        assert student.a() == 1


def test_objects_of_a_process_that_ended_say_so(make):
    session = make("class A: pass\ndef f(x): return 1")
    before = session.student().A()
    session.start()
    with pytest.raises(StudentDied):
        session.student().f(before)
    with pytest.raises(StudentDied):
        before.anything()


@pytest.mark.slow
def test_cells_are_not_run_again_for_ever(make):
    session = make("import time; time.sleep(0.5)", "def f():\n    import os; os._exit(1)", cells_seconds=1)
    for _ in range(10):
        with pytest.raises(StudentDied), session.test():
            session.student().f()
    assert session.clock.restarts <= 0


def test_what_a_missing_package_takes_along_is_told(make):
    session = make("import nosuchpackage as ns\nscale = ns.scale()\ndef helper(x): return x", "def answer(x): return helper(x) * scale")
    assert session.student().helper(3) == 3
    with pytest.raises(StudentError, match="name 'scale' is not defined .*import nosuchpackage as ns.* No module named 'nosuchpackage'"):
        session.student().answer(1)


DECORATED = {  # a package that is not here, and decorators of it
    "an attribute": ("import nosuch", "@nosuch.jit\ndef f(x): return x"),
    "called": ("import nosuch as ns", "@ns.jit(cache=True)\ndef f(x): return x"),
    "imported by name": ("from nosuch import jit", "@jit\ndef f(x): return x"),
    "as an argument": ("import functools\nfrom nosuch import jit", "@functools.partial(jit, static=0)\ndef f(x): return x"),
    "made of it": ("import nosuch\njit = nosuch.jit(parallel=True)", "@jit\ndef f(x): return x"),
    "in the same cell": ("import nosuch\n@nosuch.jit\ndef f(x): return x",),
    "tried": ("try:\n    import nosuch\nexcept ImportError:\n    pass", "@nosuch.jit\ndef f(x): return x"),
    "tried in the same cell": ("try:\n    from nosuch import jit\nexcept ImportError:\n    print('no')\n@jit\ndef f(x): return x",),
    "tried, and None instead": ("try:\n    from nosuch import jit\nexcept ImportError:\n    jit = None", "@jit\ndef f(x): return x"),
    "tried, and None instead, in the same cell": (
        "try:\n    import nosuch\nexcept ImportError:\n    nosuch = None\n@nosuch.jit(cache=True)\ndef f(x): return x",
    ),
    "of a method": ("import nosuch", "class C:\n    @nosuch.jit\n    def f(self, x): return x\nf = C().f"),
    "of a class": ("import nosuch", "@nosuch.checked\nclass C:\n    def f(self, x): return x\nf = C().f"),
    "of an inner function": ("import nosuch", "def f(x):\n    @nosuch.jit\n    def g(): return x\n    return g()"),
    "in a block": ("import nosuch", "if True:\n    @nosuch.jit\n    def f(x): return x"),
    "below an annotation of it": ("import nosuch", "@nosuch.jit\ndef f(x: nosuch.Array): return x"),
}


@pytest.mark.parametrize("cells", DECORATED.values(), ids=DECORATED)
def test_a_decorator_of_a_missing_package_is_left_out_and_told(make, cells):
    session = make(*cells)
    assert session.student().f(3) == 3
    [note] = session.notes()
    assert "nosuch" in note and "left out" in note


@pytest.mark.parametrize(
    "cells",
    [
        ("@njit\ndef f(x): return x",),  # no import failed: a mistake at home, too
        ("import math\n@math.nothing\ndef f(x): return x",),
        ("jit = None\n@jit\ndef f(x): return x",),
    ],
)
def test_a_decorator_that_is_a_mistake_at_home_is_one_here(make, cells):
    session = make(*cells)
    with pytest.raises(MissingName):
        session.student().f  # noqa: B018
    assert not session.notes()


MODULES = {  # a module of a package that is not here
    "an attribute": ("import nosuch.lightning as pl", "pl.LightningModule"),
    "by name": ("from nosuch import Module", "Module"),
    "tried": ("try:\n    import nosuch as pl\nexcept ImportError:\n    pl = None", "pl.Module"),
    "beside another base": ("import nosuch", "Counted, nosuch.Module"),
}
OWN_MODULE = """
class Counted:
    def count(self): return sum(p.numel() for p in self.parameters())

class Layer({base}):
    def __init__(self, d):
        super().__init__()
        self.w = torch.nn.Parameter(torch.ones(d))
    def forward(self, x): return self.w * x

def f(d): return (Layer(d)(torch.ones(d)).sum() + len(Layer(d).state_dict())).item()
"""


@pytest.mark.parametrize(("package", "base"), MODULES.values(), ids=MODULES)
def test_a_module_of_a_missing_package_is_one_of_pytorchs_and_told(make, package, base):
    session = make("import torch", package, OWN_MODULE.format(base=base))
    assert session.student().f(3) == 4.0
    [note] = session.notes()
    assert "nosuch" in note and "`Layer` is made of `torch.nn.Module`" in note


CALLED = {  # a call that only prints or keeps a log, of a package that is not here
    "by name": ("from nosuch import ic", "ic(x)"),
    "an attribute": ("import nosuch", "nosuch.log({'x': x})"),
    "of what it gives": ("import nosuch as sns", "sns.heatmap(x, annot=True).set(title='x')"),
    "in a block": ("import nosuch", "if x:\n        nosuch.log(x)"),
    "in an inner function": ("import nosuch", "def g():\n        nosuch.log(x)\n    g()"),
    "tried": ("try:\n    import nosuch\nexcept ImportError:\n    nosuch = None", "nosuch.log(x)"),
}


@pytest.mark.parametrize(("package", "call"), CALLED.values(), ids=CALLED)
def test_a_call_of_a_missing_package_whose_value_nobody_takes_is_left_out_and_told(make, package, call):
    session = make(package, f"def f(x):\n    {call}\n    return x")
    assert session.student().f(3) == 3
    [note] = session.notes()
    assert "nosuch" in note and "is left out of `f`" in note


@pytest.mark.parametrize("call", ["y = nosuch.f(x)", "return nosuch.f(x)", "nosuch.f", "print(nosuch.f(x))"])
def test_what_takes_the_value_of_a_missing_packages_call_stops_there(make, call):
    session = make("import nosuch", f"def f(x):\n    {call}\n    return x")
    with pytest.raises(StudentError, match="import nosuch"):
        session.student().f(3)


@pytest.mark.parametrize(
    "cells", [("import nosuch", "class C(nosuch.Base):\n    def f(self): return 1"), ("class C(Base):\n    def forward(self): return 1",)]
)
def test_another_base_that_is_missing_is_told_as_what_it_is(make, cells):
    session = make(*cells)
    with pytest.raises(MissingName, match="nosuch|Base"):
        session.student().C  # noqa: B018


def test_a_decorator_that_the_student_defines_instead_is_kept(make):
    session = make(
        "try:\n    from nosuch import twice\nexcept ImportError:\n    def twice(f): return lambda x: 2 * f(x)", "@twice\ndef f(x): return x"
    )
    assert session.student().f(3) == 6
    assert not session.notes()


def test_cells_that_ran_in_another_order_at_home_run_in_it(make):
    session = make("@own\ndef f(x): return x", "def own(f): return lambda x: 2 * f(x)", "def g(x=SIZE): return x", "SIZE = 3")
    assert session.student().f(3) == 6 and session.student().g() == 3
    assert ["`own`" in note or "`SIZE`" in note for note in session.notes()] == [True, True]


@pytest.mark.parametrize(
    "cells", [("@own\ndef f(x): return x", "def f(x): return 1\ndef own(f): return f"), ("@own\ndef f(x): return x", "x = 1")]
)
def test_a_cell_runs_again_only_where_that_is_its_turn(make, cells):
    session = make(*cells)
    assert not session.notes()
    assert session.student().has("f") == ("return 1" in cells[1])


HELPER = "%%writefile helper.py\nimport nosuch\nTHEME = nosuch.theme()\ndef own(x): return x\ndef told(x): return nosuch.told(x)\n"


def test_a_package_that_a_script_lacks_costs_only_what_needs_it(make):
    cells = (
        "from helper import own\nimport helper",
        "from helper import THEME",
        "def f(x): return own(x)",
        "def g(x): return helper.told(x)",
    )
    session = make(HELPER, *cells, "def h(x): return THEME", "def i(x): return helper.THEME")
    assert session.student().f(3) == 3
    for name in "ghi":
        with pytest.raises(StudentError, match="import nosuch.* No module named 'nosuch'"):
            getattr(session.student(), name)(1)


def test_a_mistake_in_a_script_is_one_here(make):
    session = make("%%writefile helper.py\ndef own(x): return x\n1 / 0", "from helper import own", "def f(x): return own(x)")
    with pytest.raises(StudentError, match="own"):
        session.student().f(3)


def test_scripts_are_written_run_and_imported_as_at_home(make, server):
    session = make(
        "%%writefile helper.py\nimport math\ndef own(x):\n    return math.floor(x)",
        "%%writefile -a helper.py\nSIZE = 3",
        "from helper import own\nimport helper",
        "%run more.py",
        "def f(x): return own(x) + helper.SIZE",
    )
    assert session.student().f(2.5) == 5
    assert any("more.py" in note for note in session.notes())
    with Session([("a", "import other\n%run more.py"), ("b", "def f(x): return other.own(x) + MORE")], server=server,
                 helpers={"other.py": "HERE = __file__\ndef own(x):\n    return x", "more.py": "MORE = 4"}) as session:  # fmt: skip
        assert session.student().f(1) == 5 and not session.notes()


def test_a_script_takes_the_place_of_nothing_that_is_there(make):
    session = make(
        "%%writefile torch.py\nx = 1",
        "%%writefile random.py\nx = 1",
        "import torch, random\ndef f(): return random.random() < 1, len(torch.ones(2))",
    )
    assert session.student().f() == (True, 2)


def test_what_is_deleted_below_its_use_is_there_for_it(make):
    session = make(
        "def own(x): return x\ndata = {1: 2}\nmax = 3",
        "def f(x): return max(own(x), 1), len(data)",
        "del own, data[1], max\nif True:\n    del data",
    )
    assert session.student().f(4) == (4, 0)


@pytest.mark.parametrize(
    "cell",
    [
        "import os\nkey = os.environ['API_KEY']",
        "import sqlite3\nsqlite3.connect('x.db').execute('create table t (x)')",
        "from IPython import get_ipython\nget_ipython().run_line_magic('matplotlib', 'inline')",
        "from IPython.core.getipython import get_ipython\nget_ipython().system('ls')",
        "print(_, In, Out)",
        "import seaborn as sns\nsns.set_theme()",
    ],
)
def test_a_cell_goes_on_below_what_only_a_students_machine_has(make, cell):
    assert make(cell + "\ndef f(x): return x").student().f(3) == 3


@pytest.mark.parametrize("last", ["_", "__", "_3", "Out[3]"])
def test_a_result_without_a_name_is_told_to_be_none(make, last):
    session = make(f"kept = {last}\ndef g(x): return x", "def f(x): return kept", "for _ in range(2):\n    pass")
    assert session.student().g(1) == 1
    with pytest.raises(StudentError, match="'kept' is not defined .*give the result a name"):
        session.student().f(1)


def test_a_cell_that_stops_at_a_mistake_stops_there(make):
    session = make("x = 1\nraise ValueError('no')\ny = 2")
    assert session.student().x == 1
    with pytest.raises(MissingName, match="no"):
        session.student().y  # noqa: B018


def test_a_future_import_lasts_as_in_a_notebook(make):
    session = make("from __future__ import annotations", "def f(x: Nowhere) -> Nobody: return x")
    assert session.student().f(2) == 2


def test_compilers_and_defaults_are_left_out(make):
    session = make(
        """
        import torch
        torch.set_default_device("cuda")
        torch.set_default_dtype(torch.float64)
        @torch.compile(mode="max-autotune")
        def f(n): return torch.ones(n)
        g = torch.jit.script(f)
        model = torch.compile(torch.nn.Linear(2, 3))
        model.compile()
        """
    )
    assert session.student().f(2).dtype == session.student().g(2).dtype == torch.float32
    assert set(session.student().model.state_dict()) == {"weight", "bias"}
