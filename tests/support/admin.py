"""`voiceflowd admin` beside a running server."""

import json
import os
import subprocess

from support.server import VOICEFLOWD


class Refused(Exception):
    pass


def admin(server, *words):
    """What the command prints, read as JSON. Raises Refused with its words."""
    env = {k: v for k, v in os.environ.items()
           if not k.startswith("VOICEFLOW_") and k != "DATABASE_URL"}
    env["VOICEFLOW_DATA_DIR"] = str(server.data_dir)
    env["VOICEFLOW_LOG_LEVEL"] = "warning"
    env["ASAN_OPTIONS"] = "detect_leaks=1"
    for key in ("DATABASE_URL", "SECRETS_KEY_FILE"):
        if key in server.settings:
            env[key if key == "DATABASE_URL" else f"VOICEFLOW_{key}"] = str(server.settings[key])
    done = subprocess.run([str(VOICEFLOWD), "admin", *map(str, words), "--json"], env=env,
                          capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        raise Refused(done.stderr.strip())
    return json.loads(done.stdout)


def team_with_key(server, name="Acme", plan="free", *key_words):
    """(team id, key)."""
    team = admin(server, "create-team", name, "--plan", plan)["id"]
    return team, admin(server, "create-key", team, *key_words)["key"]
