"""What control answers when it does not do what it was asked."""


class RefusedError(ValueError):
    """The request cannot be answered; one line that says what to do."""
