"""Demo mode: who may speak without a key."""

import pytest

ROUTES = [("POST", "/v1/generate"), ("POST", "/v1/generate/stream"), ("POST", "/generate"),
          ("POST", "/generate/stream"), ("POST", "/v1/audio/speech"), ("GET", "/v1/models"),
          ("GET", "/v1/models/tts-1"), ("GET", "/v1/audio/voices"), ("GET", "/v1/audio/models"),
          ("GET", "/api/voices"), ("GET", "/api/v1/voices"), ("GET", "/api/server"),
          ("GET", "/api/v1/server"), ("GET", "/metrics")]
BODY = {"text": "Hi.", "model": "tts-1", "input": "Hi.", "voice": "alloy"}


def send(http, method, path, headers):
    return http.request(method, path, headers=headers, json=BODY if method == "POST" else None)


@pytest.mark.parametrize("method, path", ROUTES)
@pytest.mark.parametrize("headers, code", [
    ({"Host": "voice.example.org"}, "missing_api_key"),
    ({"X-Forwarded-For": "10.1.2.3"}, "missing_api_key"),
    ({"Origin": "https://evil.example"}, "missing_api_key"),
    ({"Sec-Fetch-Site": "cross-site"}, "missing_api_key"),
    ({"Authorization": "Bearer vf_live_0000"}, "invalid_api_key"),
    ({"xi-api-key": "a", "X-API-Key": "b"}, "conflicting_credentials"),
])
def test_everyone_else_gets_401_in_the_routes_dialect(http, method, path, headers, code):
    response = send(http, method, path, headers)
    assert response.status_code == 401
    body = response.json()
    if isinstance(body.get("detail"), dict):  # ElevenLabs' path, or shared and with its header
        assert "xi-api-key" in headers and path.startswith("/v1/models")
        assert body["detail"]["code"] == "invalid_authorization_header"
        return
    assert (body["error"] if "error" in body else body)["code"] == code


@pytest.mark.parametrize("headers", [
    {"Authorization": "Bearer sk-whatever"}, {"xi-api-key": "x"}, {"Origin": "http://localhost:3000"},
    {"Host": "localhost"}])
def test_this_machine_speaks(http, headers):
    assert send(http, "GET", "/api/voices", headers).status_code == 200


def test_pages_and_machines_need_no_key(http):
    for path in ("/", "/health", "/ready", "/openapi.json", "/assets/page.js"):
        assert http.get(path, headers={"Host": "voice.example.org"}).status_code == 200, path
