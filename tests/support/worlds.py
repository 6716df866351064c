"""A world that is dear to make: made once in a process, and for each later test put back as it was."""

from __future__ import annotations

import io
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from types import FunctionType
from typing import Any, TypeVar

import sqlalchemy as sa
from flask import Flask

from portal.db import Model, db
from portal.options import option
from tests.support.databases import Database, forget

World = TypeVar("World")


class Worlds:
    """By database and name: the rows in the database, the files beside them, and what Python knows of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._made: dict[tuple[str, str], tuple[bytes, list[Any], Path]] = {}

    def once(self, app: Flask, database: Database, name: str, make: Callable[[], World]) -> World:
        """Return what ``make`` makes, with its rows read anew; what holds on to this app must be made by the caller."""
        key, instance = (database.url, name), Path(app.config["INSTANCE"])
        if key not in self._made:
            self._keep(key, instance, make())
            database.keep(name)
        said, functions, files = self._made[key]
        forget(db)
        database.renew(name)
        shutil.copytree(files, instance, dirs_exist_ok=True)
        app.extensions.pop("options", None)
        option("name")
        world: World = _Reader(io.BytesIO(said), functions).load()
        return world

    def _keep(self, key: tuple[str, str], instance: Path, world: Any) -> None:
        said, functions = io.BytesIO(), list[Any]()
        _Writer(said, functions).dump(world)
        files = self.folder / str(len(self._made))
        shutil.copytree(instance, files) if instance.exists() else files.mkdir()
        self._made[key] = said.getvalue(), functions, files


class _Writer(pickle.Pickler):
    """Writes of a row only which one it is, and of a function only where it lies."""

    def __init__(self, file: io.BytesIO, functions: list[Any]) -> None:
        super().__init__(file)
        self.functions = functions

    def persistent_id(self, thing: Any) -> Any:
        """Name what is not to be written out."""
        if isinstance(thing, Model):
            return type(thing), sa.inspect(thing).identity
        if isinstance(thing, FunctionType):
            self.functions.append(thing)
            return None, len(self.functions) - 1
        return None


class _Reader(pickle.Unpickler):
    """Reads rows anew."""

    def __init__(self, file: io.BytesIO, functions: list[Any]) -> None:
        super().__init__(file)
        self.functions = functions

    def persistent_load(self, which: Any) -> Any:
        """Return what the name stands for."""
        kind, key = which
        return self.functions[key] if kind is None else db.session.get_one(kind, key)
