"""Reading what the user named."""

from pathlib import Path

#: Bytes of the longest file read; four times the characters a watch list may have.
LONGEST_FILE = 4_000_000


class FileUnreadableError(Exception):
    """A file the user named cannot be read; one line."""


def read_text(path: Path) -> str:
    """The text of a UTF-8 file.

    Raises:
        FileUnreadableError: missing, a folder, not permitted, too long, or not UTF-8.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LONGEST_FILE + 1)
    except OSError as error:
        raise FileUnreadableError(f"{path}: {(error.strerror or str(error)).lower()}") from None
    if len(content) > LONGEST_FILE:
        raise FileUnreadableError(f"{path}: longer than {LONGEST_FILE:,} bytes, so not a watch list")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise FileUnreadableError(f"{path}:{line}: not UTF-8 text: save the file as UTF-8") from None
