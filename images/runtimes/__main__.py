"""Writes lambdapack/runtimes/data from facts.toml, after both are checked; needs no network."""

import sys
from pathlib import Path

from images.runtimes.tables import FACTS_PATH, FactsError, make_tables, read_facts, render_table

DATA_DIRECTORY = Path(__file__).resolve().parents[2] / "lambdapack" / "runtimes" / "data"


def main() -> int:
    """Write each table that differs from the shipped one; return 1 when the facts contradict themselves."""
    try:
        tables = make_tables(read_facts(FACTS_PATH))
    except FactsError as error:
        print(f"{FACTS_PATH.name}: {error}", file=sys.stderr)
        return 1
    for name, table in tables.items():
        path, text = DATA_DIRECTORY / name, render_table(table)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(path)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
