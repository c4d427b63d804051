"""A check's report is read on every background that a notebook stands on: text and background as each program sets them."""

from __future__ import annotations

import pytest

from autograde.checking.report import Report
from autograde.checking.runner import Outcome
from autograde.checking.scoring import Result
from tests.browser import contrast

THEMES = {
    "JupyterLab light": ("rgba(0, 0, 0, .87)", "#ffffff"),
    "JupyterLab dark": ("#ffffff", "#111111"),
    "VS Code light": ("#3b3b3b", "#f8f8f8"),
    "VS Code dark": ("#cccccc", "#1f1f1f"),
    "Colab light": ("#1f1f1f", "#ffffff"),
    "Colab dark": ("#ffffff", "#383838"),
}
OUTCOMES = [
    Outcome("a", "It passes.", "passed", 1, False),
    Outcome("b", "It fails.", "failed", 1, False, "wrong", "expected 1, got 2", printed="seen"),
]
RESULTS = [
    Result("f", 1, 1, "passed", OUTCOMES[:1]),
    Result("f", 1, 2, "partial", OUTCOMES, "A known mistake."),
    Result("f", 0, 2, "failed", OUTCOMES[1:], "It builds on `g`.", ["g"]),
    Result("f", 0, 2, "not_attempted"),
]


@pytest.mark.parametrize("theme", THEMES)
def test_a_report_is_read_in_every_theme(watch, theme):
    ink, ground = THEMES[theme]
    watched = watch(width=700, height=600)
    reports = "<hr>".join(Report(result)._repr_html_() for result in RESULTS).replace("<details>", "<details open>")
    watched.page.set_content(f'<body style="color:{ink};background:{ground};font-family:sans-serif">{reports}</body>')
    assert contrast.faint(watched.page.locator("div:not(:has(div)), li, li span, pre, summary")) == []
    watched.shot(f"report-{theme.replace(' ', '-')}")
    watched.assert_quiet()
