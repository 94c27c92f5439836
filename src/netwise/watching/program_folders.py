"""Run folders of all modules that one program trains."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from netwise.errors import RunFolderError
from netwise.history import History
from netwise.storage.creation import require_new_folder
from netwise.watching.program import program_facts
from netwise.watching.run_files import RunFiles


class ProgramFolders:
    """Gives each trained module a run folder: the first one `folder`, the others folders beside it,
    such as runs/train and runs/train-discriminator. In a process that was forked from the program
    nothing is written: two processes would write the same files.

    Args:
        folder: of the first module. It is created with the first row; an existing one has to be
            empty.

    Raises:
        RunFolderError: the folder is a file or holds something.
    """

    def __init__(self, folder: Path) -> None:
        require_new_folder(folder, "")
        self._folder = folder.absolute()  # the program may change the current folder
        self._files: dict[str, RunFiles] = {}
        self._process = os.getpid()

    @property
    def folders(self) -> dict[str, Path]:
        """The folder of each module that has one, by the module's name."""
        return {name: files.path for name, files in self._files.items()}

    def write(
        self, name: str, rows: Iterable[Mapping[str, Any]], history: Callable[[], History]
    ) -> None:
        """Add rows of one module, and bring its facts up to date where that is due.

        Args:
            name: of the module, unique in the program.
            rows: those that were not written before.
            history: the module's history so far; called only every few seconds.

        Raises:
            RunFolderError: the files cannot be written. Nothing more is written to them.
        """
        if os.getpid() != self._process:
            return
        files = self._files_of(name)
        files.append(rows)
        if files.about_is_due:
            files.flush()
            files.write_about(history())

    def close(self, histories: Mapping[str, History]) -> None:
        """Write the complete histories and release the folders. A module without a folder gets
        one.

        Args:
            histories: of all modules, by name.

        Raises:
            RunFolderError: files cannot be written. Those of the other modules are written all the
                same.
        """
        if os.getpid() != self._process:
            return
        errors = []
        for name, history in histories.items():
            try:
                self._files_of(name).close(history)
            except RunFolderError as error:
                errors.append(error)
        if errors:
            raise errors[0]

    def _files_of(self, name: str) -> RunFiles:
        files = self._files.get(name)
        if files is None:
            folder = self._folder if not self._files else _folder_beside(self._folder, name)
            files = self._files[name] = RunFiles(folder, program_facts(name))
        return files


def _folder_beside(folder: Path, name: str) -> Path:
    """The folder of a further module: its name is added, and a number where that one exists.

    Args:
        folder: of the first module, such as runs/train.
        name: of the further one, such as "Discriminator".
    """
    word = "".join(c if c.isalnum() or c in "-_" else "-" for c in name.lower())[:40]
    path = folder.with_name(f"{folder.name}-{word or 'model'}")
    first, count = path, 2
    while path.exists():
        path, count = first.with_name(f"{first.name}-{count}"), count + 1
    return path
