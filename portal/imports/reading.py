"""Reading files from strangers line by line: CSV or JSON lines, packed or not, in bounded memory."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

from portal.config import ConfigurationError

LINE_MAX = 1024 * 1024  # bytes
csv.field_size_limit(LINE_MAX)


@dataclass(frozen=True, slots=True)
class Row:
    """One row as it stands in the file; ``problem`` says why it could not even be read."""

    line: int
    fields: dict[str, Any]
    problem: str = ""


class Source:
    """An opened file: its rows, and how many bytes of it were read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = _Counted(file)
        packed = io.BufferedReader(self._file, 64 * 1024)
        is_packed = packed.peek(2)[:2] == b"\x1f\x8b"
        self._lines = _Lines(io.BufferedReader(gzip.GzipFile(fileobj=packed)) if is_packed else packed)

    @property
    def bytes_read(self) -> int:
        """How far into the file reading has come."""
        return self._file.count

    def rows(self) -> Iterator[Row]:
        """Yield every row, the bad ones with their problem; a damaged file ends with one."""
        try:
            yield from self._rows()
        except (EOFError, zlib.error, gzip.BadGzipFile) as problem:
            yield Row(
                self._lines.number + 1, {}, f"the packed file is damaged here and cannot be read further ({problem})"
            )

    def _rows(self) -> Iterator[Row]:
        first = self._lines.peek()
        if first.startswith("{"):
            yield from self._json_rows()
        elif first.startswith("["):
            raise ConfigurationError("This is one JSON list. Write one object on each line instead (JSON lines).")
        elif first:
            yield from self._csv_rows()

    def _json_rows(self) -> Iterator[Row]:
        for line in self._lines:
            if isinstance(line, Row):
                yield line
            elif line.strip():
                yield self._json_row(line)

    def _json_row(self, line: str) -> Row:
        number = self._lines.number
        try:
            found = json.loads(line)
        except (ValueError, RecursionError) as problem:
            said = getattr(problem, "msg", "nested too deeply")
            return Row(number, {}, f"not JSON ({said})")
        return Row(number, found) if isinstance(found, dict) else Row(number, {}, "not an object with named fields")

    def _csv_rows(self) -> Iterator[Row]:
        header_line = self._lines.peek()
        delimiter = max(",;\t", key=header_line.count)
        table = csv.reader(_Texts(self._lines), delimiter=delimiter, strict=False)
        header = next(table, [])
        if len({name.strip().lower() for name in header}) < len(header):
            raise ConfigurationError("Two columns have the same name in the first row.")
        while True:
            start = self._lines.number + 1
            try:
                cells = next(table)
            except StopIteration:
                return
            except _BadLine as bad:
                yield bad.row
                continue
            except csv.Error as problem:
                yield Row(start, {}, f"not CSV ({problem})")
                continue
            if len(cells) > len(header):
                yield Row(start, {}, f"{len(cells)} cells under {len(header)} columns")
            elif any(cells):
                yield Row(start, dict(zip(header, cells, strict=False)))


class _Counted(io.RawIOBase):
    """Counts what is read through it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self.count = file, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        self.count += len(data)
        return len(data)


class _Lines:
    """Lines as text; instead of one that is too long or not UTF-8, a row that says so."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self.number = file, 0
        self._ahead: str | Row | None = None

    def peek(self) -> str:
        """Return the first line that is not blank, and leave it to be read."""
        while self._ahead is None:
            line = self._read()
            if line is None:
                return ""
            if isinstance(line, Row):
                raise ConfigurationError(f"The first line cannot be read: {line.problem}.")
            self._ahead = line if line.strip() else None
        return self._ahead.lstrip() if isinstance(self._ahead, str) else ""

    def __iter__(self) -> Iterator[str | Row]:
        return self

    def __next__(self) -> str | Row:
        ahead, self._ahead = self._ahead, None
        line = self._read() if ahead is None else ahead
        if line is None:
            raise StopIteration
        return line

    def _read(self) -> str | Row | None:
        data = self._file.readline(LINE_MAX + 1)
        if not data:
            return None
        self.number += 1
        if len(data) > LINE_MAX:
            while data and not data.endswith(b"\n"):
                data = self._file.readline(LINE_MAX)
            return Row(self.number, {}, f"longer than {LINE_MAX // 1024} kB")
        try:
            return data.decode("utf-8-sig" if self.number == 1 else "utf-8")
        except UnicodeDecodeError:
            return Row(self.number, {}, "not UTF-8 text")


class _BadLine(Exception):
    """A line inside a CSV file that cannot be read."""

    def __init__(self, row: Row) -> None:
        super().__init__(row.problem)
        self.row = row


class _Texts:
    """Lines for the CSV reader, which takes nothing but text."""

    def __init__(self, lines: _Lines) -> None:
        self._lines = lines

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        if isinstance(line, Row):
            raise _BadLine(line)
        return line
