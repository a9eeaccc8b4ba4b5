"""A character of a YAML text is found in the file, however the text is quoted, escaped or folded."""

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from yaml.nodes import MappingNode, ScalarNode

from cryptowatch.watches.offsets import place_in_scalar

WORDS = st.sampled_from(["rsi(14)", "<", "30", "and", "it's", 'say"x"', "a\\b", "é", "close"])


@settings(max_examples=60, deadline=None)
@given(words=st.lists(WORDS, min_size=1, max_size=9), width=st.sampled_from([10, 30, 200]))
@pytest.mark.parametrize("style", [None, "'", '"', "|", ">"])
def test_every_visible_character_is_found(style: str | None, words: list[str], width: int) -> None:
    text = " ".join(words)
    file = "first: 1\n" + yaml.dump({"when": text}, default_style=style, width=width, allow_unicode=True)
    root = yaml.compose(file)
    assert isinstance(root, MappingNode)
    node = root.value[-1][1]
    assert isinstance(node, ScalarNode)
    lines = file.split("\n")
    for position, character in enumerate(node.value):
        if not character.isspace():
            line, column = place_in_scalar(file, node, position)
            # An escaped character stands where its backslash stands.
            assert lines[line - 1][column - 1] in (character, "\\")


def test_the_end_of_a_text_is_just_behind_its_last_character() -> None:
    file = "when: close <\n"
    node = yaml.compose(file).value[0][1]
    assert place_in_scalar(file, node, len(node.value)) == (1, 14)
