"""An endpoint that sends anything: raw bytes for each reply by its family and name.

Served on the loopback by `Server`; used by test_hostile_endpoint.py and benchmarks/hostile_endpoint.py.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import socketserver
import struct
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from eureka_loop.config import RunConfig
from eureka_loop.errors import EurekaError, Refused
from eureka_loop.propose.designer import Request
from eureka_loop.propose.llm.designer import LLMDesigner
from eureka_loop.propose.llm.ledger import Price
from eureka_loop.records import Reply, Task
from eureka_loop.reward.gate import check
from eureka_loop.reward.vocabulary import Observable, Vocabulary
from eureka_loop.store import Run

Sent = Iterable[bytes]
Answer = Callable[[], Sent]  # begins anew for each request

KEY = "sk-test-0123456789abcdef"
BIG = 1 << 30  # bytes that no answer has
PROGRAM = "def compute_reward(forward_velocity, *, w=1.0):\n    return {'go': w * forward_velocity}\n"
VOCABULARY = Vocabulary("any", (Observable("forward_velocity", ()),), horizon=100, dt=0.1)
TASK = Task("t", "Any-v0", "Go.", "def fitness(forward_velocity):\n    return forward_velocity.mean()\n")
REQUEST = Request(TASK, VOCABULARY, "ppo", 0.99, 1000, generation=0, samples=1, seed=0)
GOOD = f"```python\n{PROGRAM}```"


def http(body: bytes | Sent, status: int = 200, head: str = "", *, length: int | None = None) -> Answer:
    """An answer; without a length the end of the connection is the end of the body."""

    def send() -> Sent:
        pieces = [body] if isinstance(body, bytes) else body
        size = len(body) if length is None and isinstance(body, bytes) else length
        lines = f"HTTP/1.1 {status} Any\r\n" + (f"Content-Length: {size}\r\n" if size is not None else "")
        yield f"{lines}{head}\r\n".encode("latin-1")
        yield from pieces

    return send


def chat(content: object = GOOD, usage: object = None, **message: object) -> bytes:
    whole = {"role": "assistant", "content": content, **message}
    choice = {"index": 0, "finish_reason": "stop", "message": whole}
    return json.dumps({"choices": [choice], "model": "m", "usage": usage}).encode()


def says(content: object = GOOD, **message: object) -> Answer:
    return http(chat(content, **message))


def error(message: object, status: int = 400, head: str = "", **more: object) -> Answer:
    return http(json.dumps({"error": {"message": message, **more}}).encode(), status, head)


class Endless:
    """The same bytes again and again: quickly, or one piece every so often."""

    def __init__(self, piece: bytes, *, start: bytes = b"", every: float = 0.0, most: int = BIG) -> None:
        self._piece, self._start, self._every, self._most = piece, start, every, most

    def __iter__(self) -> Iterator[bytes]:
        yield self._start
        many = self._piece if self._every else self._piece * max(1, (1 << 16) // len(self._piece))
        for _ in range(self._most // len(many)):
            time.sleep(self._every)
            yield many


def raw(*pieces: bytes | Sent) -> Answer:
    """Bytes as they are, from the status line on."""
    return lambda: (part for piece in pieces for part in ([piece] if isinstance(piece, bytes) else piece))


def encoded(coding: str, body: bytes | Sent) -> Answer:
    return http(body, head=f"Content-Encoding: {coding}\r\n")


def _bomb(head: bytes) -> bytes:
    """A gigabyte of blanks in a megabyte of deflate; its end is never reached."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return head + BIG // MEBI * (packer.compress(b" " * MEBI) + packer.flush(zlib.Z_FULL_FLUSH))


def _zstd_bomb() -> bytes:
    """A frame of repeated blanks: four bytes each 128 KiB."""
    block = struct.pack("<I", (1 << 17) << 3 | 1 << 1)[:3] + b" "
    return b"\x28\xb5\x2f\xfd\x00\x58" + block * (BIG >> 17)


MEBI = 1 << 20
GZIP = b"\x1f\x8b\x08" + bytes(7)
EMPTY_BLOCKS = GZIP + b"\x00\x00\x00\xff\xff" * (2 * MEBI)  # of nothing
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
STREAM = "Content-Type: text/event-stream\r\n"


def _many(unit: str, size: int = MEBI) -> str:
    return unit * (size // len(unit))


def _event(**delta: object) -> bytes:
    return b"data: " + json.dumps({"choices": [{"delta": delta}]}).encode() + b"\n\n"


TEXTS = {  # a megabyte of what a scanner may stumble over
    "opened thoughts": "<think>",
    "closed thoughts": "</think>",
    "short thoughts": "<think></think>",
    "fences": "```\n",
    "fences with words": "```x\n",
    "long fences": "`" * 999 + "\n",
    "wavy fences": "~~~\n",
    "backticks": "`",
    "quotes of fences": "> > ```\n",
    "beginnings": "def compute_reward(\n",
    "spaced beginnings": "def" + " " * 9999,
    "programs": f"```python\n{PROGRAM}```\n",
    "broken programs": "```\ndef compute_reward(:\n```\n",
    "bare programs": f"{PROGRAM}talk\n",
    "functions": "```\ndef f(): 0\n```\n",
    "lines": "\n",
    "returns": "\r",
    "blanks": " ",
    "tabs and letters": "\t\t\ta\n",
    "assignments": "a: b = c\n",
    "colons": "a:",
    "one identifier": "a",
    "tags": "<",
    "styles": "<style>",
    "keys": "sk-",
    "half keys": "sk-a ",
    "models": "model ",
    "limits": "max_tokens ",
    "brackets": "(",
    "marks of direction": "\u202e",
    "half an emoji": "\ud83d",
    "zeros": "\0",
    "controls": "\x1b",
    "words": "compute reward ",
    "joined letters": "\u200d",
}
DEEP = {  # programs as long as one may be, to be parsed and checked
    "brackets": "x = " + "(" * 9000 + ")" * 9000,
    "calls": "x = " + "f(" * 9000,
    "lambdas": "x = " + "lambda: " * 2400,
    "signs": "x = " + "-" * 19000 + "1",
    "nots": "x = " + "not " * 4900 + "1",
    "conditions": "x = " + "1 if 1 else " * 1600 + "1",
    "attributes": "x = a" + ".b" * 9500,
    "subscripts": "x = " + "a[" * 9000,
    "dicts": "x = " + "{1:" * 6000,
    "blocks": "".join(" " * depth + "if a:\n" for depth in range(190)),
    "comparisons": "x = " + "a < " * 4900 + "a",
    "decorators": "@a\n" * 6500,
    "text": "x = '" + "\\N{BELL}" * 2300 + "'",
    "digits": "x = 0x" + "f" * 19000,
    "powers": "x = " + "9**" * 6000 + "9",
    "formats": "x = f'" + "{a}" * 6000 + "'",
}
NESTED = "[" * 200_000
NUMBERS = {
    "vast": "1" + "0" * 400,
    "too vast to read": "1" + "0" * 5000,
    "negative": "-1",
    "nan": "NaN",
    "infinite": "Infinity",
    "float": "1e308",
    "overflowing": "1e999",
    "64 bits": str(2**63),
    "half": "0.5",
    "text": '"12"',
    "true": "true",
    "null": "null",
    "list": "[]",
    "many digits": "0." + "1" * MEBI,
}
WAITS = (
    "9" * 5000,
    "-1",
    "nan",
    "inf",
    "1e999",
    "\xb2",
    "Thu, 01 Jan 2099 00:00:00 GMT",
    "0x10",
    "",
    "1" * 10,
)


def _counted(number: str) -> bytes:
    usage = f'{{"prompt_tokens": {number}, "completion_tokens": {number}, "total_tokens": {number}}}'
    return chat().replace(b'"usage": null', f'"usage": {usage}'.encode())


def families(elsewhere: str) -> dict[str, dict[str, Answer]]:
    """Family → name → reply.

    Args:
        elsewhere: address of another server, to be sent on to.
    """
    field, nested = chat("@"), NESTED.encode()
    return {
        "sizes": {
            "a gigabyte": http(Endless(b" "), length=BIG),
            "a gigabyte of reply": http(Endless(b"a", start=field.split(b"@")[0]), length=BIG),
            "without end": http(Endless(b"[")),
            "chunks without end": raw(CHUNKED, Endless(b"8\r\n        \r\n")),
            "an error without end": http(Endless(b"e"), 500),
            "an unknown page without end": http(Endless(b"<p>"), 404),
            "a redirect without end": http(Endless(b" "), 302),
            "headers without end": raw(OK, Endless(b"X-A: b\r\n")),
            "one header without end": raw(OK + b"X-A: ", Endless(b"b")),
            "a status without end": raw(b"HTTP/1.1 200 ", Endless(b"O")),
            "interim answers without end": raw(Endless(b"HTTP/1.1 100 Continue\r\n\r\n", every=0.001)),
            "a chunk's name without end": raw(CHUNKED + b"1;", Endless(b"x")),
            "trailers without end": raw(CHUNKED + b"0\r\n", Endless(b"X: y\r\n")),
            "events without end": http(Endless(_event(content="a")), head=STREAM),
            "remarks without end": http(Endless(b": on it\n\n"), head=STREAM),
            "a hundred kilobytes of cookies": http(chat(), head=f"Set-Cookie: a={'; a=' * 22_000}\r\n"),
            "a million choices": http(b'{"choices": [' + b"{}," * MEBI + b"{}]}"),
            "a million parts": http(chat([{}] * MEBI)),
            "a million models": http(b'{"data": [' + b"{}," * MEBI + b"{}]}"),
            "a million lists": http(b'{"a": [' + b"[]," * MEBI + b"[]]}"),
            "a million keys": http(b'{"0":0' + b"".join(b',"%x":0' % n for n in range(400_000)) + b"}"),
            "a finish of a megabyte": http(chat().replace(b"stop", b"s" * MEBI)),
            "a model's name of a megabyte": http(chat().replace(b'"m"', b'"' + b"m" * MEBI + b'"')),
        },
        "compression": {
            "gzip": encoded("gzip", _bomb(GZIP)),
            "deflate": encoded("deflate", _bomb(b"\x78\x9c")),
            "raw deflate": encoded("deflate", _bomb(b"")),
            "zstd": encoded("zstd", _zstd_bomb()),
            "gzip in gzip": encoded("gzip, gzip", gzip.compress(_bomb(GZIP))),
            "much that holds nothing": encoded("gzip", EMPTY_BLOCKS),
            "much that holds nothing, packed": encoded("gzip, gzip", gzip.compress(EMPTY_BLOCKS)),
            "in pieces": encoded("gzip", Endless(gzip.compress(b" " * MEBI))),
            "not gzip": encoded("gzip", chat()),
            "cut off": encoded("gzip", gzip.compress(chat())[:-20]),
            "unknown": encoded("zip", chat()),
            "brotli that is none": encoded("br", b"\xff" * MEBI),
            "an error": http(gzip.compress(b"e" * (64 * MEBI)), 500, "Content-Encoding: gzip\r\n"),
        },
        "drips": {
            "silence": raw(Endless(b"H", every=30.0)),
            "a status": raw(Endless(b"H", every=0.05)),
            "headers": raw(OK, Endless(b"X: y\r\n", every=0.05)),
            "interim answers": raw(Endless(b"HTTP/1.1 102 Processing\r\n\r\n", every=0.05)),
            "a body": http(Endless(b" ", every=0.05), length=BIG),
            "a body without a length": http(Endless(b" ", every=0.05)),
            "chunks": raw(CHUNKED, Endless(b"1\r\n \r\n", every=0.05)),
            "an error": http(Endless(b"e", every=0.05), 500),
            "a redirect": http(Endless(b"e", every=0.05), 307, f"Location: {elsewhere}\r\n"),
            "events": http(Endless(_event(content="a"), every=0.05), head=STREAM),
            "remarks": http(Endless(b": on it\n", every=0.05), head=STREAM),
            "gzip": encoded("gzip", Endless(b"\x00\x00\x00\xff\xff", start=EMPTY_BLOCKS[:10], every=0.05)),
        },
        "nesting": {
            "lists": http(nested),
            "closed lists": http(nested + b"]" * len(nested)),
            "objects": http(b'{"a":' * 200_000),
            "in a reply": http(field.replace(b'"@"', nested + b"]" * len(nested))),
            "at a depth that just reads": http(field.replace(b'"@"', b"[" * 900 + b"]" * 900)),
            "in an error": http(b'{"error":' * 900 + b"1" + b"}" * 900, 400),
            "in an error's message": error(json.loads("[" * 150 + "]" * 150)),
            "a long way to a message": http(b'{"message":' * 190 + b'"no"' + b"}" * 190, 400),
            "in an error of another kind": http(nested, 404),
            "in a choice's error": http(chat().replace(b'"index": 0', b'"error":' + b"[" * 150 + b"]" * 150)),
            "in an event": http(b"data: {" + nested + b"\n\n", head=STREAM),
        },
        "numbers": {
            **{f"tokens: {name}": http(_counted(number)) for name, number in NUMBERS.items()},
            **{f"created: {name}": http(chat()[:-1] + f', "created": {number}}}'.encode())
               for name, number in NUMBERS.items()},
            **{f"wait {n}": error("slow down", 429, f"Retry-After: {wait}\r\n") for n, wait in enumerate(WAITS)},
            "a wait in the text": error(f"Please retry in {'9' * 5000}s", 429),
            "a finish that is a number": http(chat().replace(b'"stop"', b"1" * 400)),
            "status 999": http(chat(), 999),
            "status 000": raw(b"HTTP/1.1 000 No\r\n\r\n"),
            "a length below zero": http(chat(), length=-1),
            "two lengths": http(chat(), head="Content-Length: 3\r\n"),
            "a length too short": http(chat(), length=9),
            "a length too long": http(chat(), length=99_999),
            "a chunk's length below zero": raw(CHUNKED + b"-1\r\n"),
            "a chunk's length of 400 digits": raw(CHUNKED + b"f" * 400 + b"\r\n"),
        },
        "letters": {
            "half an emoji": says("\ud83d" + GOOD),
            "half an emoji in a program": says(GOOD.replace("go", "\udc00")),
            "a zero": says(GOOD.replace("go", "\0")),
            "marks of direction": says(GOOD.replace("go", "\u202e")),
            "a byte order mark": http(b"\xef\xbb\xbf" + chat()),
            "not UTF-8": http(chat().replace(b"python", b"\xff\xfe\xc0\x80")),
            "UTF-16": http(chat().decode().encode("utf-16")),
            "another charset": http(chat(), head="Content-Type: application/json; charset=utf-7\r\n"),
            "no charset": http(chat(), head="Content-Type: text/html; charset=\xff\r\n"),
            "escapes of a terminal": says("\x1b]0;x\x07\x1b[2J no program"),
            "escapes in an error": error("\x1b[2J\x1b]0;x\x07", 500),
            "escapes in a header": http(chat(), head="X-A: \x1b[2J\r\n"),
            "letters in a status": raw(b"HTTP/1.1 200 \xff\xfe\r\n\r\n"),
        },
        "redirects": {
            **{f"{status}": http(b"", status, f"Location: {elsewhere}/v1/chat/completions\r\n")
               for status in (300, 301, 302, 303, 305, 307, 308)},
            "without a place": http(b"", 307),
            "to a file": http(b"", 302, "Location: file:///etc/passwd\r\n"),
            "to itself": http(b"", 302, "Location: chat/completions\r\n"),
            "to a place of a hundred kilobytes": http(b"", 302, f"Location: {elsewhere}/{'<' * 90_000}\r\n"),
            "not changed": http(b"", 304),
            "by a refresh": http(b"", 200, f"Refresh: 0; url={elsewhere}\r\n"),
        },
        "kinds": {
            "a page": http(b"<!doctype html><title>Welcome</title>", head="Content-Type: text/html\r\n"),
            "a picture": http(bytes(range(256)) * 400, head="Content-Type: image/png\r\n"),
            "events without JSON": http(b"data: no\n\ndata: {no}\n\ndata: [DONE]\n\n", head=STREAM),
            "nothing": http(b""),
            "no content": http(b"", 204),
            "a null": http(b"null"),
            "a number": http(b"1"),
            "a text": http(b'"a"'),
            "an empty object": http(b"{}"),
            "choices of the wrong kind": http(b'{"choices": {"0": 1}}'),
            "choices of nothing": http(b'{"choices": [null]}'),
            "a number as the reply": says(1),
            "an object as the reply": says({"text": GOOD}),
            "no byte": raw(),
            "no HTTP": raw(b"SSH-2.0-OpenSSH_9.6\r\n"),
            "HTTP/0.9": raw(b"hello\n"),
            "HTTP/2": raw(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
            "TLS": raw(b"\x16\x03\x01\x02\x00\x01"),
            "an upgrade": raw(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", b"x" * 99),
            "bytes after its end": http(chat() + b"HTTP/1.1 200 OK\r\n\r\n", length=len(chat())),
            "two codings of transfer": raw(OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"),
            "a line break in a header": raw(OK + b"X: a\r\n b\r\n\tc\r\n\r\n"),
            "a header without a name": raw(OK + b": a\r\n\r\n"),
            "zeros": raw(bytes(MEBI)),
        },
        "texts": {
            **{f"reply: {name}": says(_many(unit)) for name, unit in TEXTS.items()},
            **{f"unfinished: {name}": says(f"```python\n{_many(unit)}") for name, unit in TEXTS.items()},
            **{f"refusal: {name}": says(None, refusal=_many(unit)) for name, unit in TEXTS.items()},
            **{f"thought: {name}": says(None, reasoning=_many(unit)) for name, unit in TEXTS.items()},
            **{f"error: {name}": error(_many(unit)) for name, unit in TEXTS.items()},
            **{f"page: {name}": http(_many(unit).encode("utf-8", "replace"), 404) for name, unit in TEXTS.items()},
            **{f"busy: {name}": error(_many(unit), 429) for name, unit in TEXTS.items()},
        },
        "programs": {
            **{f"deep: {name}": says(f"```python\n{PROGRAM}{line}\n```") for name, line in DEEP.items()},
            **{f"bare: {name}": says(f"{PROGRAM}{line}\n") for name, line in DEEP.items()},
            "too long": says(f"```python\n{PROGRAM}{'x = 1' + chr(10) * 1}{_many('y = 1' + chr(10), 3 * MEBI)}```"),
            "too long by letters": says(f"```python\n{PROGRAM}# {'ä' * 15_000}\n```"),
        },
    }  # fmt: skip


class Server:
    """Serves each reply below an address of its own, and records what it was sent.

    Attributes:
        asked: the requests, heads with bodies.
    """

    def __init__(self, replies: dict[str, dict[str, Answer]]) -> None:
        self.asked: list[bytes] = []
        named = {
            f"{family}: {name}": reply for family, found in replies.items() for name, reply in found.items()
        }
        numbered, server = list(named.values()), self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                head = b"".join(iter(self.rfile.readline, b"\r\n"))
                lines = head.lower().split(b"\r\n")
                length = next((int(line[15:]) for line in lines if line.startswith(b"content-length:")), 0)
                server.asked.append(head + self.rfile.read(length))
                with contextlib.suppress(OSError, IndexError, ValueError):
                    for piece in numbered[int(head.split(b"/")[1])]():
                        self.wfile.write(piece)

        class Threads(socketserver.ThreadingMixIn, socketserver.TCPServer):
            daemon_threads, request_queue_size = True, 64

            def handle_error(self, request: object, client_address: object) -> None: ...

        self._server = Threads(("127.0.0.1", 0), Handler)
        self._numbers = {name: number for number, name in enumerate(named)}
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def address(self, name: str) -> str:
        """The base URL under which one reply is sent."""
        return f"{self.url}/{self._numbers[name]}/v1"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def answered(url: str, run: Run, silence: float, deadline: float) -> tuple[Reply, str]:
    """A reply as a run takes it: asked for, read, and checked by the gate; and what is wrong with it."""
    config = RunConfig(model="m", base_url=url, max_completion_tokens=1000)
    environ, prices = {"EUREKA_API_KEY": KEY}, [Price("m", 1.0, 1.0)]
    designer = LLMDesigner(
        config, prices, run, environ=environ, timeout=silence, deadline=deadline, pause=0.01
    )
    try:
        reply = designer.propose(REQUEST, 0)
    except EurekaError as problem:
        return Reply(None), str(problem)
    if reply.source is None:
        return reply, reply.problem
    try:
        check(reply.source, VOCABULARY)
    except Refused as refused:
        return reply, str(refused)
    return reply, ""


class Watch:
    """While a block runs: its time, the memory that it takes, and the longest that no other thread ran.

    The last one in seconds of processor time, so that other processes don't count.
    """

    def __enter__(self) -> Watch:
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
        self._before, self._end, self.stuck = _memory("VmRSS"), threading.Event(), 0.0
        self._ticking = threading.Thread(target=self._tick, daemon=True)
        self._ticking.start()
        self._begin = time.monotonic()
        return self

    def _tick(self) -> None:
        last = time.process_time()
        while not self._end.wait(0.01):
            last, before = time.process_time(), last
            self.stuck = max(self.stuck, last - before)

    def __exit__(self, *_: object) -> None:
        self.seconds = time.monotonic() - self._begin
        self._end.set()
        self._ticking.join()
        self.memory = _memory("VmHWM") - self._before


def _memory(name: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024.0 * int(line.split()[1]) for line in lines if line.startswith(name))
