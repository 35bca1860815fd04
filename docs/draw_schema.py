"""Draws the schema into docs/data-model.md: a Mermaid diagram between two marks, made from a
database that the migrations have just made.

    docs/draw_schema.py [--check]      --check: says whether the drawing is true, and changes nothing
"""

import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))
from support.server import Server  # noqa: E402

FILE = ROOT / "docs" / "data-model.md"
BEGIN, END = "<!-- drawing: docs/draw_schema.py -->\n", "<!-- end of drawing -->\n"

COLUMNS = """
SELECT c.relname, a.attname, format_type(a.atttypid, NULL),
       EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary
               AND a.attnum = ANY (i.indkey)),
       EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'f'
               AND a.attnum = ANY (k.conkey)),
       c.relrowsecurity
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
  AND a.attnum > 0 AND NOT a.attisdropped ORDER BY c.relname, a.attnum
"""
LINKS = """
SELECT DISTINCT f.relname, t.relname, (SELECT string_agg(a.attname, '_' ORDER BY a.attnum)
       FROM pg_attribute a WHERE a.attrelid = f.oid AND a.attnum = ANY (k.conkey))
FROM pg_constraint k JOIN pg_class f ON f.oid = k.conrelid JOIN pg_class t ON t.oid = k.confrelid
WHERE k.contype = 'f' AND NOT f.relispartition ORDER BY 1, 2, 3
"""


def query(server, sql):
    password = (server.data_dir / "postgres.password").read_text().strip()
    socket_dir = (server.data_dir / "postgres" / "postmaster.pid").read_text().splitlines()[4]
    out = subprocess.run(
        ["psql", f"postgresql://voiceflow:{password}@/postgres?host={socket_dir}", "-qAt", "-F", "|",
         "-v", "ON_ERROR_STOP=1", "-c", sql], capture_output=True, text=True, check=True).stdout
    return [line.split("|") for line in out.splitlines()]


def draw():
    server = Server(settings={"LOG_LEVEL": "warning"})
    try:
        columns, links = query(server, COLUMNS), query(server, LINKS)
    finally:
        server.close()
    lines = ["```mermaid", "erDiagram"]
    table = None
    for name, column, kind, is_key, is_link, walled in columns:
        if name != table:
            if table:
                lines.append("    }")
            table = name
            lines.append(f"    {name} {{")
        marks = ",".join(mark for mark, on in (("PK", is_key), ("FK", is_link)) if on == "t")
        short = {"timestamp with time zone": "timestamptz"}.get(kind, kind).replace(" ", "_")
        lines.append(f"        {short.replace('[]', '_list')} {column} {marks}".rstrip())
    lines.append("    }")
    for source, target, column in links:
        lines.append(f"    {target} ||--o{{ {source} : {column}")
    lines.append("```")
    walled = sorted({row[0] for row in columns if row[5] == "t"})
    lines += ["", f"Behind the wall of row-level security: {', '.join(walled)}."]
    return "\n".join(lines) + "\n"


def main():
    text = FILE.read_text()
    start, end = text.index(BEGIN) + len(BEGIN), text.index(END)
    drawing = draw()
    if text[start:end] == drawing:
        return 0
    if "--check" in sys.argv:
        print("docs/data-model.md does not show the schema as it is; run docs/draw_schema.py",
              file=sys.stderr)
        return 1
    FILE.write_text(text[:start] + drawing + text[end:])
    return 0


if __name__ == "__main__":
    sys.exit(main())
