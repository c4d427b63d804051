"""Everything that can go wrong between a test and a student's code, by name.

The same exceptions are raised in the student's kernel and by the grader, where the code runs in another
process: a test, and whoever turns its end into a verdict, cannot tell which of the two it was.
"""

MESSAGE_LENGTH = 500
NOT_WRITTEN = "not written yet"  # how the message of a stub ends


class AutogradeError(Exception):
    """The common ancestor of all that follows."""


class UserError(AutogradeError, ValueError):
    """What was asked for cannot be done, through no fault of the program: the message says what to do instead."""


class CheckFailed(AutogradeError):
    """A test's verdict: `summary` is the sentence a student reads, `detail` what may be left out of hidden tests."""

    def __init__(self, summary, detail=""):
        super().__init__(summary[:MESSAGE_LENGTH])
        self.summary, self.detail = summary[:MESSAGE_LENGTH], detail[:MESSAGE_LENGTH]  # a dict's million keys fit on no page


class ForbiddenCall(AutogradeError):
    """The student's code called a library function that is the answer of the exercise."""


class NotWritten(AutogradeError, NotImplementedError):
    """The answer is still the stub: it raised NotImplementedError."""


class MissingName(AutogradeError, AttributeError):
    """The submission defines nothing of the name that is asked for."""


class StudentError(AutogradeError):
    """The student's code raised `type_name`; `line` is the line of theirs it came from, `traceback` a few more."""

    def __init__(self, message="", *, type_name="Exception", line="", traceback=""):
        super().__init__(message)
        self.message, self.type_name, self.line, self.traceback = message, type_name, line, traceback

    # KeyError and OSError print themselves in ways of their own.
    def __str__(self):
        return self.message


class StudentTimeout(AutogradeError):
    """The student's code ran past its deadline and was stopped."""


class EndlessAnswer(StudentTimeout, NotImplementedError):
    """A cell of the notebook called an answer that does not end; figures say so, as they do of an unwritten one."""

    def _render_traceback_(self):
        return [str(self)]  # IPython shows this sentence, and no traceback


class StudentDied(AutogradeError):
    """The process that ran the student's code is gone: it exited, crashed or was killed."""


class ProtocolError(AutogradeError):
    """What came is not a message, or one that is too large, too deep or cyclic."""


class SandboxUnavailable(AutogradeError):
    """This machine cannot isolate student code as it was asked to."""


# The built-in exceptions a student's error may become. StopIteration and the like are missing on purpose:
# raised in a test they would steer Python itself.
BUILTINS = {
    cls.__name__: cls
    for cls in (
        ArithmeticError, AssertionError, AttributeError, BufferError, EOFError, FloatingPointError, ImportError,
        IndexError, KeyError, LookupError, MemoryError, ModuleNotFoundError, NameError, OSError, OverflowError,
        PermissionError, FileNotFoundError, RecursionError, RuntimeError, SyntaxError, IndentationError, TimeoutError,
        TypeError, UnboundLocalError, UnicodeError, ValueError,
        ZeroDivisionError,
    )
}  # fmt: skip
_classes: dict[type[BaseException] | None, type[StudentError]] = {}


def student_error(type_name, ancestors, message, line="", traceback=""):
    """A StudentError that is also the first of `ancestors` (names) that stands in BUILTINS: `except ValueError` works."""
    builtin = next((BUILTINS[name] for name in ancestors if name in BUILTINS), None)
    if builtin not in _classes:
        bases = (StudentError, builtin) if builtin else (StudentError,)
        _classes[builtin] = type("StudentError", bases, {"__doc__": StudentError.__doc__})
    return _classes[builtin](message[:MESSAGE_LENGTH], type_name=type_name, line=line, traceback=traceback)
