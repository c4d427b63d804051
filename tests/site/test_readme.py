"""What the README says of measurements is what was measured."""

from autograde.authoring import readme


def test_its_numbers_are_those_of_the_last_measurement():
    text = readme.README.read_text(encoding="utf-8")
    assert readme.filled(text) == text, "run `python -m autograde.authoring.readme`"
    assert all(f"<!-- {name} -->" in text and fact() in text for name, fact in readme.FACTS.items())
