"""`python -m autograde`."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036  (the modules below are no Python to an older one)
    raise SystemExit(
        f"autograde: this is Python {sys.version_info[0]}.{sys.version_info[1]}, and the course needs 3.11 or newer: in the course's folder type "
        "`source .venv/bin/activate`; if there is no .venv yet, make it with a newer Python"
    )

try:
    from autograde.cli import main
except ImportError as error:
    if (error.name or "autograde").split(".")[0] in ("autograde", "utils"):
        raise
    # commonly .venv is not active, or nothing was installed: then the doctor is needed most, and needs nothing itself
    from autograde.doctor import without_commands

    raise SystemExit(without_commands(error)) from None

if __name__ == "__main__":
    main("python -m autograde")
