"""Fixtures of all tests against the running server."""

import httpx
import pytest

from . import contract
from .server import Server


def pytest_addoption(parser):
    parser.addoption("--all", action="store_true", help="also the long tests")


def pytest_collection_modifyitems(config, items):
    if config.getoption("--all"):
        return
    for item in items:
        if "long" in item.keywords:
            item.add_marker(pytest.mark.skip(reason="long: only with --all"))


@pytest.fixture(autouse=True)
def every_answer_is_checked(request, monkeypatch):
    """In tests/api also what is asked with httpx directly is held against the contract."""
    if request.path.parent.name != "api":
        return
    plain_send = httpx.Client.send

    def send(client, *sent, stream=False, **options):
        response = plain_send(client, *sent, stream=stream, **options)
        asked = response.request
        if not stream and asked.url.host == "127.0.0.1":
            contract.check(asked.method, asked.url.path, response.status_code, response.headers,
                           response.content)
        return response
    monkeypatch.setattr(httpx.Client, "send", send)


@pytest.fixture(scope="session")
def server():
    running = Server(settings={"LOG_LEVEL": "info"})
    yield running
    code = running.stop()
    running.close()
    assert code == 0, "the server did not end cleanly:\n" + "\n".join(running.log[-40:])


@pytest.fixture(scope="session")
def fake_server():
    """A server that has the test engine too."""
    running = Server(settings={"ENGINES_ENABLE": "fake,flite",
                               "ENGINES_FIRST_CHUNK_TIMEOUT": "1s",
                               "ENGINES_SEGMENT_TIMEOUT": "3s"})
    yield running
    code = running.stop()
    running.close()
    assert code == 0, "the server did not end cleanly:\n" + "\n".join(running.log[-40:])


def checking_client(url, **options):
    """An httpx client that holds every answer against the contract."""

    def on_response(response):
        response.read()
        contract.check(response.request.method, response.request.url.path, response.status_code,
                       response.headers, response.content)

    return httpx.Client(base_url=url, timeout=60, event_hooks={"response": [on_response]}, **options)


@pytest.fixture(scope="session")
def http(server):
    with checking_client(server.url) as client:
        yield client


@pytest.fixture(scope="session")
def fake_http(fake_server):
    with checking_client(fake_server.url) as client:
        yield client
