"""Text files as C++: embed.py OUTPUT NAMESPACE::Function FILE...; the function gives pairs of a
file's name without its ending and its text."""

import pathlib
import sys

target, function, *sources = sys.argv[1:]
namespace, _, name = function.rpartition("::")
out = ["#include <string_view>", "#include <utility>", "#include <vector>", "",
       f"namespace {namespace} {{",
       f"std::vector<std::pair<std::string_view, std::string_view>> {name}() {{", "    return {"]
for source in map(pathlib.Path, sources):
    text = source.read_text(encoding="utf-8")
    # A literal may not be longer than 65,536 characters everywhere; neighbours are joined.
    parts = [text[i:i + 8000] for i in range(0, len(text), 8000)]
    literals = "\n".join(f'R"embedded({part})embedded"' for part in parts)
    out.append(f'{{"{source.stem}", {literals}}},')
out += ["};", "}", f"}}  // namespace {namespace}", ""]
pathlib.Path(target).write_text("\n".join(out), encoding="utf-8")
