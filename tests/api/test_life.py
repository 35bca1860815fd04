"""Starting, stopping, being killed, two side by side, wrong settings."""

import os
import signal
import subprocess
import time

import httpx
import pytest

from support.server import VOICEFLOWD, Server, wait_until


def speaks(server):
    return httpx.post(server.url + "/v1/generate", json={"text": "Hi.", "voice": "slt"},
                      timeout=30).status_code == 200


@pytest.fixture
def data_dir(tmp_path):
    os.chmod(tmp_path, 0o755)
    for parent in tmp_path.parents:
        if str(parent).startswith("/tmp/pytest"):
            os.chmod(parent, 0o755)
    return tmp_path / "data"


def test_stops_cleanly_and_starts_again_on_its_data(data_dir):
    first = Server(data_dir)
    instance = httpx.get(first.url + "/api/server").json()["instance_id"]
    assert first.stop() == 0
    assert not (data_dir / "postgres" / "postmaster.pid").exists()
    second = Server(data_dir)
    assert httpx.get(second.url + "/api/server").json()["instance_id"] == instance
    assert speaks(second)
    assert second.stop() == 0


@pytest.mark.parametrize("what", ["server", "everything"])
def test_killed_and_started_again(data_dir, what):
    first = Server(data_dir)
    instance = httpx.get(first.url + "/api/server").json()["instance_id"]
    children = first.children()
    assert children
    first.kill()
    if what == "everything":
        for pid in children:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
    workers_gone = [pid for pid in children]
    second = Server(data_dir)
    assert httpx.get(second.url + "/api/server").json()["instance_id"] == instance
    assert speaks(second)

    def no_orphans():
        for pid in workers_gone:
            try:
                name = open(f"/proc/{pid}/cmdline", "rb").read()
            except OSError:
                continue
            if b"voiceflow-worker" in name:
                return False
        return True
    wait_until(no_orphans, 5, "the end of the first server's workers")
    assert second.stop() == 0


def test_two_side_by_side(tmp_path):
    one, two = Server(), Server()
    try:
        assert one.port != two.port and speaks(one) and speaks(two)
        ids = {httpx.get(s.url + "/api/server").json()["instance_id"] for s in (one, two)}
        assert len(ids) == 2
    finally:
        one.close()
        two.close()


def test_one_data_folder_has_one_server(data_dir):
    first = Server(data_dir)
    done = subprocess.run([VOICEFLOWD, "serve"], capture_output=True, text=True, timeout=30,
                          env={**os.environ, "VOICEFLOW_DATA_DIR": str(data_dir),
                               "VOICEFLOW_HTTP_PORT": "0"})
    assert done.returncode == 1 and str(first.process.pid) in done.stderr
    assert speaks(first)
    assert first.stop() == 0


def test_a_taken_port_is_said(data_dir, server):
    done = subprocess.run([VOICEFLOWD, "serve"], capture_output=True, text=True, timeout=30,
                          env={**os.environ, "VOICEFLOW_DATA_DIR": str(data_dir),
                               "VOICEFLOW_HTTP_PORT": str(server.port)})
    assert done.returncode == 1 and str(server.port) in done.stderr


def test_running_requests_finish_before_the_end(data_dir):
    running = Server(data_dir)
    text = "A long text that is being spoken while the server is told to stop. " * 20
    with httpx.stream("POST", running.url + "/v1/generate/stream", timeout=60,
                      json={"text": text, "voice": "slt", "format": "pcm"}) as reply:
        chunks = reply.iter_bytes()
        size = len(next(chunks))
        running.process.send_signal(signal.SIGTERM)
        started = time.monotonic()
        size += sum(len(chunk) for chunk in chunks)
    assert size > 24000 * 2 * 30
    assert running.stop() == 0
    assert time.monotonic() - started < 12


@pytest.mark.parametrize("change, words", [
    ({"VOICEFLOW_HTTP_PORT": "eighty"}, "http.port must be a whole number"),
    ({"VOICEFLOW_AUTH_DEMO": "maybe"}, "auth.demo must be one of auto, always, never"),
])
def test_wrong_settings_stop_the_start(data_dir, change, words):
    done = subprocess.run([VOICEFLOWD, "serve"], capture_output=True, text=True, timeout=30,
                          env={**os.environ, "VOICEFLOW_DATA_DIR": str(data_dir), **change})
    assert done.returncode == 2 and words in done.stderr


def test_a_wrong_file_is_named_with_its_line(tmp_path):
    file = tmp_path / "voiceflow.toml"
    file.write_text("[http]\n\nprot = 1\n")
    done = subprocess.run([VOICEFLOWD, "serve", "--config", file], capture_output=True, text=True)
    assert done.returncode == 2
    assert f"{file}:3: unknown setting http.prot; did you mean http.port?" in done.stderr


def test_an_unknown_variable_is_only_a_warning(data_dir):
    running = Server(data_dir, settings={"HTTP_PROT": "1", "API_KEY": "x"})
    assert [line for line in running.log if "VOICEFLOW_HTTP_PROT" in line]
    assert not [line for line in running.log if "VOICEFLOW_API_KEY" in line]
    running.close()


def test_config_prints_a_file_that_it_reads_again(tmp_path):
    printed = subprocess.run([VOICEFLOWD, "config", "--http.port=9001"], capture_output=True,
                             text=True, check=True).stdout
    assert "port = 9001" in printed and "VOICEFLOW_HTTP_PORT" in printed
    file = tmp_path / "voiceflow.toml"
    file.write_text(printed)
    again = subprocess.run([VOICEFLOWD, "config", "--config", file], capture_output=True, text=True,
                           check=True).stdout
    assert again == printed


def test_tls_by_configuration(data_dir, tmp_path):
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                    "-keyout", key, "-out", certificate], check=True, capture_output=True)
    running = Server(data_dir, settings={"HTTP_TLS_CERTIFICATE": certificate, "HTTP_TLS_KEY": key})
    assert running.url.startswith("https://")
    import ssl
    context = ssl.create_default_context(cafile=str(certificate))
    reply = httpx.post(running.url + "/v1/generate", json={"text": "Hi."}, verify=context, timeout=30)
    assert reply.status_code == 200
    running.close()


def test_a_unix_socket(data_dir, tmp_path):
    path = tmp_path / "s"
    running = Server(data_dir, settings={"HTTP_UNIX_SOCKET": path})
    with httpx.Client(transport=httpx.HTTPTransport(uds=str(path))) as client:
        reply = client.post("http://localhost/v1/generate", json={"text": "Hi."}, timeout=30)
    assert reply.status_code == 200
    running.close()


def test_as_an_ordinary_user(tmp_path_factory):
    """Not root: the same, with PostgreSQL as that user."""
    if os.geteuid() != 0:
        pytest.skip("this is the ordinary case then")
    import shutil
    import tempfile
    home = tempfile.mkdtemp(prefix="vf-user-")
    shutil.chown(home, "nobody", "nogroup")
    env = {"PATH": os.environ["PATH"], "HOME": home, "VOICEFLOW_HTTP_PORT": "0",
           "VOICEFLOW_DATA_DIR": home + "/data", "ASAN_OPTIONS": "detect_leaks=0"}
    process = subprocess.Popen([VOICEFLOWD, "serve"], env=env, user="nobody", group="nogroup",
                               extra_groups=[], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               text=True)
    try:
        line = process.stdout.readline()
        assert line.startswith("VoiceFlow is ready at "), process.stderr.read()
        reply = httpx.post(line.split()[-1] + "/v1/generate", json={"text": "Hi."}, timeout=30)
        assert reply.status_code == 200
    finally:
        process.terminate()
        assert process.wait(15) == 0
        shutil.rmtree(home, ignore_errors=True)


def test_a_database_of_another_postgresql(data_dir):
    """A clear message that names the command; the command itself, where there is nothing to do."""
    Server(data_dir).stop()
    env = {**os.environ, "VOICEFLOW_DATA_DIR": str(data_dir), "VOICEFLOW_HTTP_PORT": "0"}

    def run(*arguments):
        return subprocess.run([VOICEFLOWD, *arguments], capture_output=True, text=True, timeout=60,
                              env=env)
    upgrade = run("database", "upgrade")
    assert upgrade.returncode == 0 and "nothing to do" in upgrade.stdout, upgrade.stderr
    migrate = run("migrate")
    assert migrate.returncode == 0 and "the schema is at version" in migrate.stdout, migrate.stderr
    version = data_dir / "postgres" / "PG_VERSION"
    major = version.read_text()
    version.write_text("14\n")
    refused = run("serve")
    assert refused.returncode == 1
    assert "voiceflowd database upgrade" in refused.stderr and "postgresql-14" in refused.stderr
    upgrade = run("database", "upgrade")
    assert upgrade.returncode == 1 and "postgresql-14" in upgrade.stderr
    version.write_text(major)
    assert Server(data_dir).stop() == 0
