"""`python -m autograde.site [--out site]`: build the static site."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from autograde.site.build import SiteError, build
from autograde.site.lessons import PageError


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m autograde.site", description="Build the course as a static site that needs no network and no server."
    )
    parser.add_argument("--out", type=Path, default=Path("site"), help="where the pages go; emptied first (default: site)")
    options = parser.parse_args()
    try:
        first = build(options.out)
    except (PageError, SiteError, ValueError) as error:
        print(f"site: {error}", file=sys.stderr)
        return 1
    print(f"The site is built: open {first.resolve().as_uri()} in a browser, or copy {options.out} to any web server.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
