"""What the README says of measurements is what was measured."""

import re

from autograde.authoring import readme


def test_its_numbers_are_those_of_the_last_measurement():
    text = readme.README.read_text(encoding="utf-8")
    assert readme.filled(text) == text, "run `python -m autograde.authoring.readme`"
    assert all(f"<!-- {name} -->" in text and fact() in text for name, fact in readme.FACTS.items())


def test_each_picture_has_a_dark_form():
    """GitHub shows it where its reader's theme is dark."""
    text = readme.README.read_text(encoding="utf-8")
    pictures = re.findall(r'\(prefers-color-scheme: dark\)" srcset="([^"]+)"><img alt="[^"]{20,}" src="([^"]+)"', text)
    assert len(pictures) == text.count("<img") >= 2 and "![" not in text
    for dark, light in pictures:
        assert (
            dark == light.replace(".png", "-dark.png")
            and (readme.README.parent / dark).is_file()
            and (readme.README.parent / light).is_file()
        )
