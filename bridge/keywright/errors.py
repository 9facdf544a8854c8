"""The one family of errors a user may see: a sentence that says what is wrong, with which file, and what to do."""


class KeywrightError(Exception):
    """Bad input or a bad state that the user can do something about.

    ``str(error)`` is one sentence for a person: the command line prints it and exits with 1, the service answers
    with it.
    Anything that is not a ``KeywrightError`` is a bug in Keywright.
    """


def reason(error: BaseException) -> str:
    """The reason an exception gives, on one line, for use inside a sentence."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return " ".join(str(error).split()) or type(error).__name__
