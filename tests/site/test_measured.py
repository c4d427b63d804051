"""What was measured is kept with its command, date, machine and versions, and the site shows it, or says how to measure it."""

import json

import pytest
from typer.testing import CliRunner

from autograde.authoring.measuring import benchmark_tables
from autograde.cli import app
from autograde.site import build


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(benchmark_tables, "FOLDER", tmp_path / "measured")
    monkeypatch.setattr("sys.argv", [str(build.layout.ROOT / "benchmarks" / "bpe.py"), "--save"])
    return tmp_path


def test_a_table_is_kept_with_what_it_takes_to_measure_it_again(folder):
    path = benchmark_tables.save("bpe", "Training", ("trainer", "seconds"), [("ours | compiled", 1.5)], note="On a text.")
    table = benchmark_tables.load(path)
    assert path == folder / "measured" / "bpe.json" and table.rows == [["ours | compiled", "1.5"]]
    assert table.command == "python benchmarks/bpe.py --save" and table.versions["torch"] and table.date.startswith("20")
    text = benchmark_tables.markdown(table)
    assert "## Training" in text and "| ours \\| compiled | 1.5 |" in text and "On a text." in text and table.machine in text


def test_numbers_stand_to_the_right_and_names_of_exercises_are_code(folder):
    path = benchmark_tables.save("x", "Checks", ("Exercise", "seconds", "ratio"), [("causal_mask", 1.5, ""), ("GPT", 2, "≈ 3")])
    text = benchmark_tables.markdown(benchmark_tables.load(path))
    assert "| --- | ---: | ---: |" in text and "| `causal_mask` | 1.5 |  |" in text and "| `GPT` |" in text


def test_a_row_of_the_wrong_length_is_refused(folder):
    with pytest.raises(ValueError, match="2 entries for 1 columns"):
        benchmark_tables.save("bpe", "Training", ("trainer",), [("ours", 1)])


def test_a_damaged_table_says_what_to_do(folder):
    path = folder / "bpe.json"
    path.write_text(json.dumps({"title": "Training"}))
    with pytest.raises(ValueError, match="write it again with the --save"):
        benchmark_tables.load(path)


def test_the_site_shows_what_is_there_and_says_how_to_measure_the_rest(folder, monkeypatch):
    monkeypatch.setattr(build.layout, "lesson_names", list)  # the lessons are another test
    benchmark_tables.save("grading", "Grading a class", ("grader", "seconds"), [("ours", "1.5")])
    build.gather(folder / "pages")
    page = (folder / "pages" / "measured" / "benchmarks.md").read_text(encoding="utf-8")
    assert (
        "| ours | 1.5 |" in page and "- `python benchmarks/bpe.py --save`: Training" in page and "benchmarks/grading.py --save" not in page
    )
    assert "not measured" not in page.casefold() and page.index("Grading a class") < page.index("bpe.py")
    assert "`python -m autograde strength --save`" in (folder / "pages" / "measured" / "strength.md").read_text(encoding="utf-8")


def test_the_strength_of_one_lesson_is_not_kept_for_all(folder):
    done = CliRunner().invoke(app, ["strength", "03", "--save"])
    assert done.exit_code == 2 and "name none" in done.output
    assert not (folder / "measured").exists()
