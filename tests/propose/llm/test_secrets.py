"""The key is seen in the request's header and nowhere else: no file, log, repr, message or traceback."""

from __future__ import annotations

import json
import logging
import traceback
from pathlib import Path
from typing import Any

import pytest
from werkzeug import Request, Response

from eureka_loop import files
from eureka_loop.errors import BadInput, EurekaError
from eureka_loop.propose.designer import Repair
from eureka_loop.propose.llm.settings import api_key, configured_url, headers, is_local
from tests.propose.llm.conftest import PROGRAM, answers, drops, fails, hangs, says


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Records of every library, at the most verbose level."""
    caplog.set_level(logging.DEBUG)
    for name in ("openai", "httpx2", "httpcore2", "httpx", "httpcore"):
        caplog.set_level(logging.DEBUG, logger=name)
    return caplog


def shown(error: BaseException) -> str:
    """An exception in every form: message, repr, and a traceback that prints variables.

    The test's own frame is left out: its variables hold the key.
    """
    plain = "".join(traceback.format_exception(error))
    below = error.__traceback__.tb_next if error.__traceback__ else None
    frames = traceback.TracebackException(type(error), error, below, capture_locals=True)
    return "\n".join([str(error), repr(error), plain, *frames.format(), repr(error.__context__)])


@pytest.mark.parametrize("padding", [0, 170])  # where a long message is cut, a key may be cut in half
@pytest.mark.parametrize("status", [400, 401, 404, 429, 500])
def test_an_endpoint_that_echoes_the_key_in_its_errors(
    script: Any, designer: Any, ask: Any, key: str, logged: Any, status: int, padding: int
) -> None:
    script.always = fails(status, f"no luck {'x' * padding} with Bearer {key} (sk-test-0123****cdef)")
    with pytest.raises(EurekaError) as caught:
        designer().propose(ask(), 0)
    text = shown(caught.value) + logged.text
    assert "no luck" in text
    assert "0123" not in text
    assert script.headers[0]["authorization"] == f"Bearer {key}"


@pytest.mark.parametrize("how", [drops, hangs, None])
def test_connections_that_break(
    script: Any, designer: Any, ask: Any, key: str, logged: Any, how: Any
) -> None:
    script.always = how or answers(200, f"<p>{key}</p>")
    with pytest.raises(EurekaError) as caught:
        designer(timeout=0.3).propose(ask(), 0)
    assert "0123" not in shown(caught.value) + logged.text


def test_an_endpoint_that_echoes_the_key_in_its_reply(
    script: Any, designer: Any, ask: Any, key: str, logged: Any, tmp_path: Path
) -> None:
    def echo(request: Request) -> Response:
        text = f"# {request.headers['Authorization']}\n{PROGRAM}"
        return says(f"```python\n{text}```", refusal=None, finish=f"stop {key}")(request)

    script.always = echo
    asked = designer()
    reply = asked.propose(ask(), 0)
    assert reply.source is not None
    assert reply.source.startswith("# Bearer [key]")
    files.write_json(tmp_path / "reply.json", reply)
    written = (tmp_path / "reply.json").read_text()
    assert key not in written + repr(reply) + json.dumps(files.plain(reply)) + logged.text
    assert key not in repr(asked) + str(vars(asked)) + repr(asked._endpoint._key)


@pytest.mark.parametrize(
    ("first", "more"),
    [
        ([{"text": "s"}, {"text": "k-test-0123456789abcdef"}], {}),
        ("s<think></think>k-test-0123456789abcdef", {}),
        ("s\ufeffk-test-0123456789abcdef", {}),
        ("", {"reasoning": "s<think></think>k-test-0123456789abcdef"}),
    ],
    ids=["parts", "thoughts", "marks", "reasoning"],
)
def test_a_key_in_pieces_is_no_key_once_they_are_joined(
    script: Any, designer: Any, ask: Any, key: str, first: Any, more: Any
) -> None:
    assert key == "sk-test-0123456789abcdef"
    script.always = answers(200, json.dumps({"choices": [{"message": {"content": first, **more}}]}))
    asked = designer()
    reply = asked.propose(ask(), 0)
    again = asked.propose(ask(repair=Repair(reply.source, reply.problem, reply.exchange)), 0)
    assert key not in json.dumps([files.plain(each) for each in (reply, again)], ensure_ascii=False)


def test_a_key_that_can_t_be_one_is_not_repeated(designer: Any) -> None:
    with pytest.raises(BadInput) as caught:
        designer(environ={"EUREKA_API_KEY": "sk-secret with\na bréak"})
    assert str(caught.value) == "EUREKA_API_KEY holds a space or a character that no key has; set it again"


NOT_SHOWN = "must be a plain address"
NO_ADDRESS = "is no web address; for example http"


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        *[(url, NO_ADDRESS) for url in ("localhost:11434", "ftp://host/v1", "http://", "http://a b")],
        *[(url, NO_ADDRESS) for url in ("http://host:x/v1", "http://[::1/v1")],
        *[(f"http://{host}/v1", NO_ADDRESS) for host in ("[1:2:3]", "999.1.1.1", "h:99999", "h\0")],
        ("https://me:hunter2@host/v1", NOT_SHOWN),
        ("me:hunter2@host/v1", NOT_SHOWN),
        ("https://host/v1?api-key=hunter2", NOT_SHOWN),
        ("https://host/v1#hunter2", NOT_SHOWN),
        ("http://[::1/v1?key=hunter2", NOT_SHOWN),
        ("https://\u0430pi.openai.com/v1", "has letters of other alphabets, which may look alike"),
    ],
)
def test_an_address_must_be_one_and_hold_no_key(url: str, problem: str) -> None:
    with pytest.raises(BadInput, match=f"--base-url .*{problem}") as flag:
        configured_url(url)
    with pytest.raises(BadInput, match=f"OPENAI_BASE_URL .*{problem}") as variable:
        configured_url(None, {"OPENAI_BASE_URL": url})
    assert "hunter2" not in str(flag.value) + str(variable.value)


OPENAI_S = ("https://api.openai.com/v1", "https://eu.api.openai.com/v1", "HTTPS://API.OpenAI.com:443")
ANOTHER_S = (
    "http://api.openai.com/v1",  # unencrypted
    "https://api.openai.com.example.org/v1",
    "https://api.openai.com:8443/v1",
    "https://example.org/api.openai.com/v1",
    "https://api.openai.com\\.example.org/v1",
    "https://example.org\\.api.openai.com/v1",
    "https://x-api.openai.com/v1",
    "https://api.opena\u0131.com/v1",  # letters that are the same in another case
    "https://api.openai.com\u017f/v1",
    "http://localhost:11434/v1",
)


@pytest.mark.parametrize("url", [*OPENAI_S, *ANOTHER_S])
def test_openai_s_key_and_account_go_to_openai_alone(url: str) -> None:
    environ = {"OPENAI_API_KEY": "sk-1", "OPENAI_ORG_ID": "org", "OPENAI_PROJECT_ID": "project"}
    sent = headers(url, api_key(url, environ), environ)
    assert set(sent.values()) == ({"Bearer sk-1", "org", "project"} if url in OPENAI_S else set())
    sent = headers(url, api_key(url, environ | {"EUREKA_API_KEY": "k-2"}), {})
    assert sent == {"Authorization": "Bearer k-2"}


AZURE = "https://mine.openai.azure.com"
VERSION = "?api-version=2025-01-01-preview"


@pytest.mark.parametrize(
    ("given", "environ", "url"),
    [
        (AZURE, {}, f"{AZURE}/openai/v1"),
        (f"{AZURE}/openai/v1/", {}, f"{AZURE}/openai/v1"),
        (AZURE, {"OPENAI_API_VERSION": "2025-01-01"}, f"{AZURE}/openai?api-version=2025-01-01"),
        (f"{AZURE}/openai/deployments/d", {}, f"{AZURE}/openai/deployments/d?api-version=2024-10-21"),
        (f"{AZURE}/openai/deployments/d/chat/completions{VERSION}", {}, f"{AZURE}/openai/deployments/d{VERSION}"),
        (f"https://x.services.ai.azure.com/models/{VERSION}", {}, f"https://x.services.ai.azure.com/models{VERSION}"),
        ("https://g.googleapis.com/v1beta/openai/", {}, "https://g.googleapis.com/v1beta/openai"),
        ("http://h/v1/chat/completions", {"OPENAI_API_VERSION": "2025-01-01"}, "http://h/v1"),
    ],
)  # fmt: skip
def test_addresses_on_azure(given: str, environ: dict[str, str], url: str) -> None:
    assert configured_url(given, environ) == configured_url(url, environ) == url


@pytest.mark.parametrize(
    "url",
    [
        f"{AZURE}/openai/v1", "https://a.services.ai.azure.com/models", "https://b.cognitiveservices.azure.com",
        "http://mine.openai.azure.com/openai/v1", "https://mine.openai.azure.com.example.org/openai/v1",
        "https://openai.azure.com.evil.org", "https://example.org/openai/deployments/d?api-version=2024-10-21",
        "https://evil.azure.com/v1", "https://x.openai.azure.com:8443/v1", "https://api.openai.com/v1",
    ],
)  # fmt: skip
def test_azure_s_key_goes_to_azure_alone(url: str) -> None:
    """In its own header; the project's key goes in that of the interface in use."""
    environ = {"AZURE_OPENAI_API_KEY": "az-1", "OPENAI_API_KEY": "sk-1"}
    sent = headers(url, api_key(url, environ), environ)
    azure = url in (
        f"{AZURE}/openai/v1", "https://a.services.ai.azure.com/models", "https://b.cognitiveservices.azure.com"
    )  # fmt: skip
    assert ("az-1" in str(sent)) is azure
    assert ("sk-1" in str(sent)) is (url in OPENAI_S)
    assert not azure or sent == {"api-key": "az-1"}
    sent = headers(url, api_key(url, environ | {"EUREKA_API_KEY": "k-2"}))
    assert sent in ({"api-key": "k-2"}, {"Authorization": "Bearer k-2"})
    assert ("api-key" in sent) is (azure or "api-version" in url)


def test_addresses_of_this_machine() -> None:
    assert all(map(is_local, ("http://localhost:1/v1", "http://127.0.0.1/v1", "http://[::1]:80")))
    assert not any(map(is_local, ("http://localhost.example.org", "http://10.0.0.1/v1", OPENAI_S[0])))
