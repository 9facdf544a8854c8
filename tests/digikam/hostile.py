"""File names that a shell, a desktop or a program could take for something else than a name."""

from __future__ import annotations

import itertools

_COMMANDS = ("`touch {c}`", "$(touch {c})", ";touch {c};", "&touch {c}&", "|touch {c}", "> {c}", '"$(touch {c})"')
_QUOTED = ("'$(touch {c})'", '" ; touch {c} ; "', "\n touch {c}\n", '"\ntouch {c}\n"', "%COMSPEC% /c echo > {c}")
_SIGNS = (*tuple("'\"$\\#*?~^=()!{}[]<>|&;"), "$$", "\\\\", "!!", "[a-z]", "{a,b}", "$HOME", "${HOME}", "$'\\n'", '"\n')
_WORDS = ("$INPUT", "$OUTPUT", "<<EOF", "\nEOF\n", "keywright-", " end", "%s", "%n", "%PATH%", " ", "\t", "\n", "\r")
_LETTERS = ("é", "e\u0301", "日本", "🎉", "\u202e", "\u00a0", "\x01", "\x7f")
_PIECES = (*_COMMANDS, *_QUOTED, *_SIGNS, *_WORDS, *_LETTERS)


def hostile_names(number: int, canary: str) -> list[str]:
    """So many different names of JPEG files; the command in some of them would make a file called ``canary``."""
    pieces = [piece.replace("{c}", canary) for piece in _PIECES]
    wholes = ["-rf.jpg", "--help.jpg", "-.jpg", ".hidden.jpg", "..jpg", "a" * 240 + ".jpg", " .jpg", "\n.jpg", "x.jpg "]
    around = (f"{piece}.jpg" for piece in pieces)
    within = (f"IMG{piece}0001.JPG" for piece in pieces)
    pairs = (f"{a}{b}x.jpg" for a, b in itertools.combinations(pieces, 2))
    found = dict.fromkeys(itertools.chain(wholes, around, within, pairs))
    return list(itertools.islice((name for name in found if len(name.encode()) < 250), number))
