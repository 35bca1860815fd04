"""The `voiceflow` program, as a person and as a script use it."""

import json
import os
import pty
import subprocess

import pytest

from support.audio import decode
from support.server import VOICEFLOW


def run(server, *arguments, stdin=None, env=None, url=None):
    return subprocess.run(
        [VOICEFLOW, *arguments], input=stdin, capture_output=True, timeout=120,
        env={**os.environ, "VOICEFLOW_SERVER": url or server.url, "HOME": "/nonexistent",
             "XDG_CONFIG_HOME": "/nonexistent", **(env or {})})


@pytest.mark.parametrize("name", ["wav", "mp3", "opus", "flac", "aac"])
def test_writes_a_file_in_the_format_of_its_ending(server, tmp_path, name):
    target = tmp_path / f"speech.{name}"
    done = run(server, "tts", "Written to a file.", "-o", str(target), "--voice", "slt")
    assert done.returncode == 0, done.stderr
    assert decode(target.read_bytes(), name).seconds > 0.8
    assert not list(tmp_path.glob("*.part"))


def test_reads_files_and_standard_input_and_writes_standard_output(server, tmp_path):
    source = tmp_path / "text.txt"
    source.write_text("From a file.")
    done = run(server, "generate", "--file", str(source), "-o", "-")
    assert done.returncode == 0 and decode(done.stdout, "wav").seconds > 0.5
    done = run(server, "tts", "-", "-o", "-", "--format", "mp3", stdin=b"From standard input.")
    assert done.returncode == 0 and decode(done.stdout, "mp3").seconds > 0.5


def test_a_long_text_becomes_one_file(server, tmp_path):
    source, target = tmp_path / "long.txt", tmp_path / "long.wav"
    source.write_text("This sentence stands here many times. " * 160)
    done = run(server, "--json", "tts", "--file", str(source), "-o", str(target),
               "--voice", "espeak-en-us", "--speed", "4")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["requests"] == 2 and report["characters"] == 38 * 160
    assert decode(target.read_bytes(), "wav").seconds > 30
    done = run(server, "tts", "--file", str(source), "-o", str(tmp_path / "x.mp3"))
    assert done.returncode == 2 and b"wav or pcm" in done.stderr


def test_plays_through_the_first_player_on_the_path(server, tmp_path):
    heard = tmp_path / "heard.wav"
    player = tmp_path / "aplay"
    player.write_text(f"#!/bin/sh\nexec /bin/cat > {heard}\n")
    player.chmod(0o755)
    done = run(server, "tts", "Straight to a player.", env={"PATH": str(tmp_path)})
    assert done.returncode == 0, done.stderr
    assert decode(heard.read_bytes(), "wav").seconds > 0.8
    done = run(server, "tts", "No player.", env={"PATH": "/nonexistent"})
    assert done.returncode == 6 and b"-o FILE" in done.stderr


def test_lists_voices(server):
    done = run(server, "voices", "--language", "de")
    assert done.returncode == 0 and b"espeak-de" in done.stdout and b"\033[" not in done.stdout
    voices = json.loads(run(server, "voices", "--json").stdout)["voices"]
    ids = run(server, "voices", "--ids").stdout.decode().split()
    assert ids == [voice["id"] for voice in voices]


def test_exit_codes(server, tmp_path):
    target = str(tmp_path / "x.wav")
    cases = [
        (2, ["tts", "Hi.", "-o", target, "--voice", "nobody"]),
        (2, ["tts", "Hi.", "-o", target, "--speed", "9"]),
        (2, ["tts", "", "-o", target]),
        (2, ["tts", "Hi.", "--file", "x", "-o", target]),
        (2, ["nonsense"]),
        (2, []),
        (4, ["--api-key", "vf_live_unknown", "tts", "Hi.", "-o", target]),
        (6, ["tts", "--file", "/nonexistent/file", "-o", target]),
        (6, ["tts", "Hi.", "-o", "/nonexistent/x.wav"]),
        (0, ["--help"]),
        (0, ["--version"]),
    ]
    for code, arguments in cases:
        done = run(server, *arguments)
        assert done.returncode == code, (arguments, done.stderr)
        assert code == 0 or done.stderr
    assert not os.listdir(tmp_path)
    done = run(server, "voices", url="http://127.0.0.1:1")
    assert done.returncode == 3 and b"--server" in done.stderr


def test_the_config_file(server, tmp_path):
    folder = tmp_path / "voiceflow"
    folder.mkdir()
    config = folder / "config.toml"
    config.write_text(f'server = "{server.url}"\nvoice = "rms"\nformat = "mp3"\n')
    env = {"XDG_CONFIG_HOME": str(tmp_path), "VOICEFLOW_SERVER": ""}
    done = run(server, "tts", "Configured.", "-o", "-", env=env)
    assert done.returncode == 0 and decode(done.stdout, "mp3").seconds > 0.5
    config.write_text("server = 1\n")
    done = run(server, "voices", env=env)
    assert done.returncode == 2 and b"config.toml:1" in done.stderr
    config.write_text("\nsevrer = \"x\"\n")
    assert b"config.toml:2: unknown key sevrer" in run(server, "voices", env=env).stderr


def test_colours_only_on_a_terminal(server):
    parent, child = pty.openpty()
    env = {**os.environ, "VOICEFLOW_SERVER": server.url, "TERM": "xterm"}
    env.pop("NO_COLOR", None)
    with subprocess.Popen([VOICEFLOW, "voices", "--engine", "flite"], stdout=child, env=env):
        os.close(child)
        seen = b""
        try:
            while chunk := os.read(parent, 4096):
                seen += chunk
        except OSError:
            pass
    os.close(parent)
    assert b"\033[1m" in seen


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(server, shell):
    done = run(server, "completion", shell)
    assert done.returncode == 0 and b"voiceflow" in done.stdout
    if shell == "bash":
        script = done.stdout.decode() + (
            "\nCOMP_WORDS=(voiceflow t); COMP_CWORD=1; _voiceflow; echo ${COMPREPLY[@]}")
        assert subprocess.run(["bash", "-c", script], capture_output=True).stdout.strip() == b"tts"


def test_a_broken_speech_leaves_no_file(fake_server, tmp_path):
    target = tmp_path / "broken.wav"
    done = run(fake_server, "tts", "This will break.", "--voice", "fake-crash", "-o", str(target))
    assert done.returncode in (1, 3, 5)
    assert not os.listdir(tmp_path)
