"""Who is let in: Host, Origin, token, headers; and that bad ids and names lead nowhere."""

from __future__ import annotations

import pytest


def test_health_needs_no_token(server):
    assert server.bare().get("/api/health").json() == {"status": "ok"}


@pytest.mark.parametrize("path", ["/api/info", "/api/version", "/api/openapi.json", "/api/jobs/x"])
def test_api_needs_the_token(server, path):
    answer = server.bare().get(path)
    assert answer.status_code == 401
    assert answer.json()["error"]["kind"] == "token"


def test_wrong_tokens_are_refused(server):
    assert server.bare(authorization="Bearer nonsense").get("/api/info").status_code == 401
    assert server.bare(**{"x-pullfocus-token": "nonsense"}).get("/api/info").status_code == 401
    assert server.bare(cookie=f"pullfocus_{server.port}=no").get("/api/info").status_code == 401
    assert server.bare(cookie="\x7f=;;=").get("/api/info").status_code == 401


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "", "[::2]", "a@b:1", "a@127.0.0.1", "@127.0.0.1",
     "a:b@localhost:80", "127.0.0.1/x", "127.0.0.1?x", "127.0.0.1#x", "127.0.0.1:x", "127.0.0.1:",
     "127.0.0.1, evil.example", "127.0.0.1\\@evil.example", "[127.0.0.1]", "127.0.0.1."],
)  # fmt: skip
def test_foreign_host_is_refused(client, host):
    """DNS rebinding: a name of somebody else's that points to this machine."""
    answer = client.get("/api/info", headers={"host": host})
    assert answer.status_code in (400, 421)
    assert client.get("/", headers={"host": host}).status_code in (400, 421)


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:1", "file://", "http://[::1"]
)
def test_foreign_origin_is_refused(client, origin):
    for method, path in (("POST", "/api/photos"), ("GET", "/api/info"), ("POST", "/api/refocus")):
        answer = client.request(method, path, headers={"origin": origin}, content=b"x")
        assert answer.status_code == 403


def test_posts_from_other_sites_without_origin_are_refused(client):
    answer = client.post("/api/photos", headers={"sec-fetch-site": "cross-site"}, content=b"x")
    assert answer.status_code == 403
    assert client.get("/api/info", headers={"sec-fetch-site": "same-site"}).status_code == 403


@pytest.mark.parametrize(
    "way", ["https://{}", "ftp://{}", "{}", "//{}", "http://a@{}", "http://{}/"]
)
def test_an_origin_with_another_scheme_is_refused(client, server, way):
    origin = way.format(f"127.0.0.1:{server.port}")
    assert client.get("/api/info", headers={"origin": origin}).status_code == 403
    assert client.post("/api/photos", headers={"origin": origin}, content=b"x").status_code == 403


def test_own_origin_is_accepted(client, server):
    assert client.get("/api/info", headers={"origin": server.url}).status_code == 200


def test_the_address_gives_a_strict_cookie(server):
    bare = server.bare()
    answer = bare.get(f"/?token={server.config.token}", follow_redirects=False)
    assert answer.status_code == 303
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert bare.get("/api/version").status_code == 200
    wrong = server.bare().get("/?token=wrong", follow_redirects=False)
    assert "set-cookie" not in wrong.headers


@pytest.mark.parametrize("other", ['chart={"a": [1]}', "a[b]=1", "_xsrf=2|x|y", "plain=1"])
def test_cookies_of_other_programs_on_this_host_do_not_matter(server, other):
    own = f"pullfocus_{server.port}={server.config.token}"
    for cookie in (f"{other}; {own}", f"{own}; {other}"):
        assert server.bare(cookie=cookie).get("/api/version").status_code == 200


def test_every_answer_has_strict_headers(client):
    for path in ("/", "/api/info", "/static/js/main.js", "/api/none", "/api/results/none"):
        headers = client.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert "access-control-allow-origin" not in headers


def test_preflights_are_not_answered(client):
    answer = client.options("/api/photos", headers={"origin": "http://evil.example"})
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static/..%2fapp.py",
        "/shaders/%2e%2e/fast.py",
        "/static/js/..%5c..%5c..%5capp.py",
        "/samples/..%2f..%2fapp.jpg",
        "/samples/%2e%2e%2f__init__.jpg",
        "/api/results/..%2f..%2fetc%2fpasswd",
        "/api/results/AAAAAAAAAAAAAAAAAAAAAA",
        "/api/jobs/..%2f",
        "/api/photos/..%2f..%2fx/colour.png",
    ],
)
def test_paths_lead_nowhere_else(client, path):
    answer = client.get(path)
    assert answer.status_code in (404, 405, 410)
    assert "import annotations" not in answer.text


def test_no_route_takes_a_url_or_a_local_path(client, photo_bytes):
    for settings in (
        '{"depth_file": "/etc/passwd"}',
        '{"model": "/tmp/evil.onnx"}',
        '{"model": "somebody/unknown-model"}',
        '{"max_megapixels": 100000}',
    ):
        answer = client.post(
            "/api/refocus", files={"photo": ("a.png", photo_bytes)}, data={"settings": settings}
        )
        assert answer.status_code == 422, settings


def test_no_documentation_page_loads_foreign_scripts(client):
    assert client.get("/docs").status_code == 404
    assert client.get("/redoc").status_code == 404


@pytest.mark.parametrize("path", ["/", "/?token=wrong", "/?token="])
def test_an_address_without_the_token_says_what_is_wrong(server, path):
    answer = server.bare().get(path)
    assert answer.status_code == 401
    assert answer.headers["content-type"].startswith("text/html")
    assert "printed in its terminal" in answer.text
    assert server.config.token not in answer.text
