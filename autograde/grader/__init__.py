"""The grader: untrusted code in one process, tests and oracles in another, data between them."""

import sys

# jsonschema, which nbformat imports, would build a grammar of web addresses: a second and a half for a check that notebooks do not have
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]  # None: an import of it fails
