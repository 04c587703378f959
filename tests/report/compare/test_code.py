"""Code on a page: marked, escaped, line by line."""

from __future__ import annotations

import re

import pytest

from eureka_loop.report.compare.code import highlighted


def test_code_is_marked_and_escaped_line_by_line() -> None:
    lines = highlighted('def f(x):  # a < b\n    """two\n    <b>lines"""\n    return 1.5\n')
    assert lines == [
        '<span class="k">def</span> f(x):  <span class="c"># a &lt; b</span>',
        '    <span class="t">&#34;&#34;&#34;two</span>',
        '<span class="t">    &lt;b&gt;lines&#34;&#34;&#34;</span>',
        '    <span class="k">return</span> <span class="n">1.5</span>',
    ]


@pytest.mark.parametrize(
    "source", ["", "def f(:\n  <b>", "'''never closed\n<i>", "  x\n y", "Sorry, I can't. \x00"]
)
def test_what_is_no_python_is_shown_all_the_same(source: str) -> None:
    lines = highlighted(source)
    assert "<b>" not in "".join(re.sub("</?span[^>]*>", "", line) for line in lines)
    assert len(lines) == max(1, len(source.rstrip("\n").split("\n")))
