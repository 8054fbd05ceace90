"""Compiled code on disk, and what was measured of it: private to the user, checked before it is trusted, bounded in the
bytes that it takes itself.

The folder may hold other files, which are neither counted nor touched: only what bears a name that this module gives is
ever deleted. A file is written under another name and put in its place at once, so that no reader sees half of it; it
begins with the digest of what follows, so that a broken or foreign one is dropped and made again. Folder and file count
only where they are the user's own and nobody else can write them: the code will be run. The folder is looked through
once in a while alone: a file whose length counts what was written since tells when. Without a folder that can be
written, nothing is kept, and nothing is said: the cache saves time and is never needed.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import stat
from pathlib import Path

#: Bytes that the files of compiled code may take together; those used least recently go first.
MOST_BYTES = 256 << 20

_MAGIC = b"valuegrad code 1\n"
_DIGEST = hashlib.sha256().digest_size
#: The file that is as long as the thousands of bytes that were written since the folder was looked through, and the
#: share of all that may be written until it is again.
_WRITTEN, _UNIT, _SHARE = "valuegrad-written", 1 << 10, 8
#: The names that files get here: a key's, and before that the key's with a random end.
_KEPT = re.compile(rf"[0-9a-f]{{{2 * _DIGEST}}}\.(o|width)")
_TEMPORARY = re.compile(rf"new-[0-9a-f]{{{2 * _DIGEST}}}-\w+")


def folder() -> Path | None:
    """Where code is kept: ``VALUEGRAD_CACHE``, or the user's cache folder; ``None`` where the variable is empty.

    >>> folder() is None or folder().name == "valuegrad" or "VALUEGRAD_CACHE" in os.environ
    True
    """
    chosen = os.environ.get("VALUEGRAD_CACHE")
    if chosen is not None:
        return Path(chosen) if chosen else None
    if os.name == "nt":
        base = os.environ.get("LOCALAPPDATA")
        return Path(base, "valuegrad") if base else None
    base = os.environ.get("XDG_CACHE_HOME")
    if base and os.path.isabs(base):
        return Path(base, "valuegrad")
    home = os.path.expanduser("~")
    return Path(home, ".cache", "valuegrad") if os.path.isabs(home) else None


def key_of(*parts: str) -> str:
    """The name of the code that these texts decide."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part.encode())
    return digest.hexdigest()


def read(key: str, kind: str = "o") -> bytes | None:
    """What is kept under a key, code or a "width"; ``None`` if there is nothing that can be trusted."""
    place = folder()
    if place is None or not _is_private(place):
        return None
    path = place / f"{key}.{kind}"
    try:
        with open(path, "rb", opener=_own) as file:
            is_ours = _is_ours(os.fstat(file.fileno()), stat.S_IFREG, 0o077)
            kept = file.read() if is_ours else b""
        code = kept[len(_MAGIC) + _DIGEST :]
        if kept[: len(_MAGIC)] == _MAGIC and kept[len(_MAGIC) : len(_MAGIC) + _DIGEST] == _digest(key, code):
            with contextlib.suppress(OSError):  # a disk that cannot be written
                os.utime(path)
            return code
        path.unlink()
    except OSError:
        pass
    return None


def can_write() -> bool:
    """Whether something can be kept."""
    try:
        place = _made()
    except OSError:
        return False
    return place is not None and os.access(place, os.W_OK | os.X_OK)


def write(key: str, code: bytes, kind: str = "o") -> None:
    """Keep code, or a "width", under a key, if that can be done."""
    temporary: Path | None = None
    try:
        place = _made()
        if place is None:
            return
        temporary = place / f"new-{key}-{os.urandom(8).hex()}"
        with open(temporary, "xb", opener=_own) as file:
            file.write(_MAGIC + _digest(key, code) + code)
        os.replace(temporary, place / f"{key}.{kind}")
        temporary = None
        _count(place, len(_MAGIC) + _DIGEST + len(code))
    except OSError:
        pass
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink()


def _made() -> Path | None:
    """The folder, made if it is not there; ``None`` where there is none, or one that is not the user's alone."""
    place = folder()
    if place is None:
        return None
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    return place if _is_private(place) else None


def _own(path: str, flags: int) -> int:
    """Open a file itself, not what it is a link to, for the user alone; a pipe is not waited for."""
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0), 0o600)


def _digest(key: str, code: bytes) -> bytes:
    """The digest of code and key, so that a file under another's name is noticed."""
    return hashlib.sha256(key.encode() + code).digest()


def _is_private(place: Path) -> bool:
    """Whether the folder is the user's own, and nobody else can write to it; where there are no owners and modes, on
    Windows, whether it lies in the user's profile."""
    try:
        found = os.stat(place)
    except OSError:
        return False
    if not hasattr(os, "geteuid"):
        profile, real = (os.path.normcase(os.path.realpath(path)) for path in (os.path.expanduser("~"), place))
        return stat.S_ISDIR(found.st_mode) and real.startswith(os.path.join(profile, ""))
    return _is_ours(found, stat.S_IFDIR, 0o022)


def _is_ours(found: os.stat_result, kind: int, forbidden: int) -> bool:
    """Whether it is of a kind, and belongs to the user, without the permissions that nobody else may have."""
    if stat.S_IFMT(found.st_mode) != kind:
        return False
    return not hasattr(os, "geteuid") or (found.st_uid == os.geteuid() and not found.st_mode & forbidden)


def _count(place: Path, size: int) -> None:
    """Note that so many bytes were written, and make room if that is much by now."""
    most = MOST_BYTES // _SHARE
    with open(place / _WRITTEN, "ab", opener=_own) as file:
        file.write(bytes(-(-size // _UNIT)))
        file.flush()
        if file.tell() * _UNIT <= most:
            return
        _make_room(place, MOST_BYTES - most)
        file.truncate(0)


def _make_room(place: Path, most: int) -> None:
    """Drop what was used least recently beyond so many bytes, and what an interrupted process left; no other files."""
    files = []
    for path in place.iterdir():
        is_temporary = _TEMPORARY.fullmatch(path.name) is not None
        if not is_temporary and _KEPT.fullmatch(path.name) is None:
            continue
        with contextlib.suppress(OSError):
            found = path.stat()
            files.append((found.st_mtime, found.st_size, path, is_temporary))
    total = sum(size for _, size, _, _ in files)
    newest = max((moment for moment, _, _, _ in files), default=0.0)
    for moment, size, path, is_temporary in sorted(files):
        left_over = is_temporary and moment < newest - 3600
        if total <= most and not left_over:
            continue
        with contextlib.suppress(OSError):
            path.unlink()
            total -= size
