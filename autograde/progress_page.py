"""How far a student is, as one page: every lesson with its milestones, points and minutes left, and what is next. No script, no network."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from autograde.checking.report import with_code
from autograde.progress import HEADS, Progress, Standing, duration, next_step, other_copy, total
from autograde.wording import breakable, counted, with_breaks

CLASSES = ("", "", ' class="n"', ' class="n"')  # of the columns
STYLE = """
 :root { --ink: #1f2937; --soft: #4b5563; --paper: #fff; --panel: #f3f4f6; --line: #d1d5db; --bar: #0f766e; --yes: #0f766e; --no: #b45309; }
 @media screen and (prefers-color-scheme: dark) { :root { --ink: #f3f4f6; --soft: #c3c9d2; --paper: #111827; --panel: #1f2937; --line: #4b5563; --bar: #5eead4;
  --yes: #5eead4; --no: #fbbf24; } }
 body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 60rem; margin: 1.5rem auto; padding: 0 1rem; overflow-wrap: anywhere; }
 h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin: 0; } code { font-family: ui-monospace, Menlo, Consolas, monospace; font-size: .9em; } .soft { color: var(--soft); }
 .next { background: var(--panel); padding: .6rem .9rem; border-left: 4px solid var(--bar); } section { border-top: 1px solid var(--line); padding: .8rem 0; }
 .bar { height: .6rem; background: var(--panel); border: 1px solid var(--line); border-radius: 4px; margin: .4rem 0; overflow: hidden; } .bar div { height: 100%; background: var(--bar); }
 .steps { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: .1rem 1.2rem; margin: .3rem 0; } table { border-collapse: collapse; width: 100%; }
 th, td { text-align: left; padding: .2rem .5rem .2rem 0; border-bottom: 1px solid var(--line); vertical-align: top; font-weight: 400; } td.n, th.n { text-align: right; white-space: nowrap; }
 .passed { color: var(--yes); } .tried, .changed, .waiting { color: var(--no); } th { overflow-wrap: break-word; } td:nth-child(2) { min-width: 5.5rem; } summary { cursor: pointer; padding: .2rem 0; } details { overflow-x: auto; }
 @media print { :root { color-scheme: light; } }
"""


def page(lessons: Sequence[Progress]) -> str:
    """The page as HTML."""
    parts = [
        "<h1>Your progress</h1>",
        f"<p>{breakable(total(lessons))}</p>",
        f'<p class="next"><strong>Next:</strong> {with_breaks(with_code(next_step(lessons)))}</p>',
        *(_lesson(lesson) for lesson in lessons),
    ]
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">'
    body = "\n".join(parts)
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n{head}\n<title>Your progress</title>\n<style>{STYLE}</style>\n</head>\n'
        f"<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def _lesson(lesson: Progress) -> str:
    if lesson.older:
        return f'<section><h2>{escape(lesson.title or lesson.name)}</h2><p class="soft">{breakable(other_copy(lesson))}</p></section>'
    share = 100 * lesson.score / lesson.points if lesson.points else 0.0
    steps = "".join(
        f'<li class="{"passed" if done else "soft"}">{"✓" if done else "·"} {name}</li>' for name, done in lesson.milestones.items()
    )
    rows = "".join(_row(standing) for standing in lesson.standings)
    trouble = f"<p>{escape(lesson.trouble)}</p>" if lesson.trouble else ""
    cells = "".join(f'<th scope="col"{CLASSES[i]}>{name}</th>' for i, name in enumerate(HEADS))
    head = f"<tr>{cells}</tr>"
    exercises = counted(len(lesson.standings), "exercise")
    return (
        f"<section><h2>{escape(lesson.title or lesson.name)}</h2>"
        f"<p>{lesson.score:g} of {lesson.points:g} points · {duration(lesson.minutes_left)} left</p>{trouble}"
        f'<div class="bar" role="img" aria-label="{share:.0f} per cent of the points"><div style="width:{share:.0f}%"></div></div>'
        f'<ul class="steps">{steps}</ul><details{" open" if lesson.begun and share < 100 else ""}><summary>{exercises}</summary>'
        f"<table><thead>{head}</thead><tbody>{rows}</tbody></table></details></section>"
    )


def _row(standing: Standing) -> str:
    name, state, points, minutes = map(breakable, standing.cells)
    kind = standing.state.replace(" ", "-")
    return f'<tr><th scope="row"><code>{name}</code></th><td class="{kind}">{state}</td><td class="n">{points}</td><td class="n">{minutes}</td></tr>'
