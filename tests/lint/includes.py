"""A folder of src/ includes only folders that its target links, directly or through them; Beast,
libpq and the like stay behind the one folder that owns them."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SRC = ROOT / "src"
# Libraries that only one folder may include.
OWNERS = {"boost/beast": {"http", "base"}, "libpq": {"pg"}, "hiredis": {"redis"},
          "curl/": {"http"},
          "lame/": {"audio"}, "FLAC/": {"audio"}, "opus/": {"audio"}, "opusenc": {"audio"},
          "soxr": {"audio"}, "sonic": {"audio"}, "unicode/": {"text"},
          "sodium": {"secrets", "blob"}, "curl/": {"http"}}

# Handles on a connection that know no team: for src/pg, and for src/app, which makes the Database.
BARE_CONNECTIONS = {"pg/pg.hpp", "pg/blocking.hpp", "pg/connection.hpp", "pg/pool_core.hpp"}


def folder_of(path):
    """speech/plan.cpp -> speech; dialects/native/x.cpp -> dialects/native."""
    parts = path.relative_to(SRC).parts
    return "/".join(parts[:-1])


def targets():
    """{folder: (names, links)} from every CMakeLists.txt; a folder may hold more than one target."""
    found = {}
    for file in SRC.rglob("CMakeLists.txt"):
        text = re.sub(r"#.*", "", file.read_text())
        names, links = [], []
        for name, body in re.findall(r"vf_module\(\s*(\w+)(.*?)\)", text, re.S):
            names.append(name)
            listed = re.search(r"LINKS\s+(.*?)(?:TESTS|SOURCES|$)", body, re.S)
            links += re.findall(r"\bvf_(\w+)", listed[1]) if listed else []
        if names:
            found[str(file.parent.relative_to(SRC))] = (names, [l for l in links if l not in names])
    return found


def main():
    modules = targets()
    by_name = {name: folder for folder, (names, _) in modules.items() for name in names}
    wrong = []

    def reach(folder, seen):
        if folder in seen or folder not in modules:
            return seen
        seen.add(folder)
        for link in modules[folder][1]:
            if link in by_name:
                reach(by_name[link], seen)
        return seen

    allowed = {folder: reach(folder, set()) for folder in modules}
    for folder in modules:
        for link in modules[folder][1]:
            if link in by_name and folder in allowed[by_name[link]]:
                wrong.append(f"src/{folder} and src/{by_name[link]} link each other")
    for path in sorted([*SRC.rglob("*.cpp"), *SRC.rglob("*.hpp")]):
        folder = folder_of(path)
        for number, line in enumerate(path.read_text().splitlines(), 1):
            match = re.match(r'\s*#include\s+[<"]([^>"]+)[>"]', line)
            if not match:
                continue
            included = match[1]
            where = f"{path.relative_to(ROOT)}:{number}"
            is_test = path.stem.endswith(("_test", "_testing"))
            if included in BARE_CONNECTIONS and folder not in ("pg", "app") and not is_test:
                wrong.append(f"{where}: team data goes through pg/database.hpp only")
            for library, owners in OWNERS.items():
                if included.startswith(library) and folder.split("/")[0] not in owners:
                    wrong.append(f"{where}: {included} belongs to src/{'/'.join(sorted(owners))}")
            target = str(pathlib.PurePath(included).parent)
            if '"' in line and target in modules and folder in modules:
                if target not in allowed[folder]:
                    wrong.append(f"{where}: src/{folder} does not link src/{target}")
                if included.endswith("_routes.hpp") and folder != "app" and target != folder:
                    wrong.append(f"{where}: only app includes a routes file")
    print("\n".join(wrong) or f"includes: {len(modules)} folders keep the arrows", file=sys.stderr)
    return 1 if wrong else 0


sys.exit(main())
