"""What formgrader and nbgrader's feedback make of untrusted Markdown: nothing that acts, and everything that one writes in an answer."""

from html.parser import HTMLParser

import pytest
from nbconvert import HTMLExporter
from nbformat.v4 import new_markdown_cell
from traitlets.config import Config

from autograde.grader.gradebook import course_dir

ACTIVE = {"script", "iframe", "frame", "object", "embed", "svg", "math", "form", "input", "textarea", "button", "style", "link", "meta", "base", "template"}  # fmt: skip
ATTACKS = [
    "<script>alert(1)</script>",
    "<ScRiPt\n>alert(1)</sCrIpT\n>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)><script>alert(1)</script></svg>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "<details open ontoggle=alert(1)>",
    "[a](javascript:alert(1)) [b](JaVaScRiPt:alert(1)) [c](data:text/html;base64,PHNjcmlwdD4=) <a href=' javascript:alert(1)'>d</a>",
    "![a](javascript:alert(1)) <img src='data:image/svg+xml;base64,PHN2Zz4='>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe><object data=x></object><embed src=x><base href=//evil><meta http-equiv=refresh>",
    "<form action=/formgrader/api/grade/1><input class=score id=written_question><textarea class=comment></textarea><button>Full credit</button></form>",
    "<div id=written_question class='nbgrader_cell score' style='position:fixed;inset:0'>cover</div>",
    "<style>body{display:none}</style><link rel=stylesheet href=//evil>",
    "$$<img src=x onerror=alert(1)>$$ $\\unicode{<script>alert(1)</script>}$",
    "```html\n<script>alert(1)</script>\n```\n`<script>alert(1)</script>`",
    '```"><script>alert(1)</script>\nx\n```',
    "<p title='\"><script>alert(1)</script>'>x</p><!--><script>alert(1)</script>-->",
    "<a href='https://example.org' onclick=alert(1) target=_self>x</a>",
    "# <script>alert(1)</script> heading",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
]


class Seen(HTMLParser):
    """The tags and attributes that a browser would act on, inside of the answer."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]


def rendered(text, **cell):
    """The answer as formgrader's template gets it, by the setting that every course directory has."""
    settings = Config()
    exec(next(line for line in course_dir.CONFIG.splitlines() if line.startswith("c.HTMLExporter.filters")), {"c": settings})
    template = HTMLExporter(config=settings).environment.from_string("{{ cell.source | markdown2html | strip_files_prefix }}")
    return template.render(cell=new_markdown_cell(text, **cell))


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_of_a_strangers_acts(attack):
    found = Seen(rendered(attack))
    assert not set(found.tags) & ACTIVE
    assert not [name for name, _ in found.attributes if name.startswith("on") or name in ("id", "style", "srcdoc", "action", "target")]
    links = [value.strip().lower() for name, value in found.attributes if name in ("href", "src")]
    assert not [link for link in links if link.startswith(("javascript:", "vbscript:", "data:text", "data:image/svg"))]
    assert not [v for n, v in found.attributes if n == "class" and ("score" in v or "comment" in v or "nbgrader" in v)]


def test_what_directs_how_text_is_shown_is_seen():
    assert "⟨U+202E⟩0 / 24⟨U+001B⟩[2J" in rendered("\u202e0 / 24\x1b[2J")


def test_what_an_answer_needs_stays():
    html = rendered(
        "The softmax **saturates**: $e^{a_1} < e^{b}$, *so* `q @ k`\n\n1. one\n\n| a | b |\n| - | - |\n| 1 | 2 |\n\n```python\nx = 1\n```\n\n"
        "<details><summary>more</summary>H<sub>2</sub>O</details>\n\n[paper](https://arxiv.org/abs/1706.03762) ![plot](attachment:plot.png)",
        attachments={"plot.png": {"image/png": "iVBORw0KGgo="}},
    )
    for part in (
        "<strong>saturates</strong>", "$e^{a_1} &lt; e^{b}$", "<em>so</em>", "<code>q @ k</code>", "<li>one</li>", "<td>2</td>", 'class="highlight"',
        "<summary>more</summary>", "<sub>2</sub>", 'href="https://arxiv.org/abs/1706.03762"', 'src="data:image/png;base64,iVBORw0KGgo="',
    ):  # fmt: skip
        assert part in html, part
