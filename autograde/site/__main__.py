"""`python -m autograde.site [--out site]` builds the static site, `python -m autograde.site --slides [LESSON…]` the lessons as slides."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from autograde import layout
from autograde.checking.errors import UserError
from autograde.site.build import SiteError, build
from autograde.site.lessons import PageError
from autograde.wording import counted


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m autograde.site", description="Build the course as a static site that needs no network and no server."
    )
    parser.add_argument("--out", type=Path, help="where the pages go; emptied first (default: site; slides: slides, not emptied)")
    parser.add_argument("--slides", nargs="*", metavar="LESSON", help="write slides of these lessons, or of all, instead of the site")
    options = parser.parse_args()
    out = options.out or Path("site" if options.slides is None else "slides")
    try:
        if options.slides is not None:
            return _slides(out, options.slides)
        first = build(out)
    except (PageError, SiteError, UserError, ValueError) as error:
        print(f"site: {error}", file=sys.stderr)
        return 1
    print(f"The site is built: open {first.resolve().as_uri()} in a browser, or copy {out} to any web server.")
    return 0


def _slides(out: Path, lessons: list[str]) -> int:
    from autograde.site import slides

    files = slides.build(out, [layout.resolve(lesson) for lesson in lessons])
    print(
        f"{counted(len(files), 'file')} of slides in {out}: open {files[0].resolve().as_uri()} in a browser, and press S for the speaker's notes."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
