"""The price table: shipped, overridden by the user's, found by every spelling of a model's name."""

from __future__ import annotations

from pathlib import Path

import pytest

from eureka_loop.errors import BadInput
from eureka_loop.propose.llm.prices import Price, Prices, user_file


@pytest.fixture
def shipped(tmp_path: Path) -> Prices:
    return Prices.load({"XDG_CONFIG_HOME": str(tmp_path)})


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("gpt-4.1", "gpt-4.1"),
        ("gpt-4.1-2025-04-14", "gpt-4.1"),
        ("openai/gpt-4.1-mini", "gpt-4.1-mini"),
        ("GPT-5-mini", "gpt-5-mini"),
        ("claude-haiku-4-5-20251001", "claude-haiku-4-5"),
        ("anthropic/claude-opus-4-6", "claude-opus-4-[5678]"),
        ("models/gemini-2.5-flash", "gemini-2.5-flash"),
        ("gemini-3.1-pro-preview", "gemini-3.1-pro*"),
    ],
)
def test_a_model_is_found_by_its_spellings(shipped: Prices, name: str, row: str) -> None:
    price = shipped.of(name)
    assert price is not None
    assert price.model == row


@pytest.mark.parametrize("name", ["llama3:8b", "gpt-5-turbo-extreme", "gpt-5.5-pro", "", "my/own"])
def test_an_unknown_model_has_no_price(shipped: Prices, name: str) -> None:
    assert shipped.of(name) is None


def test_usd() -> None:
    assert Price("m", 2.0, 8.0).usd(500_000, 250_000) == pytest.approx(3.0)


def test_the_users_rows_win(tmp_path: Path) -> None:
    own = tmp_path / "mine.toml"
    own.write_text(
        '[[price]]\nmodel = "gpt-4.1*"\ninput = 9.0\noutput = 9.0\n'
        '[[price]]\nmodel = "llama3:*"\ninput = 0\noutput = 0\n'
    )
    prices = Prices.load({"EUREKA_PRICES": str(own)})
    assert prices.of("gpt-4.1-2025-04-14") == Price("gpt-4.1*", 9.0, 9.0)
    assert prices.of("llama3:8b") == Price("llama3:*", 0.0, 0.0)
    assert prices.of("gpt-5") == Price("gpt-5", 1.25, 10.0)


def test_where_the_users_rows_stand() -> None:
    assert user_file({"XDG_CONFIG_HOME": "/x"}) == Path("/x/eureka-loop/prices.toml")
    assert user_file({}) == Path.home() / ".config" / "eureka-loop" / "prices.toml"


@pytest.mark.parametrize(
    "text",
    [
        "price = 3",
        "no toml",
        "",
        'price = [{ model = "m", input = 1.0 }]',
        'price = [{ model = "m", input = "cheap", output = 1 }]',
        'price = [{ model = "m", input = -1, output = 1 }]',
        'price = [{ model = "m", input = nan, output = 1 }]',
    ],
)
def test_a_broken_table_is_said_with_an_example(tmp_path: Path, text: str) -> None:
    own = tmp_path / "mine.toml"
    own.write_text(text)
    with pytest.raises(BadInput, match=r"mine\.toml is not a price table \(.*\); a row: price = "):
        Prices.load({"EUREKA_PRICES": str(own)})
