"""Neural models: installed while the server runs, spoken through every route, refused when broken."""

import concurrent.futures
import http.server
import json
import os
import signal
import socketserver
import struct
import tarfile
import threading

import pytest

from support import toy_models
from support.audio import decode
from support.models import models, refused
from support.plugin import checking_client
from support.server import BUILD, Server, wait_until

TEXT = "Hello there, my friend. This is spoken by a model."
VOICE = "en_us-lessac-medium"

pytestmark = pytest.mark.skipif(
    not (BUILD / "libexec" / "voiceflow" / "voiceflow-worker-sherpa").exists(),
    reason="the neural models' library is not installed")


@pytest.fixture(scope="module")
def neural():
    running = Server()
    # Closed to everybody else, also to the user that the models' workers become.
    (running.data_dir / "models").mkdir(mode=0o700)
    yield running
    code = running.stop()
    running.close()
    assert code == 0, "\n".join(running.log[-40:])


@pytest.fixture(scope="module")
def client(neural):
    with checking_client(neural.url) as client:
        yield client


@pytest.fixture
def lessac(neural, client, tmp_path):
    """An installed and loaded Piper voice, removed again."""
    models(neural.data_dir, "install", toy_models.piper(tmp_path / "package"))
    wait_until(lambda: voice(client, VOICE), what="the voice")
    yield VOICE
    models(neural.data_dir, "remove", VOICE)
    wait_until(lambda: voice(client, VOICE) is None, what="the voice's end")


def voice(client, name):
    response = client.get(f"/api/voices/{name}")
    return response.json() if response.status_code == 200 else None


def speak(client, name, text=TEXT, **more):
    return client.post("/v1/generate", json={"text": text, "voice": name, "format": "wav", **more})


def workers(server):
    return server.children("voiceflow-worker-sherpa")


def staged(server):
    return [path.name for path in (server.data_dir / "models").glob(".staging*")]


def test_a_voice_comes_speaks_everywhere_and_goes(neural, client, tmp_path):
    assert voice(client, VOICE) is None
    before = client.get("/api/server").json()["voices"]
    told = models(neural.data_dir, "install", toy_models.piper(tmp_path))
    assert told["id"] == VOICE and told["kind"] == "vits" and told["sample_rate"] == 22050
    assert told["audio_seconds"] > 0.5 and told["voices"][0]["language"] == "en-US"
    found = wait_until(lambda: voice(client, VOICE), seconds=5, what="the voice")
    assert found["technology"] == "neural" and found["quality"] == "high"
    assert found["languages"] == ["en-US"] and found["gender"] == "neutral"
    assert found["engine"] == "sherpa" and found["sample_rate"] == 22050
    assert client.get("/api/server").json()["voices"] == before + 1
    assert "sherpa:" + VOICE in {e["name"] for e in client.get("/api/server").json()["engines"]}
    assert VOICE in {v["id"] for v in client.get("/api/voices?technology=neural").json()["voices"]}
    assert VOICE in {v["id"] for v in client.get("/api/voices?quality=high").json()["voices"]}

    reply = speak(client, VOICE, sample_rate=22050)
    assert reply.status_code == 200, reply.text
    assert struct.unpack("<I", reply.content[24:28])[0] == 22050
    native = decode(reply.content, "wav")
    assert native.seconds > 2 and abs(native.samples).max() > 0.05
    reply = client.post("/v1/audio/speech", json={"model": "tts-1", "input": TEXT, "voice": VOICE,
                                                  "response_format": "wav"})
    assert reply.status_code == 200 and decode(reply.content, "wav").seconds == pytest.approx(
        native.seconds, abs=0.3)
    reply = client.post(f"/v1/text-to-speech/{VOICE}?output_format=wav_22050", json={"text": TEXT})
    assert reply.status_code == 200 and decode(reply.content, "wav").seconds > 2
    reply = client.post(f"/v1/text-to-speech/{VOICE}/with-timestamps", json={"text": TEXT})
    assert reply.json()["alignment"]["characters"] == list(TEXT)
    assert client.get(f"/api/voices/{VOICE}/preview").status_code == 200

    models(neural.data_dir, "remove", VOICE)
    wait_until(lambda: voice(client, VOICE) is None, seconds=5, what="the voice's end")
    assert speak(client, VOICE).status_code == 400
    assert models(neural.data_dir, "list")["models"] == []


def test_a_models_own_pace_counts_at_every_speed(neural, client, lessac, tmp_path):
    models(neural.data_dir, "install", toy_models.piper(tmp_path, name="calm", length=1.5))
    calm = "en_us-calm-medium"
    wait_until(lambda: voice(client, calm), what="the voice")
    for speed in (0.8, 1, 1.2, 1.5):
        slow, plain = (decode(speak(client, name, speed=speed).content, "wav").seconds
                       for name in (calm, lessac))
        assert slow == pytest.approx(1.5 * plain, rel=0.15), speed
    models(neural.data_dir, "remove", calm)


def test_speed_is_the_models_own(client, lessac):
    seconds = [decode(speak(client, lessac, speed=speed).content, "wav").seconds
               for speed in (0.5, 1, 2)]
    assert seconds[0] > 1.6 * seconds[1] > 2.6 * seconds[2]


def test_the_packages_of_other_kinds(neural, client, tmp_path):
    packages = [
        toy_models.archive(toy_models.sherpa_vits(tmp_path / "vits-piper-en_US-amy-low"),
                           tmp_path / "vits-piper-en_US-amy-low.tar.bz2"),
        toy_models.archive(toy_models.kokoro(tmp_path / "kokoro-en"), tmp_path / "kokoro-en.tar.gz"),
        toy_models.archive(toy_models.kitten(tmp_path / "kitten-nano"), tmp_path / "kitten-nano.zip"),
        toy_models.matcha(tmp_path / "matcha-ljspeech"), toy_models.stock_kitten(tmp_path / "stock"),
        toy_models.stock_kitten(tmp_path / "newer", rows=400),
        toy_models.piper(tmp_path / "many", language="de_DE", name="viele", espeak="de",
                         speakers={"anna": 1, "Max Mustermann": 0}).parent]
    for package in packages:
        models(neural.data_dir, "install", package)
    voices = ["en_us-amy-low", "kokoro-en-af_bella", "kokoro-en-bf_emma",
              "kitten-nano-expr-voice-2-f", "matcha-ljspeech", "stock-expr-voice-2-f",
              "newer-expr-voice-2-m", "de_de-viele-medium-anna",
              "de_de-viele-medium-max-mustermann"]
    for name in voices:
        found = wait_until(lambda name=name: voice(client, name), what=name)
        reply = speak(client, name, text="Guten Tag." if name.startswith("de") else TEXT)
        assert reply.status_code == 200, (name, reply.text)
        assert abs(decode(reply.content, "wav").samples).max() > 0.02, name
        if name == "kokoro-en-bf_emma":
            assert found["languages"] == ["en-GB"] and found["gender"] == "female"
            assert found["licence"] == "Apache-2.0"
        if name == "en_us-amy-low":
            assert found["licence"] == "CC0" and found["quality"] == "standard"
    listed = models(neural.data_dir, "list")["models"]
    assert {model["kind"] for model in listed} == {"vits", "kokoro", "kitten", "matcha"}
    # The styles of stock models arrive, and their own speed.
    loud, soft = (decode(speak(client, f"stock-expr-voice-2-{g}").content, "wav") for g in "mf")
    assert abs(loud.samples).max() > 1.3 * abs(soft.samples).max()
    slow = decode(speak(client, "newer-expr-voice-2-m").content, "wav")
    assert slow.seconds > 1.5 * soft.seconds
    # The speakers of one model do not sound alike.
    anna, max_ = (speak(client, name, text="Guten Tag.").content for name in voices[-2:])
    assert anna != max_
    for model in listed:
        models(neural.data_dir, "remove", model["id"])
    wait_until(lambda: voice(client, voices[0]) is None, what="the voices' end")


def broken_packages(folder):
    """(name, package, words of the reason)"""
    whole = toy_models.vits_onnx()
    piper = json.dumps(toy_models.piper_json())

    def pair(name, onnx, config):
        path = toy_models.write(folder / name / "en_US-bad-low.onnx", onnx)
        if config is not None:
            toy_models.write(path.with_suffix(".onnx.json"), config)
        return path

    def changed(name, change, **more):
        package = toy_models.sherpa_vits(folder / name, **more)
        change(package)
        return package

    without = {k: v for k, v in toy_models.VITS_PROPS.items() if k != "n_speakers"}
    other = json.dumps({"architectures": ["Whisper"], "vocab_size": 51864})
    yield "empty", pair("empty", b"", piper), "is empty"
    yield "cut off", pair("cut", whole[:len(whole) // 2], piper), "cut off"
    yield "not ONNX", pair("text", b"This is no model, it is a letter.", piper), "ONNX"
    yield "no JSON", pair("alone", whole, None), ".json beside it"
    yield "another's JSON", pair("other", whole, other), 'has no "audio"'
    yield "JSON that is none", pair("garbage", whole, "{]"), "is not JSON"
    yield "too few numbers", changed("props", lambda p: None, props=without), "'n_speakers' does not exist"
    yield "wrong rate", pair("rate", whole, json.dumps(toy_models.piper_json(rate=5))), "sample_rate"
    yield "wrong tokens", changed("tokens", lambda p: (p / "tokens.txt").write_text("rubbish")), "cannot speak"
    yield ("no tokens", changed("none", lambda p: (p / "tokens.txt").unlink()),
           "tokens.txt is missing")
    yield ("no phoneme data", changed("data", lambda p: (p / "espeak-ng-data" / "phontab").unlink()),
           "phontab")
    styles = toy_models.kokoro(folder / "styles")
    (styles / "voices.bin").write_bytes(b"1234")
    yield "wrong styles", styles, "Corrupted"
    for name, content, reason in (("text", b"hello", "not a .npz"),
                                  ("cut", toy_models.npz(["a"], 1, 256)[:600], "voices.npz"),
                                  ("wide", toy_models.npz(["a"], 1, 7), "dimensions")):
        stock = toy_models.stock_kitten(folder / f"stock-{name}")
        (stock / "voices.npz").write_bytes(content)
        yield f"styles: {name}", stock, reason
    yield "no vocoder", toy_models.matcha(folder / "mute", vocoder=False), "vocoder"
    yield "nothing in it", toy_models.write(folder / "void" / "README", "hello").parent, "no .onnx file"
    yield "no package", toy_models.write(folder / "letter.txt", "hello"), "is none of"


def test_a_broken_package_is_refused_and_nobody_notices(neural, client, lessac, tmp_path):
    """Every reason is told, nothing is left, and the server speaks on meanwhile."""
    kept = sorted(os.listdir(neural.data_dir / "models"))
    pids = workers(neural)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        stop = threading.Event()

        def keep_speaking():
            spoken = []
            while not stop.is_set():
                spoken.append(len(speak(client, lessac, text=f"{TEXT} {len(spoken)}").content))
            return spoken
        speaking = pool.submit(keep_speaking)
        try:
            for name, package, reason in broken_packages(tmp_path):
                told = refused(neural.data_dir, "install", package, "--id", "bad")
                assert reason in told, (name, told)
                assert sorted(os.listdir(neural.data_dir / "models")) == kept, name
        finally:
            stop.set()
        assert speaking.result() and min(speaking.result()) > 10_000
    assert workers(neural) == pids
    assert voice(client, "bad") is None


def test_an_attacking_archive_stays_in_its_folder(neural, tmp_path):
    def archive(name, *entries):
        path = tmp_path / f"{name}.tar.gz"
        with tarfile.open(path, "w:gz") as out:
            for entry, content in entries:
                info = tarfile.TarInfo(entry)
                if isinstance(content, str):
                    info.type, info.linkname = tarfile.SYMTYPE, content
                    out.addfile(info)
                else:
                    info.size = content
                    with open("/dev/zero", "rb") as zeros:
                        out.addfile(info, zeros)
        return path

    for name, reason, entries in [
            ("absolute", "absolute path", [("/etc/vf-evil", 3)]),
            ("up", "leads out", [("model/../../../vf-evil", 3)]),
            ("link", "neither a file nor a folder", [("model/x.onnx", "/etc/passwd")]),
            ("bomb", "times its size", [("model/zeros", 80 << 20)]),
            ("twice", "twice", [("model/a", 3), ("model/a", 3)]),
            ("many", "entries", [(f"model/{i}", 0) for i in range(9000)])]:
        told = refused(neural.data_dir, "install", archive(name, *entries))
        assert reason in told, (name, told)
    assert "cannot be unpacked" in refused(
        neural.data_dir, "install", toy_models.write(tmp_path / "x.tar.bz2", b"BZh9 no archive"))
    assert not staged(neural) and not os.path.exists("/etc/vf-evil")
    assert not (tmp_path.parent / "vf-evil").exists()


def test_a_worker_killed_in_mid_sentence_is_replaced(neural, client, lessac):
    pids = wait_until(lambda: workers(neural), what="the worker")
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        speaking = pool.submit(speak, client, lessac, TEXT * 60)
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        reply = speaking.result()
    if reply.status_code == 200:
        assert decode(reply.content, "wav").seconds > 60
    else:
        assert reply.json()["code"] in ("engine_failed", "text_not_speakable"), reply.text
    again = speak(client, lessac, "It goes on with another worker.")
    assert again.status_code == 200 and workers(neural) != pids


def test_speech_that_runs_when_its_model_is_removed_ends_whole(neural, client, tmp_path):
    models(neural.data_dir, "install", toy_models.piper(tmp_path, name="gone"))
    name = "en_us-gone-medium"
    wait_until(lambda: voice(client, name), what="the voice")
    alone = decode(speak(client, name, TEXT * 20).content, "wav").seconds
    with client.stream("POST", "/v1/generate/stream",
                       json={"text": TEXT * 20, "voice": name, "format": "wav"}) as reply:
        assert reply.status_code == 200
        parts = reply.iter_bytes()
        first = next(parts)
        models(neural.data_dir, "remove", name)
        wait_until(lambda: voice(client, name) is None, what="the voice's end")
        audio = first + b"".join(parts)
    assert decode(audio, "wav").seconds == pytest.approx(alone, rel=0.05)
    assert speak(client, name).status_code == 400


def test_an_installed_model_is_replaced_only_when_told(neural, client, lessac, tmp_path):
    package = toy_models.piper(tmp_path / "again", rate=16000)
    assert "--replace" in refused(neural.data_dir, "install", package)
    etag = client.get(f"/api/voices/{lessac}/preview").headers["etag"]
    models(neural.data_dir, "install", package, "--replace")
    wait_until(lambda: (voice(client, lessac) or {}).get("sample_rate") == 16000,
               what="the new model")
    assert speak(client, lessac).status_code == 200
    assert client.get(f"/api/voices/{lessac}/preview").headers["etag"] != etag
    # Another id would bring a voice of the same name only when the id is the same.
    told = models(neural.data_dir, "install", package, "--id", "other", "--language", "en-GB")
    assert told["voices"] == [{"id": "other", "name": "Other", "language": "en-GB",
                               "gender": "neutral"}]
    models(neural.data_dir, "remove", "other")


def test_what_the_commands_say(neural, lessac, tmp_path):
    assert models(neural.data_dir, "probe", lessac)["audio_seconds"] > 0.5
    package = toy_models.piper(tmp_path, name="try")
    assert models(neural.data_dir, "probe", package)["id"] == "en_us-try-medium"
    listed = [m["id"] for m in models(neural.data_dir, "list")["models"]]
    assert lessac in listed and "en_us-try-medium" not in listed
    assert "no installed model" in refused(neural.data_dir, "remove", "nobody")
    assert "no installed model" in refused(neural.data_dir, "remove", "../" + lessac)
    assert "models known" in refused(neural.data_dir, "install", "piper/of-nobody")
    known = {m["name"] for m in models(neural.data_dir, "known")["models"]}
    assert {"piper/en_US-lessac-medium", "kokoro/en-v0_19"} <= known


class Publisher(socketserver.ThreadingMixIn, http.server.HTTPServer):
    """Serves files by name; /moved/… leads to them, /circle to itself."""

    daemon_threads = True

    def __init__(self, files):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                name = self.path.rsplit("/", 1)[1]
                if self.path.startswith(("/moved/", "/circle")):
                    self.send_response(302)
                    self.send_header("Location", "/circle" if name == "circle" else "/" + name)
                    self.end_headers()
                    return
                content = files.get(name)
                self.send_response(200 if content else 404)
                self.send_header("Content-Length", str(len(content or b"")))
                self.end_headers()
                self.wfile.write(content or b"")

            def log_message(self, *arguments):
                pass
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()


def test_a_package_comes_from_an_address(neural, client, tmp_path):
    onnx = toy_models.piper(tmp_path, name="net")
    packed = toy_models.archive(toy_models.kitten(tmp_path / "kitten-net"), tmp_path / "kitten-net.tar.bz2")
    files = {p.name: p.read_bytes() for p in (onnx, onnx.with_suffix(".onnx.json"), packed)}
    files["large.tar.gz"] = bytes(2 << 20)
    with Publisher(files) as publisher:
        url = publisher.url
        told = models(neural.data_dir, "install", f"{url}/moved/{onnx.name}")
        assert told["id"] == "en_us-net-medium" and told["source"].endswith(onnx.name)
        told = models(neural.data_dir, "install", f"{url}/kitten-net.tar.bz2")
        assert told["id"] == "kitten-net"
        assert "answers 404" in refused(neural.data_dir, "install", f"{url}/none.tar.bz2")
        assert "in a circle" in refused(neural.data_dir, "install", f"{url}/circle")
        assert "SHA-256" in refused(neural.data_dir, "install", f"{url}/kitten-net.tar.bz2", "--id", "b",
                                    "--sha256", "0" * 64)
        assert "models.max_bytes" in refused(neural.data_dir, "install", f"{url}/large.tar.gz",
                                             "--models.max_bytes=1MiB")
        publisher.shutdown()
    assert not staged(neural)
    for name in ("en_us-net-medium", "kitten-net"):
        models(neural.data_dir, "remove", name)


def test_models_are_there_after_a_restart_and_damaged_ones_are_left_out(tmp_path):
    server = Server()
    try:
        models(server.data_dir, "install", toy_models.piper(tmp_path / "a", name="sound"))
        models(server.data_dir, "install", toy_models.piper(tmp_path / "b", name="hurt"))
        models(server.data_dir, "install", toy_models.piper(tmp_path / "c", name="short"))
        server.stop()
        folder = server.data_dir / "models"
        hurt = folder / "en_us-hurt-medium" / "model.onnx"
        data = bytearray(hurt.read_bytes())
        data[len(data) // 2] ^= 1
        hurt.write_bytes(data)
        (folder / "en_us-short-medium" / "tokens.txt").unlink()
        server.start()
        with checking_client(server.url) as client:
            # There as soon as the server says that it is ready.
            assert voice(client, "en_us-sound-medium")
            assert speak(client, "en_us-sound-medium").status_code == 200
            assert voice(client, "en_us-hurt-medium") is None
            assert voice(client, "en_us-short-medium") is None
        told = [json.loads(line) for line in server.log if '"model_refused"' in line]
        assert {line["model"] for line in told} == {"en_us-hurt-medium", "en_us-short-medium"}
        assert all("Install it again" in line["reason"] for line in told)
        assert "other bytes" in refused(server.data_dir, "probe", "en_us-hurt-medium")
        listed = {m["id"]: m["problem"] for m in models(server.data_dir, "list")["models"]}
        assert listed["en_us-sound-medium"] is None and "missing" in listed["en_us-short-medium"]
    finally:
        server.close()
