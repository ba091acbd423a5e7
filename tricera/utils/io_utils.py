"""Where messages for the user go: to standard output, or, with interactive logging off, to the logger `tricera`."""

from __future__ import annotations

import logging
import sys

logger = logging.getLogger("tricera")
_interactive = True


def enable_interactive_logging() -> None:
    """Send progress bars and messages to standard output (the setting at the start)."""
    global _interactive
    _interactive = True


def disable_interactive_logging() -> None:
    """Send messages to the Python logger `tricera` (level INFO) instead of standard output.

    Progress bars then give one line an epoch, and `verbose="auto"` means 2.

    Example:
        >>> disable_interactive_logging(); is_interactive_logging_enabled()
        False
        >>> enable_interactive_logging()
    """
    global _interactive
    _interactive = False


def is_interactive_logging_enabled() -> bool:
    """Whether messages go to standard output."""
    return _interactive


def print_msg(message: str, line_break: bool = True) -> None:
    """Show a message to the user: on standard output, or in the log if interactive logging is off.

    Args:
        message: the text. Characters that standard output cannot encode become question marks.
        line_break: whether a line end follows. The log takes whole messages and ignores it.
    """
    if not _interactive:
        text = message.strip("\r\n\b ")
        if text:
            logger.info("%s", text)
        return
    out = sys.stdout
    if out is None:  # a windowed application has no standard output
        return
    if line_break:
        message += "\n"
    try:
        out.write(message)
    except UnicodeEncodeError:
        encoding = getattr(out, "encoding", None) or "ascii"
        out.write(message.encode(encoding, "replace").decode(encoding))
    out.flush()
