"""A notebook with every interactive view of the lessons, on small inputs; and what a reader does with each."""

from __future__ import annotations

from collections.abc import Callable

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import Locator, expect

FIND = "import sys; from pathlib import Path; sys.path.insert(0, str(Path.cwd().parent))\nimport torch\nfrom utils import plots"
CELLS = {
    "03": """
from utils.scale_view import scale_view
DIVISORS = (1, 2, 4, 8, 16, 32, 64)
frames = [([112 / d, 96 / d], torch.tensor([112 / d, 96 / d]).softmax(0).tolist()) for d in DIVISORS]
html = scale_view(["Thinking", "Machines"], DIVISORS, frames, start=8)
plots.show_html(html, still=lambda figure: figure.subplots().bar(["Thinking", "Machines"], frames[3][1]), alt="still of 03")
""",
    "04": """
from utils.head_view import draw_heads, head_view
words = "The FBI is chasing a criminal".split()
weights = torch.randn(4, 6, 6, generator=torch.Generator().manual_seed(0)).mul(2).softmax(-1)
plots.show_html(head_view(words, weights), still=lambda figure: draw_heads(figure, words, weights), alt="still of 04")
""",
    "05": """
from utils.rotation_view import rotation_view
angles = torch.arange(40)[:, None] * torch.tensor([1.0, 0.5, 0.2, 0.05])
turned = torch.stack([angles.cos(), angles.sin()], -1).flatten(1)
plots.show_html(rotation_view(turned, turned, farthest=24, position=30, offset=3), still=lambda figure: figure.subplots().plot(angles), alt="still of 05")
""",
    "06": """
from utils.token_view import draw_tokens, merge_view
steps = [[b"l", b"o", b"w", b"e", b"r"], [b"lo", b"w", b"e", b"r"], [b"low", b"e", b"r"], [b"low", b"er"]]
html = merge_view(steps, ["no merge yet", "merge 1: l + o", "merge 2: lo + w", "merge 3: e + r"])
plots.show_html(html, still=lambda figure: draw_tokens(figure.subplots(), steps[-1]), alt="still of 06")
""",
    "07": """
from utils.sampling_view import sampling_view
def draw(logits, temperature, top_k, top_p, generator):
    if temperature == 0:
        return logits.argmax(-1)
    shares, order = (logits / temperature).softmax(-1).sort(descending=True)
    kept = shares * (shares.cumsum(-1) - shares < (top_p or 1.0))
    return order.gather(-1, torch.multinomial(kept, 1, generator=generator))[:, 0]
seen = sampling_view(draw, torch.arange(20) * -0.3, list("abcdefghijklmnopqrst"), "What s")
plots.show_html(seen.html, still=seen.draw, alt="still of 07")
""",
    "08": """
from utils.rollout_view import rollout_view
import itertools
turns = itertools.cycle(["hall", "hall", "hall", "cellar"])
def imagine(obs, action):
    return (-0.1, f"you are in the {next(turns)} . the study is locked . you carry the key .", False)
seen = rollout_view(imagine, "you are in the garden . the study is locked . you carry the key .", lambda obs: ["go north", "wait"], draws=20)
plots.show_html(seen.html, still=seen.draw, alt="still of 08")
""",
}


def notebook() -> NotebookNode:
    """One cell for each view, after one that finds the course."""
    made = new_notebook(metadata={"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}})
    made.cells = [new_code_cell(FIND, id="find"), *(new_code_cell(code.strip(), id=f"view-{name}") for name, code in CELLS.items())]
    nbformat.validate(made)
    return made


def _picture(view: Locator) -> Locator:
    return view.locator("svg, .tokens").first


def _told(view: Locator) -> list[str | None]:
    """What a screen reader is told of the picture: the lines that it reads when they change, and the sliders' values in words."""
    return [*view.locator("[aria-live]").all_inner_texts(), *(s.get_attribute("aria-valuetext") for s in view.get_by_role("slider").all())]


def _changes(view: Locator, act: Callable[[], None]) -> None:
    """Doing this changes the picture, and what a screen reader is told of it."""
    before, told = _picture(view).evaluate("e => e.innerHTML"), _told(view)
    act()
    expect(_picture(view)).to_be_visible()
    assert _picture(view).evaluate("e => e.innerHTML") != before
    assert _told(view) != told


def move_sliders(view: Locator) -> None:
    """Every slider by mouse (left of its middle) and by keyboard."""
    sliders = view.get_by_role("slider")
    assert sliders.count() >= 1
    for slider in sliders.all():
        width = slider.bounding_box()["width"]
        _changes(view, lambda: slider.click(position={"x": 0.2 * width, "y": 8}))
        expect(slider).to_be_focused()
        _changes(view, lambda: slider.press("Home"))
        _changes(view, lambda: slider.press("End"))


def pick_heads(view: Locator) -> None:
    """A head and a token by mouse, then both by keyboard."""
    second = view.get_by_role("button", name="head 2")
    _changes(view, second.click)
    expect(second).to_have_attribute("aria-pressed", "true")
    rows = view.locator(".row")
    _changes(view, rows.nth(2).click)
    _changes(view, lambda: rows.nth(2).press("ArrowDown"))
    expect(rows.nth(3)).to_be_focused()
    _changes(view, lambda: view.get_by_role("button", name="head 1").press("Enter"))
    expect(view.locator("p")).to_contain_text("Head 1,")


def open_branches(view: Locator) -> None:
    """Close the tree by mouse, open it by keyboard, then follow its first branch."""
    boxes = view.locator("svg [role=button]")
    outcomes = boxes.count() - 1
    assert outcomes >= 2
    boxes.first.click()
    expect(boxes).to_have_count(1)
    boxes.first.press("Enter")
    expect(boxes).to_have_count(1 + outcomes)
    expect(boxes.first).to_be_focused()
    boxes.nth(1).focus()
    expect(view.get_by_role("status")).to_contain_text("→")
    boxes.nth(1).press(" ")
    assert boxes.count() > 1 + outcomes
    last = boxes.nth(2)  # of what this opened, at the right end of the tree
    assert last.evaluate("e => e.getBoundingClientRect().right <= e.closest('div').getBoundingClientRect().right + 1"), (
        "it opened out of sight"
    )


USE: dict[str, Callable[[Locator], None]] = {
    "03": move_sliders, "04": pick_heads, "05": move_sliders, "06": move_sliders, "07": move_sliders, "08": open_branches,
}  # fmt: skip
