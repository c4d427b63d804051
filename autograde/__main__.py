"""`python -m autograde`."""

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
