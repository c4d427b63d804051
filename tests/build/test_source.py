"""A mistake in a lesson's source is one clear line with file and line number."""

import pytest

from autograde.authoring import source

GOOD = '''# %% [markdown]
# # 99 · A lesson

# %% exercise="double"
def double(x):
    """Twice x."""
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION

# %% check="double" points=2
check(double)

# %% [markdown] question="why" points=3
# ### BEGIN SOLUTION
# Because.
# ### END SOLUTION
'''


def read(tmp_path, text):
    path = tmp_path / "99_lesson.py"
    path.write_text(text)
    return source.read(path)


def test_a_good_source_gives_its_exercises(tmp_path):
    lesson = read(tmp_path, GOOD)
    assert lesson.title == "99 · A lesson"
    assert lesson.exercises["double"].points == 2
    assert lesson.questions == {"why": 3}


MISTAKES = {
    "an exercise without a check": ('# %% check="double" points=2\ncheck(double)\n', "", 4, "double has no check"),
    "two exercises with one name": (
        "# %% [markdown] question",
        '# %% exercise="double"\ndef double(x):\n    ### BEGIN SOLUTION\n    pass\n    ### END SOLUTION\n\n# %% [markdown] question',
        14,
        "double already stands at line 4",
    ),
    "an unclosed solution mark": ("    ### END SOLUTION\n\n# %% check", "\n\n# %% check", 7, "never closed"),
    "an end without a beginning": ("    ### BEGIN SOLUTION\n    return", "    return", 8, "without a ### BEGIN SOLUTION"),
    "points missing": ('check="double" points=2', 'check="double"', 11, "points are missing"),
    "points that are no number": ("points=3", 'points="three"', 14, "points='three' is no number"),
    "points with a comma": ("points=2", "points=1,5", 11, "points=[1, 5] is no number"),
    "points below nothing": ("points=2", "points=-2", 11, "points=-2 is no number"),
    "an answer of nothing": ("    return 2 * x\n", "", 4, "the solution of double is empty"),
    "a check of something else": ("check(double)", "check(treble)", 11, "does not call it: write check(double)"),
    "a mark at the margin": ("    ### BEGIN SOLUTION\n    return", "### BEGIN SOLUTION\n    return", 7, "stands elsewhere on its line"),
    "a mark without its blank": ("# %% check", "#%% check", 11, "'#%% check=\"double\" points=2' is no cell mark"),
    "words above the first mark": ("# %% [markdown]\n# # 99", "words\n# %% [markdown]\n# # 99", 1, "above the first one is in no cell"),
    "points in thirds": ("points=2", "points=0.3", 11, "points=0.3"),
    "points that are a bare word": ("points=2", "points=two", 11, "points=two"),
    "an unknown option": ('check="double" points', 'check="double" pionts', 11, "unknown cell option 'pionts'"),
    "an exercise that defines another name": ("def double", "def treble", 4, "does not define double"),
    "no Python": ("return 2 * x", "return 2 *", 8, "not Python"),
    "a check above its exercise": (
        '# %% exercise="double"',
        '# %% check="double" points=2\ncheck(double)\n\n# %% exercise="double"',
        4,
        "double is checked above its exercise, which stands at line 7",
    ),
    "hidden tests as nbgrader has them": (
        "    ### END SOLUTION",
        "    ### END SOLUTION\n    ### BEGIN HIDDEN TESTS",
        10,
        "students would be given this",
    ),
    "a tab": ("    return 2 * x", "    if x:\n    \treturn 2 * x", 9, "a tab"),
    "tags that are no list": ('exercise="double"', 'exercise="double" tags="stretch"', 4, 'write tags=["stretch"]'),
    "an exercise that no grader runs": (
        'exercise="double"',
        'exercise="double" tags=["figure"]',
        4,
        "the grader runs no cell tagged 'figure'",
    ),
    "a stretch without its mark": ('check="double" points=2', 'check="double" points=0', 11, "a stretch exercise has tags"),
    "a stretch with points": ('exercise="double"', 'exercise="double" tags=["stretch"]', 11, "a stretch exercise has tags"),
    "a name with blanks": ('question="why"', 'question="why not"', 14, "question='why not' is no name"),
    "no title": ("# # 99 · A lesson", "# A lesson", 1, "no title"),
}


@pytest.mark.parametrize("old, new, line, message", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_names_its_line(tmp_path, old, new, line, message):
    assert old in GOOD
    with pytest.raises(source.SourceError) as raised:
        read(tmp_path, GOOD.replace(old, new, 1))
    text = str(raised.value)
    assert text.startswith(f"99_lesson.py:{line}: ") and message in text and "\n" not in text


@pytest.mark.parametrize(
    "change", [lambda data: b"\xef\xbb\xbf" + data, lambda data: data.replace(b"\n", b"\r\n")], ids=["mark", "ends of lines"]
)
def test_what_an_editor_of_windows_adds_changes_nothing(tmp_path, change):
    path = tmp_path / "99_lesson.py"
    path.write_bytes(change(GOOD.encode()))
    found = source.read(path)
    path.write_text(GOOD)
    assert found == source.read(path)


@pytest.mark.parametrize("encoding, line", [("latin-1", 3), ("utf-16", 1)])
def test_another_encoding_is_told_by_its_line(tmp_path, encoding, line):
    path = tmp_path / "99_lesson.py"
    path.write_bytes(GOOD.replace("\n\n", "\n# très\n", 1).replace("·", "-").encode(encoding))
    with pytest.raises(source.SourceError, match=f"99_lesson.py:{line}: .*UTF-8"):
        source.read(path)


def test_a_cell_that_stops_is_told_by_its_line(tmp_path):
    """It ended a build with the traceback of the build's own code."""
    path = tmp_path / "09_tiny.py"
    path.write_text("# %% [markdown]\n# # 09 · Tiny\n\n# %%\nlesson = None\ncheck = lesson.check\n")
    with pytest.raises(
        source.SourceError, match=r"^09_tiny\.py:6: this cell stops: AttributeError: 'NoneType' object has no attribute 'check'$"
    ):
        source.namespace(source.read(path))
