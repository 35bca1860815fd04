#!/usr/bin/env python3
"""Writes docs/languages.md from the catalogue of a running server.

    docs/list_languages.py http://127.0.0.1:8080
"""

import json
import pathlib
import sys
import urllib.request

HEAD = """# Languages

Made by `docs/list_languages.py` from `GET /api/voices`; a test compares the two. A language counts
when sentences in its own script are spoken as words: without letter names, without a fall-back
switch to English, with the vowels that words need, and as fast as speech is. `tests/release/
test_languages.py` measures that over `tests/fixtures/languages.tsv`, with the voices that
espeak-ng 1.51 brings (Debian 12).

"""


def base(tag):
    """Languages are counted without regions: en-US and en-GB are one."""
    return tag.split("-")[0] if not tag.startswith("art-x-") else tag


def table(voices):
    """The Markdown for a list of voices as the API gives it."""
    full = [v for v in voices if v["support"] == "full"]
    limited = [v for v in voices if v["support"] == "limited"]
    by_tag = {}
    for voice in full:
        by_tag.setdefault(voice["languages"][0], []).append(voice)
    languages = {base(tag) for tag in by_tag}
    out = [HEAD, f"## {len(languages)} languages that count\n\n",
           "| tag | language | in itself | voices |\n|---|---|---|---|\n"]
    for tag, some in sorted(by_tag.items()):
        shown = ", ".join(f"`{v['id']}`" for v in sorted(some, key=lambda v: v["id"]))
        out.append(f"| {tag} | {some[0]['language_name']} | {some[0]['native_language_name']} | "
                   f"{shown} |\n")
    out += ["\n## Limited\n\nThese voices exist, and what they cannot do stands in their "
            "descriptions.\n\n", "| tag | language | voice | why |\n|---|---|---|---|\n"]
    for voice in sorted(limited, key=lambda v: v["languages"][0]):
        why = voice["description"].split("Limited: ")[-1]
        out.append(f"| {voice['languages'][0]} | {voice['language_name']} | `{voice['id']}` | "
                   f"{why} |\n")
    return "".join(out)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with urllib.request.urlopen(sys.argv[1] + "/api/voices") as reply:
        text = table(json.load(reply)["voices"])
    (pathlib.Path(__file__).parent / "languages.md").write_text(text)
