"""Holds every answer of every test against api/openapi.yaml, and notes what was seen."""

import json
import os
import re

import jsonschema
import yaml

from .server import ROOT

SPEC = yaml.safe_load((ROOT / "api" / "openapi.yaml").read_text())
SEEN_FILE = os.environ.get("VF_SEEN_FILE")
METHODS = ("get", "post", "put", "patch", "delete")


def _deref(node):
    while "$ref" in node:
        target = SPEC
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


def _path_pattern(path):
    return re.compile("^" + re.sub(r"\\\{[^/]+\\\}", "[^/]+", re.escape(path)) + "$")


OPERATIONS = [(path, _path_pattern(path), method, operation)
              for path, item in SPEC["paths"].items()
              for method, operation in item.items() if method in METHODS]
# A path without parameters is meant before one with.
OPERATIONS.sort(key=lambda entry: entry[0].count("{"))

# What any route may answer, by the description's own words, without being listed for each.
EVERYWHERE = {400, 404, 405, 408, 413, 414, 431, 500, 501, 503, 505}


def documented():
    """All (method, path, status) of the description."""
    return {(method, path, status) for path, _, method, operation in OPERATIONS
            for status in operation["responses"]}


# Every path is there below these too, by the description's own words.
MOUNTS = re.compile("^/(elevenlabs|openai|cartesia|deepgram)(?=/)")


def find(method, path):
    path = MOUNTS.sub("", path)
    for name, pattern, verb, operation in OPERATIONS:
        if pattern.match(path) and verb == method.lower():
            return name, operation
    return None, None


def check(method, path, status, headers, body):
    """Raises when the answer is not what the description says. `body` is bytes."""
    path = re.sub("/+", "/", path)
    path = path.rstrip("/") or "/"
    name, operation = find("get" if method == "HEAD" else method, path)
    request_id = headers.get("x-request-id", "")
    assert re.match(r"^[A-Za-z0-9._-]{1,128}$", request_id), f"no request id: {method} {path}"
    if operation is None:
        assert status in EVERYWHERE | {204}, f"{method} {path} is not described, but answered {status}"
        return
    if method == "HEAD":
        return
    response = operation["responses"].get(str(status))
    if response is None:
        assert status in EVERYWHERE, f"{method} {name}: status {status} is not described"
        return
    if SEEN_FILE:
        with open(SEEN_FILE, "a") as seen:
            seen.write(json.dumps([method.lower(), name, str(status)]) + "\n")
    response = _deref(response)
    for header, about in response.get("headers", {}).items():
        about = _deref(about)
        if about.get("required"):
            assert header.lower() in headers, f"{method} {name} {status}: no header {header}"
    content = response.get("content")
    media_type = headers.get("content-type", "").split(";")[0].strip()
    if not content:
        return
    assert media_type in content, f"{method} {name} {status}: {media_type!r} is not described"
    schema = content[media_type].get("schema")
    if re.search(r"[/+]json$", media_type) and schema:
        validator = jsonschema.Draft202012Validator({**schema, "components": SPEC["components"]})
        error = jsonschema.exceptions.best_match(validator.iter_errors(json.loads(body)))
        assert error is None, f"{method} {name} {status}: {error.json_path}: {error.message}"
