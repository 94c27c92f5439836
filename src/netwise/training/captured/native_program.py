"""Steps compiled by the machine's own compiler, from the text of `native_text`.

Compiling takes a quarter of a second beside the run, which goes on in the meantime. The types of
torch's functions follow from their symbols, but for those that they return: programs are made for
the versions of torch whose functions were looked up.
"""

from __future__ import annotations

import ctypes
import platform
import shutil
import subprocess
import sys
import tempfile
import weakref
from collections import Counter
from collections.abc import Sequence
from functools import cache, lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from netwise.atomic import delete_folder, write_scratch
from netwise.training.captured.native_text import NativeText
from netwise.training.captured.step_program import CannotBeWritten, StepProgram

LOOKED_UP = ("2.13.0",)  # beginnings of versions, with any build of them
VECTORS = ("AVX2", "AVX512")  # for which torch's kernels have the fused multiply-adds of the text
COMPILERS = ("g++", "clang++", "c++")
# Vectors of this processor, for loops that have the bits of torch: nothing is contracted.
LOOPS = ("-O3", "-march=native", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math")
FLAGS = (*LOOPS, "-fPIC", "-shared", "-w")


def why_not_native() -> str:
    """Why no step is compiled on this machine; "" where they can be."""
    if sys.platform != "linux" or platform.machine() != "x86_64":
        return "the functions of torch were looked up for Linux on x86-64"
    if not torch.__version__.startswith(LOOKED_UP):
        return f"the functions of torch {torch.__version__} were not looked up"
    vectors = torch.backends.cpu.get_cpu_capability()
    if vectors not in VECTORS:
        return f"loops for the vectors {vectors} of torch were not looked up"
    return "" if _compiler() else f"there is no compiler: {', '.join(COMPILERS)}"


@cache
def _compiler() -> str | None:
    return next(filter(None, map(shutil.which, COMPILERS)), None)


class Compilation:
    """A text that is being compiled.

    Raises:
        CannotBeWritten: the compiler does not start.
    """

    def __init__(self, text: str) -> None:
        folder = Path(tempfile.mkdtemp(prefix="netwise-step-"))
        self._delete = weakref.finalize(self, delete_folder, folder)
        source, self._made = folder / "step.cpp", folder / "step.so"
        write_scratch(source, text)
        command = [str(_compiler()), *FLAGS, "-o", str(self._made), str(source)]
        nowhere = subprocess.DEVNULL
        self._process = subprocess.Popen(command, stdin=nowhere, stdout=nowhere, stderr=nowhere)
        self._run: Any = None

    def is_done(self) -> bool:
        return self._process.poll() is not None

    def run(self) -> Any:
        """The compiled function; waits for it.

        Raises:
            CannotBeWritten: the compiler has failed.
        """
        if self._run is None:
            if self._process.wait():
                self._delete()
                raise CannotBeWritten("the compiler has failed")
            try:
                self._run = ctypes.CDLL(str(self._made)).run
            except OSError as error:
                raise CannotBeWritten(f"what was compiled cannot be loaded: {error}") from error
            self._run.restype = ctypes.c_int64
            self._delete()  # the process keeps its pages
        return self._run


@lru_cache(maxsize=64)
def compilation(text: str) -> Compilation:
    """Begin to compile a text; equal ones, as of the runs of a search, are compiled once."""
    try:
        return Compilation(text)
    except OSError as error:
        raise CannotBeWritten(f"the compiler does not start: {error}") from error


_STEPS: Counter[str] = Counter()  # by text


def steps_of(text: str, more: int) -> int:
    """Steps that runs of this process take by a text, with those of one more run: together, the
    equal networks of a search are worth a compiler that one of them is not."""
    _STEPS[text] += more
    return _STEPS[text]


class NativeProgram:
    """A `StepProgram`, compiled.

    Args:
        text: of its operations.
        interpreted: the same program; what torch raises in a step is raised by it.

    Attributes:
        keeps: its optional operations are compiled too.

    Raises:
        CannotBeWritten: this torch lacks a function, or the compiler does not start.
    """

    def __init__(self, text: NativeText, interpreted: StepProgram) -> None:
        self.interpreted, self._tensors = interpreted, text.tensors
        self.keeps = text.keeps
        library = ctypes.CDLL(str(Path(torch.__file__).parent / "lib" / "libtorch_cpu.so"))
        try:
            functions = [getattr(library, symbol) for symbol in text.symbols]
        except AttributeError as error:
            raise CannotBeWritten(f"torch has no such function: {error}") from error
        self._functions = _pointers([ctypes.cast(f, ctypes.c_void_p).value for f in functions])
        self._memory = _pointers([each.data_ptr() for each in text.tensors])
        held = torch._C._aoti.unsafe_alloc_void_ptrs_from_tensors(text.tensors)
        weakref.finalize(self, torch._C._aoti.alloc_tensors_by_stealing_from_void_ptrs, held)
        self._held = _pointers(list(map(_address, held)))
        self._compilation = compilation(text.text)
        self._run: Any = None

    def is_compiled(self) -> bool:
        return self._compilation.is_done()

    def load(self) -> None:
        """Wait for the compiler, and load what it made.

        Raises:
            CannotBeWritten: the compiler has failed.
        """
        self._run = self._compilation.run()

    def run(
        self, rows: Tensor, rates: Sequence[float], keeps: Sequence[bool] = ()
    ) -> tuple[Tensor, ...]:
        """As of `StepProgram`, which takes rounds whose optional operations are not compiled."""
        if self.keeps or not any(keeps):
            return self._run_compiled(rows, rates, keeps)
        pieces, kept, begin = [], [], 0
        for keep, group in groupby(keeps):
            end = begin + len(list(group))
            run = self.interpreted.run if keep else self._run_compiled
            found = run(rows[begin:end], rates[begin:end], keeps[begin:end])
            pieces.append(found[:2])
            kept.append(found[2:])
            begin = end
        return tuple(torch.cat(each) for both in (pieces, kept) for each in zip(*both, strict=True))

    def _run_compiled(
        self, rows: Tensor, rates: Sequence[float], keeps: Sequence[bool]
    ) -> tuple[Tensor, ...]:
        count, rows = len(rows), rows.contiguous()
        results = self.interpreted.results(count, keeps)
        outputs, losses, *kept = results.made
        with torch.no_grad(), torch._C._AutoDispatchBelowAutograd():
            done = self._run(
                ctypes.c_int64(count),
                (ctypes.c_double * count)(*rates),
                ctypes.c_void_p(rows.data_ptr()),
                self._memory,
                self._held,
                self._functions,
                ctypes.c_void_p(outputs.data_ptr()),
                ctypes.c_void_p(losses.data_ptr()),
                (ctypes.c_int64 * count)(*results.places),
                _pointers([each.data_ptr() for each in kept]),
                ctypes.c_int(torch.get_num_threads()),
            )
        if done < count:
            rest = self.interpreted.run(rows[done:], rates[done:], keeps[done:])
            before = sum(keeps[:done])
            for made, begin, those in zip(
                results.made, (done, done, *(before for _ in kept)), rest, strict=True
            ):
                made[begin:] = those
        return results.made


def _pointers(addresses: Sequence[int | None]) -> Any:
    return (ctypes.c_void_p * len(addresses))(*addresses)


def _address(capsule: object) -> int | None:
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    address: int | None = pointer(capsule, None)
    return address
