"""Templates, compiled once for all apps of a run."""

from pathlib import Path
from types import CodeType

from jinja2 import FileSystemBytecodeCache
from jinja2.bccache import Bucket


class CompiledTemplates(FileSystemBytecodeCache):
    """In a folder that processes share, and in memory what this one has read: each app asks for all that it shows."""

    def __init__(self, folder: Path) -> None:
        (folder / "templates").mkdir(exist_ok=True)
        super().__init__(str(folder / "templates"))
        self._read: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Take what was compiled of the same source."""
        which = bucket.key, bucket.checksum
        bucket.code = self._read.get(which)
        if bucket.code is None:
            super().load_bytecode(bucket)
            if bucket.code is not None:
                self._read[which] = bucket.code
