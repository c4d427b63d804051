"""The site's settings for Sphinx. The pages are gathered by `autograde.site.build`; `make site` runs it."""

import importlib.util
import json
import re
import shutil
from pathlib import Path

from docutils import nodes

SHORTEST = 30  # characters of a paragraph that is worth showing

project = "Attention and language modelling for agents"
author = "the course's authors"
copyright = "code under the MIT licence, text under CC BY 4.0"  # noqa: A001, Sphinx's own name
extensions = ["myst_nb"]
exclude_patterns = []

nb_execution_mode = "off"  # the notebooks come with their outputs
nb_code_prompt_show = "Show the code"
nb_code_prompt_hide = "Hide the code"
nb_merge_streams = True
highlight_language = "none"  # what is typed in a terminal is not Python
myst_enable_extensions = ["dollarmath", "amsmath"]
myst_heading_anchors = 3
suppress_warnings = ["misc.highlighting_failure"]  # percent-magics in a code cell

html_theme = "furo"
html_title = project
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_js_files = ["reading.js"]
templates_path = ["_templates"]
html_copy_source = False
html_use_index = False
html_show_search_summary = False  # a page that was opened from a folder may not read another one
html_show_sourcelink = False
html_show_sphinx = False
html_theme_options = {"top_of_page_buttons": []}
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"

# MathJax from the wheel, drawn as SVG: browsers refuse to load fonts into a page that was opened from a folder.
mathjax_path = "mathjax/tex-svg.js"
mathjax3_config = {"options": {"enableMenu": False}}  # the menu would fetch what speaks formulas from a server


def copy_mathjax(app, error) -> None:
    """Only what a page may load: the component itself and TeX's extensions."""
    if error:
        return
    packaged = Path(importlib.util.find_spec("sphinx-mathjax-offline").origin).parent / "static" / "mathjax"
    target = Path(app.outdir) / "_static" / "mathjax"
    shutil.copytree(packaged / "input" / "tex" / "extensions", target / "input" / "tex" / "extensions", dirs_exist_ok=True)
    shutil.copy(packaged / "tex-svg.js", target)


def without_tex(paragraph: nodes.paragraph) -> str:
    """Its words; a formula as plain signs where that is possible, else as an ellipsis."""
    return "".join(_formula(text) if isinstance(text.parent, nodes.math) else text.astext() for text in paragraph.findall(nodes.Text))


def _formula(tex: nodes.Text) -> str:
    plain = re.sub(r"\\sqrt\s*(?:\{(\w+)\}|(\w))", lambda found: "√" + (found[1] or found[2]), tex.astext().replace(r"\cdot", "·"))
    return "…" if re.search(r"[\\{}]", plain) else plain


def write_excerpts(app, error) -> None:
    """The paragraphs of every page, for the search page to show where a word was found."""
    if error:
        return
    pages = {}
    for name in sorted(app.env.found_docs):
        texts = map(without_tex, app.env.get_doctree(name).findall(nodes.paragraph))
        pages[name] = [" ".join(text.split()) for text in texts if len(text) > SHORTEST]
    script = f"const EXCERPTS = {json.dumps(pages, ensure_ascii=False)};\n"
    (Path(app.outdir) / "_static" / "excerpts.js").write_text(script, encoding="utf-8")


def name_no_false_headings(app, page, template, context, doctree) -> None:
    """Captions in the sidebar are given the role of a heading, but no level and no place among the page's own."""
    context["furo_navigation_tree"] = context["furo_navigation_tree"].replace(' role="heading"', "")


def setup(app) -> None:
    app.connect("html-page-context", name_no_false_headings, priority=900)  # after the theme's own
    app.connect("build-finished", copy_mathjax)
    app.connect("build-finished", write_excerpts)
