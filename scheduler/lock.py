"""One scheduler at a time: two of them on one database would double every run."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from operations.errors import OperationsUnavailable


class FileLock:
    """A lock that the kernel frees when its process ends, however it ends (flock(2)).

    It holds between processes, and between two locks of one process.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def take(self) -> bool:
        """Whether it is ours now. Raises OperationsUnavailable where the file cannot be made."""
        if self._descriptor is not None:
            return True
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise OperationsUnavailable(f"the lock {self._path} cannot be made: {error.strerror}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        return True

    def free(self) -> None:
        """Twice is harmless. The file stays: removing it would let two others lock two files of one name."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
