"""Asks every operation of one tag of the description for the errors that all of them share."""

import re

from . import contract

IDS = {"voice_id": "slt", "sample_id": "none", "history_item_id": "hist_" + "0" * 32,
       "pronunciation_dictionary_id": "dict_" + "0" * 32, "version_id": "dver_" + "0" * 32,
       "id": "dict_" + "0" * 32}


def of_tag(tag, status):
    """(method, path with its parameters filled in) of all that document `status`."""
    found = []
    for path, _, method, operation in contract.OPERATIONS:
        if tag in operation["tags"] and str(status) in operation["responses"]:
            filled = re.sub(r"\{(\w+)\}", lambda name: IDS[name[1]], path)
            found.append((method.upper(), filled))
    return sorted(found)


def media_type(method, path):
    """One that the operation's body may have, or none."""
    for _, pattern, verb, operation in contract.OPERATIONS:
        if verb == method.lower() and pattern.match(path):
            return next(iter(operation.get("requestBody", {}).get("content", {})), None)
    return None
