"""Files of the user: written whole or not at all, and read only where they are plain files.

Whatever the packages save goes through ``write``, and what they load through ``read``: no device is replaced, no pipe
is waited for, and what was there before is lost only to what is whole.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat

from autograd.interrupts import uninterrupted


def write(path: str | os.PathLike[str], content: str | bytes) -> None:
    """Give a file a new content, text in UTF-8; whatever fails on the way, or Ctrl-C, leaves the old one.

    It is written beside the file and moved over it, so the folder must be one that can be written. The file keeps its
    mode and, where that is allowed, its owner; a symbolic link goes on pointing to it. Other hard links keep the old
    content: they are names of the old file.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write(os.path.join(folder, "a.txt"), "text")
    ...     read(os.path.join(folder, "a.txt")), os.listdir(folder)
    (b'text', ['a.txt'])

    Raises:
        OSError: it cannot be written, or what is there is no plain file (a folder, a device, a pipe).
    """
    target = os.fsdecode(path)
    data = content.encode() if isinstance(content, str) else content
    place = os.path.realpath(target)
    try:
        before: os.stat_result | None = os.stat(target)
    except FileNotFoundError:
        before = None
    if before is not None:
        _refuse_what_is_no_file(before, target)
        if _is_a_stream_of_ours(before):  # /dev/stdout, and what a shell redirects to
            raise OSError(errno.EINVAL, "this is where the output of the program goes, not a file beside it", target)
        if not os.access(target, os.W_OK):  # it could be replaced all the same, but somebody protects it
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), target)
    temporary = os.path.join(os.path.dirname(place), f".{os.urandom(8).hex()}.part")
    try:
        with uninterrupted() as signals, open(temporary, "xb") as file, signals.allowed():
            if before is not None:
                _resemble(file.fileno(), temporary, before)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, place)
    except OSError as error:
        _remove(temporary)
        raise OSError(error.errno, _reason(error, temporary), target) from None
    except BaseException:
        _remove(temporary)
        raise


def read(path: str | os.PathLike[str]) -> bytes:
    """The content of a plain file.

    Raises:
        OSError: it cannot be read, or is none (a folder, a device, a pipe).
    """
    target = os.fsdecode(path)
    if os.path.exists(target) and not os.path.isdir(target):  # `open` says what is wrong with these
        _refuse_what_is_no_file(os.stat(target), target)
    with open(target, "rb") as file:
        return file.read()


def _refuse_what_is_no_file(found: os.stat_result, target: str) -> None:
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), target)
    if not stat.S_ISREG(found.st_mode):
        kind = "pipe" if stat.S_ISFIFO(found.st_mode) else "socket" if stat.S_ISSOCK(found.st_mode) else "device"
        raise OSError(errno.EINVAL, f"this is a {kind}, not a plain file", target)


def _is_a_stream_of_ours(found: os.stat_result) -> bool:
    for handle in (1, 2):
        with contextlib.suppress(OSError):  # a program may have closed them
            if os.path.samestat(found, os.fstat(handle)):
                return True
    return False


def _resemble(handle: int, path: str, before: os.stat_result) -> None:
    """Give a new file the owner and the mode of another."""
    if hasattr(os, "fchown"):
        with contextlib.suppress(OSError):  # only the superuser may give files away
            os.fchown(handle, before.st_uid, before.st_gid)
    os.chmod(path, stat.S_IMODE(before.st_mode))


def _reason(error: OSError, temporary: str) -> str:
    said = error.strerror or str(error)
    if isinstance(error, PermissionError) or error.errno == errno.EROFS:
        return f"{said}: a file is written beside its place, in {os.path.dirname(temporary)}, and moved there"
    return said


def _remove(path: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(path)
