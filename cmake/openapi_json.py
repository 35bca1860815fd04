"""api/openapi.yaml as JSON, with the YAML anchors and merges resolved."""

import json
import sys

import yaml

source, target = sys.argv[1:]
with open(source, encoding="utf-8") as file:
    description = yaml.safe_load(file)
with open(target, "w", encoding="utf-8") as file:
    json.dump(description, file, ensure_ascii=False, separators=(",", ":"))
