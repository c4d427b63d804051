"""What an instructor asks of the sandbox, and what a machine gives."""

from __future__ import annotations

from enum import StrEnum


class Mode(StrEnum):
    """How strictly submissions are isolated. The last three are for tests and containers: no better than that level."""

    REQUIRED = "required"  # or refuse
    AUTO = "auto"  # as well as the machine can
    OFF = "off"
    LANDLOCK = "landlock"
    ACCOUNT = "account"
    LIMITS = "limits"


class Level(StrEnum):
    """How a worker is isolated, the best first."""

    NAMESPACES = "namespaces"
    LANDLOCK = "landlock"
    ACCOUNT = "account"
    LIMITS = "limits"
    OFF = "off"
