"""What is refused before a watch list is looked at: text that is not YAML, or is made to do harm."""

import pytest

from cryptowatch.watches.document import DocumentError, read_document


def refused(text: str) -> DocumentError:
    with pytest.raises(DocumentError) as caught:
        read_document(text)
    return caught.value


@pytest.mark.parametrize(
    ("text", "place", "hint"),
    [
        ("a:\n\tb: 1\n", (2, 1), "indent with spaces"),
        ("a: b: c\n", (1, 5), "check the indentation"),
        ("me: @you\n", (1, 5), "put quotes around"),
        ("a: [*/USD]\n", (1, 6), "begins with *"),
        ("a: *nowhere\n", (1, 4), "begins with *"),
        ("a: 1\nb 2\nc: 3\n", (3, 1), "a key ends with a colon"),
        ("a: [1, 2\n", (2, 1), "close the list"),
        ('a: "1\n', (2, 1), "a quote is not closed"),
        ("a: 1\n---\nb: 2\n", (2, 1), "one document"),
    ],
)
def test_a_syntax_error_is_told_with_its_place_and_what_to_do(text: str, place: tuple[int, int], hint: str) -> None:
    error = refused(text)
    assert error.message.startswith("not YAML: ")
    assert error.place == place
    assert hint in error.hint


def test_a_character_that_no_text_file_holds_is_named() -> None:
    error = refused("a: 1\nb: x\x07\n")
    assert (error.message, error.place) == ("the character U+0007 is not allowed in YAML", (2, 5))


@pytest.mark.parametrize("tag", ["!!python/object/apply:os.system", "!mine", "!!binary", "!!set"])
def test_nothing_is_ever_constructed_from_a_tag(tag: str) -> None:
    assert "are not used in a watch list" in refused(f"a: {tag} {{}}\n").message
    assert "are not used in a watch list" in refused(f"a: {tag} [x]\n").message
    assert "are not used in a watch list" in refused(f"a: {tag} x\n").message


def test_aliases_of_aliases_cannot_grow_without_bound() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 7)]
    assert "too many values" in refused("\n".join(lines)).message


def test_a_list_cannot_hold_itself() -> None:
    assert "too many values" in refused("a: &a [*a]\n").message


def test_deep_and_long_texts_are_refused() -> None:
    assert refused("a: " + "[" * 5000).message == "the file is nested too deeply"
    assert refused("x" * 1_000_001).message == "the file is longer than 1,000,000 characters"


def test_a_key_given_twice_is_remembered_with_its_place() -> None:
    document = read_document("a: 1\nb: 2\na: 3\n")
    assert document.data == {"a": 1, "b": 2}
    assert document.repeated == [(("a",), (3, 1))]


def test_keys_stay_the_text_they_are_and_values_that_only_look_like_dates_too() -> None:
    assert read_document("on: yes\n12: 2020-01-01\nt: 1:30\n").data == {"on": True, "12": "2020-01-01", "t": "1:30"}


def test_a_place_that_is_not_in_the_text_is_that_of_what_is_around_it() -> None:
    document = read_document("a:\n  - b: 1\n")
    assert document.place(("a", 0, "missing")) == (2, 5)
    assert document.key_place(("a", 0, "b")) == (2, 5)
