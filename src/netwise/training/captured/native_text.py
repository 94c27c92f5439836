"""Recorded operations as the text of a program in C++ that calls torch's own kernels one after the
other: neither an interpreter nor a dispatcher is between two of them.

Functions of torch are called by their symbols in its library, products of matrices by the routine
of BLAS that torch itself calls. Numbers that are computed one by one have loops here, in the order
of operations and with the fused multiply-adds of torch's kernels, so that they give the same bits;
large ones are shared over the threads of torch's own pool. The text holds no address, so equal
steps have equal texts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from itertools import groupby
from typing import Any

import torch
from torch import Tensor

from netwise.training.captured.recorded_operations import RecordedOperation
from netwise.training.captured.step_program import NUMBERS, RATE, CannotBeWritten, Kept

TENSOR, INTEGER, TRUTH, KIND, OPTIONAL = "void*", "int64_t", "bool", "signed char", "const void*"
REAL, LIST = "double", "tensors"
# Symbols of torch's functions that write into their last arguments, and the types of all arguments.
FUNCTIONS: dict[str, tuple[str, tuple[str, ...]]] = {
    "aten::_log_softmax": (
        "_ZN2at3cpu17_log_softmax_outfERKNS_6TensorElbRS1_",
        (TENSOR, INTEGER, TRUTH, TENSOR),
    ),
    "aten::_log_softmax_backward_data": (
        "_ZN2at3cpu31_log_softmax_backward_data_outfERKNS_6TensorES3_lN3c1010ScalarTypeERS1_",
        (TENSOR, TENSOR, INTEGER, KIND, TENSOR),
    ),
    "aten::nll_loss_forward": (
        "_ZN2at3cpu21nll_loss_forward_outfERKNS_6TensorES3_RKSt8optionalIS1_EllRS1_S8_",
        (TENSOR, TENSOR, OPTIONAL, INTEGER, INTEGER, TENSOR, TENSOR),
    ),
    "aten::nll_loss_backward": (
        "_ZN2at3cpu22nll_loss_backward_outfERKNS_6TensorES3_S3_RKSt8optionalIS1_EllS3_RS1_",
        (TENSOR, TENSOR, TENSOR, OPTIONAL, INTEGER, INTEGER, TENSOR, TENSOR),
    ),
    "aten::sigmoid": ("_ZN2at3cpu12sigmoid_outfERKNS_6TensorERS1_", (TENSOR, TENSOR)),
    "aten::sign": ("_ZN2at3cpu9sign_outfERKNS_6TensorERS1_", (TENSOR, TENSOR)),
    "aten::tanh": ("_ZN2at3cpu9tanh_outfERKNS_6TensorERS1_", (TENSOR, TENSOR)),
}
# The updates of optimizers, whose arguments are lists.
SGD = "_ZN2at3cpu11_fused_sgd_EN3c108ArrayRefINS_6TensorEEES4_S4_ddddbbbRKSt8optionalIS3_ES8_"
ADAM = "EN3c108ArrayRefINS_6TensorEEES4_S4_S4_S4_S4_dddddbbRKSt8optionalIS3_ES8_"
UPDATES = {
    "aten::_fused_sgd_": SGD,
    "aten::_fused_adam_": f"_ZN2at3cpu12_fused_adam_{ADAM}",
    "aten::_fused_adamw_": f"_ZN2at3cpu13_fused_adamw_{ADAM}",
}
OVER = "N3c1016OptionalArrayRefIlEEbSt8optionalINS4_10ScalarTypeEERS1_"
SUM, MEAN = f"_ZN2at3cpu8sum_outfERKNS_6TensorE{OVER}", f"_ZN2at3cpu9mean_outfERKNS_6TensorE{OVER}"
NORM = "_ZN2at3cpu22linalg_vector_norm_outERNS_6TensorERKS1_RKN3c106Scalar"
NORM += "ENS5_16OptionalArrayRefIlEEbSt8optionalINS5_10ScalarTypeEE"
PLACES = "_ZN2at3cpu11argmax_outfERKNS_6TensorESt8optionalIlEbRS1_"
HIGHEST = "_ZN2at3cpu9amax_outfERKNS_6TensorEN3c108ArrayRefIlEEbRS1_"
PRODUCT, DOT = "sgemm_", "sdot_"
POOL = ("GOMP_parallel", "omp_get_thread_num", "omp_get_num_threads")  # of torch's threads
PAIR = {"aten::nll_loss_forward"}  # they return two references, through memory of the caller

# As C++ passes values of torch's classes. An empty optional is zeros.
HEAD = """\
#include <stddef.h>
#include <stdint.h>
#include <string.h>
struct tensors { void** first; size_t count; };
struct axes { const int64_t* first; size_t count; bool given; };
struct kind { signed char number; bool given; };
struct integer { int64_t number; bool given; };
struct integers { const int64_t* first; size_t count; };
struct alignas(16) scalar { int32_t is_integer; alignas(16) int64_t value[2]; };
typedef void product(const char*, const char*, const int*, const int*, const int*, const float*,
    const float*, const int*, const float*, const int*, const float*, float*, const int*);
typedef float inner(const int*, const float*, const int*, const float*, const int*);
static const int64_t none[4] = {};
static const float one = 1, zero = 0;
static const int step = 1;
static const scalar two = {1, {2, 0}};

// Calls part(number of a thread, number of threads) on each of them. The functions of the pool are
// the first three.
template <typename Part> struct team {
  const Part& part;
  void** pool;
  static void member(void* data) {
    const team& own = *(team*)data;
    own.part(((int (*)())own.pool[1])(), ((int (*)())own.pool[2])());
  }
  void work(unsigned threads) {
    ((void (*)(void (*)(void*), void*, unsigned, unsigned))pool[0])(member, this, threads, 0);
  }
};
#define EACH _Pragma("GCC ivdep") for (int64_t i = from; i < to; i++)

"""
# An update by Adam as torch's kernel computes it: in vectors of 8 numbers, otherwise in the rest
# of a tensor. Where gradients stay zero, as of a unit that never fires, means shrink to a few times
# the smallest number of a float, and stay there. They move no weight, but a processor computes with
# such numbers many times slower. So they are left out, and shrink as whole numbers of the smallest:
# what is added and taken away rounds to a whole number, half to even, as torch's kernel does.
ADAM = """\
template <typename To, typename From> static inline To as(From from) {
  To to;
  memcpy(&to, &from, sizeof to);
  return to;
}
struct adam { double beta1, beta2, eps, decay; };
template <bool rest> static void move(const adam& by, float* p, const float* gradient, float* m,
    float* v, int64_t from, int64_t to, float step, float correction, float left) {
  const float mean = 1 - by.beta1, square = 1 - by.beta2, beta2 = by.beta2, eps = by.eps;
  const float decay = by.decay, ones = 0x1.8p23f;  // so large that its last digit counts ones
  const uint32_t most = __builtin_fabsf(step) < 1 ? 1 << 22 : 0;
  EACH {
    const float weight = p[i], before = m[i], g = GRADIENT;
    const uint32_t bits = as<uint32_t>(before), size = bits & 0x7fffffff;
    const bool tiny = (g == 0) & (size - 1 < most) & (__builtin_fabsf(weight) > 0x1p-64f);
    const float units = tiny ? size : 0, old = tiny ? 0 : before;
    const uint32_t shrunk = (int32_t)(__builtin_fmaf(-mean, units, units + ones) - ones);
    const float next = __builtin_fmaf(mean, g - old, old), scaled = square * g;
    const float variance = rest ? __builtin_fmaf(v[i], beta2, scaled * g)
                                : __builtin_fmaf(scaled, g, v[i] * beta2);
    m[i] = tiny ? as<float>(bits - size + shrunk) : next;
    v[i] = variance;
    p[i] = WEIGHT + step * next / (__builtin_sqrtf(variance) / correction + eps);
  }
}
template <typename Shared> static void update(const Shared& shared, const adam& by, double rate,
    float* p, const float* g, float* m, float* v, const float* steps, int64_t count) {
  const float step = -(rate / (1 - __builtin_pow(by.beta1, *steps)));
  const float correction = __builtin_sqrt(1 - __builtin_pow(by.beta2, *steps));
  const float left = 1 - rate * by.decay;
  const int64_t whole = count / 8 * 8;
  const auto loop = [=](int64_t from, int64_t to) {
    move<false>(by, p, g, m, v, from, to, step, correction, left); };
  if (count > SHARED_FROM) shared(whole, loop); else loop(0, whole);
  move<true>(by, p, g, m, v, whole, count, step, correction, left);
}
"""
# (gradient, weight) in it where weights decay, by the name of the update, and where they do not.
DECAYS = {
    "aten::_fused_adam_": ("__builtin_fmaf(weight, decay, gradient[i])", "weight"),
    "aten::_fused_adamw_": ("gradient[i]", "weight * left"),
}
NO_DECAY = ("gradient[i]", "weight")
LONG_RUN = 10_000  # steps, for which every program is worth a compiler
# Twice the seconds of a core that a compiler takes, and for each line.
COMPILER, COMPILED_LINE = 0.25, 0.003
# Seconds of a step that a compiled program takes less than the interpreter, on each operation and
# on each number in a loop of its own.
SAVED_CALL, SAVED_NUMBER = 2.3e-6, 2e-10
SHARED_FROM = 32_768  # numbers, as in torch's kernels
LEAST_EPS = 1e-9  # with less, the smallest means could move weights
RUN = """\
// The number of rounds that were done: all, or those before the one in which torch raised an error.
extern "C" int64_t run(int64_t count, const double* rates, const int64_t* rows, char** memory,
    void** tensor, void** functions, char* outputs, char* losses, const int64_t* places,
    char** kept, int threads) {
  int64_t round = 0;
  void* pair[2];
  // loop(from, to), shared over the threads
  const auto shared = [=](int64_t count, auto loop) {
    if (threads < 2) return loop((int64_t)0, count);
    const auto part = [&](int64_t i, int64_t of) { loop(count * i / of, count * (i + 1) / of); };
    team<decltype(part)>{part, functions}.work(threads);
  };
"""
LOOP = "  try { for (; round < count; round++) {\n    const int64_t place = places[round];"
TAIL = "  } } catch (...) {}\n  return round;\n}\n"


class NativeText:
    """The text of rounds of recorded operations.

    Args:
        operations, gathered, output, loss, kept: as of `StepProgram`.

    Attributes:
        text: of the program.
        keeps: it has the optional operations.
        worth: steps from which on a compiler saves more than it costs.
        tensors: that it gets, with their memory.
        symbols: of the functions that it gets.

    Raises:
        CannotBeWritten: an operation is not known here, or its tensors have another layout.
    """

    def __init__(
        self,
        operations: Sequence[RecordedOperation],
        gathered: Sequence[tuple[Tensor, Tensor]],
        output: Tensor,
        loss: Tensor,
        kept: Kept = (),
    ) -> None:
        try:
            self.keeps = bool(kept)
            self._write(operations, gathered, output, loss, kept)
        except CannotBeWritten:
            if not kept:
                raise
            self.keeps = False
            self._write(operations, gathered, output, loss, ())

    def _write(
        self,
        operations: Sequence[RecordedOperation],
        gathered: Sequence[tuple[Tensor, Tensor]],
        output: Tensor,
        loss: Tensor,
        kept: Kept,
    ) -> None:
        self.tensors: list[Tensor] = []
        self.symbols: list[str] = []
        self._places: dict[int, int] = {}
        self._lists: list[str] = []
        self._own: list[str] = []
        self._body: list[str] = []
        self._operations = self._numbers = 0
        for each in POOL:
            self._function(each)
        for every, own in gathered:
            self._gather(every, own)
        for optional, group in groupby(operations, key=lambda each: each.optional):
            if optional and not kept:
                continue
            before = self._operations, self._numbers
            self._line("if (place >= 0) {" if optional else "{")
            for operation in group:
                self._add(operation)
                self._operations += 1
            self._line("}")
            if optional:  # few steps have them
                self._operations, self._numbers = before
        for name, value in (("outputs", output), ("losses", loss)):
            size = _whole(value).nbytes
            self._line(f"memcpy({name} + round * {size}, {self._bytes(value)}, {size});")
        self._line("if (place >= 0) {")
        for kind, members in enumerate(kept):
            self._keep(kind, members)
        self._line("}")
        costs = COMPILER + COMPILED_LINE * len(self._body)
        saves = SAVED_CALL * self._operations + SAVED_NUMBER * self._numbers
        self.worth = min(LONG_RUN, math.ceil(costs / saves))
        self.text = "\n".join([HEAD, *self._own, RUN, *self._lists, LOOP, *self._body, TAIL])

    def _keep(self, kind: int, members: Sequence[Tensor]) -> None:
        size, begin = sum(each.nbytes for each in members), 0
        for each in members:
            self._copy_to(f"kept[{kind}] + place * {size} + {begin}", each)
            begin += each.nbytes

    def _add(self, operation: RecordedOperation) -> None:
        writers: dict[str, Callable[..., None]] = {
            "aten::addmm": self._affine,
            "aten::mm": self._product,
            "aten::add": partial(self._one_by_one, "+"),
            "aten::mul": partial(self._one_by_one, "*"),
            "aten::clamp_min": self._rectify,
            "aten::threshold_backward": self._rectify_backward,
            "aten::sigmoid_backward": partial(self._bend_backward, "g[i] * (1 - a[i]) * a[i]"),
            "aten::tanh_backward": partial(
                self._bend_backward, "g[i] * __builtin_fmaf(-a[i], a[i], 1)"
            ),
            "aten::mse_loss_backward": self._squared_error_backward,
            "aten::copy_": self._copy,
            "aten::sum": self._sum,
            "aten::_foreach_add_": self._count,
            "aten::_foreach_sub_": self._subtract,
            "aten::dot": self._dot,
            "aten::amax": self._highest,
            "aten::argmax": self._places_of_highest,
            "aten::eq": self._equal,
            "aten::cat": self._join,
            "aten::sub": partial(self._one_by_one, "-"),
            "aten::abs_": self._size,
            "aten::gt": self._above,
        }
        copied: dict[str, Callable[..., None]] = {
            "aten::mse_loss": self._squared_error,
            "aten::sum": self._sum_of_all,
            "aten::clone": self._clone,
            "aten::_foreach_norm": self._norms,
        }
        name, arguments = operation.name, operation.arguments
        if operation.copied_to and name in copied:
            copied[name](*arguments, *operation.copied_to)
        elif operation.copied_to:
            raise CannotBeWritten(f"{name} is not known to write into given memory")
        elif name in writers:
            writers[name](*arguments)
        elif name in UPDATES:
            self._update(operation)
        elif name in FUNCTIONS:
            symbol, types = FUNCTIONS[name]
            values = [
                _number(v) if not isinstance(v, Tensor) else self._tensor(v) for v in arguments
            ]
            if name in PAIR:
                types, values = ("void*", *types), ["pair", *values]
            self._call(symbol, types, values)
        else:
            raise CannotBeWritten(f"{name} is not known")

    # ---- one operation each

    def _gather(self, every: Tensor, own: Tensor) -> None:
        size = _whole(own).nbytes // len(own)
        row = f"rows[round * {len(own)} + i]"
        copy = f"memcpy(c + i * {size}, a + {row} * {size}, {size})"
        self._each(len(own), copy, size // 4, "char", a=every, c=own)

    def _affine(
        self, bias: Tensor, a: Tensor, b: Tensor, beta: float, alpha: float, out: Tensor
    ) -> None:
        rows, columns = out.shape
        if (beta, alpha) != (1, 1) or bias.shape != (columns,):
            raise CannotBeWritten("a sum of other products")
        copy = f"memcpy(c + i * {columns}, a, {4 * columns})"
        self._each(rows, copy, columns, a=bias, c=out)
        self._product(a, b, out, "one")

    def _product(self, a: Tensor, b: Tensor, out: Tensor, added: str = "zero") -> None:
        """Row by row, a product is the transposed one of BLAS, which goes column by column."""
        (n, k), m = a.shape, b.shape[1]
        _whole(out)
        (first, lda), (second, ldb) = _layout(a), _layout(b)
        numbers = f"const int n = {n}, k = {k}, m = {m}, a = {lda}, b = {ldb}"
        matrices = (
            f"{self._floats(b)}, &b, {self._floats(a)}, &a, &{added}, {self._floats(out)}, &m"
        )
        call = f"((product*){self._function(PRODUCT)})"
        self._line(f'{{ {numbers}; {call}("{second}", "{first}", &m, &n, &k, &one, {matrices}); }}')

    def _one_by_one(self, sign: str, x: Tensor, y: Any, *rest: Any) -> None:
        *factor, out = rest
        other = y.shape if isinstance(y, Tensor) else x.shape
        if not x.shape == other == out.shape or factor not in ([], [1]):
            raise CannotBeWritten("numbers that are combined otherwise than one by one")
        if isinstance(y, Tensor):
            self._each(out.numel(), f"c[i] = a[i] {sign} b[i]", a=x, b=y, c=out)
        else:
            self._each(out.numel(), f"c[i] = a[i] {sign} (float){float(y).hex()}", a=x, c=out)

    def _rectify(self, x: Tensor, least: float, out: Tensor) -> None:
        if least != 0:
            raise CannotBeWritten("a limit that is not 0")
        self._each(out.numel(), "c[i] = a[i] < 0 ? 0 : a[i]", a=x, c=out)

    def _rectify_backward(self, gradient: Tensor, x: Tensor, limit: float, out: Tensor) -> None:
        if limit != 0:
            raise CannotBeWritten("a limit that is not 0")
        self._bend_backward("a[i] <= 0 ? 0 : g[i]", gradient, x, out)

    def _bend_backward(self, what: str, gradient: Tensor, x: Tensor, out: Tensor) -> None:
        if not gradient.shape == x.shape == out.shape:
            raise CannotBeWritten("gradients of another shape")
        self._each(out.numel(), f"c[i] = {what}", a=x, g=gradient, c=out)

    def _copy(self, target: Tensor, source: Tensor, later: bool = False) -> None:
        if target.shape != source.shape or target.dtype != source.dtype:
            raise CannotBeWritten("a copy of another shape")
        size = _whole(target).nbytes
        self._line(f"memcpy({self._bytes(target)}, {self._bytes(_whole(source))}, {size});")

    def _sum(
        self, x: Tensor, over: Sequence[int] | None, keep: bool, kind: object, out: Tensor
    ) -> None:
        if kind is not None or over is None:
            raise CannotBeWritten("a sum of another kind")
        self._reduce(SUM, x, over, keep, out)

    def _reduce(self, symbol: str, x: Tensor, over: Sequence[int], keep: bool, out: Tensor) -> None:
        places = "nullptr" if not over else f"(const int64_t[]){{{', '.join(map(str, over))}}}"
        values = [self._tensor(x), f"axes{{{places}, {len(over)}, true}}", _number(keep)]
        types = (TENSOR, "axes", TRUTH, "kind", TENSOR)
        self._call(symbol, types, [*values, "kind{0, false}", self._tensor(out)])

    def _squared_error(
        self, a: Tensor, b: Tensor, reduction: int, out: Tensor | None = None
    ) -> None:
        if reduction != 1 or out is None or a.shape != b.shape:
            raise CannotBeWritten("a sum of squares")
        squares = torch.empty_like(a, requires_grad=False)
        self._each(a.numel(), "c[i] = (a[i] - b[i]) * (a[i] - b[i])", a=a, b=b, c=squares)
        self._reduce(MEAN, squares, (), False, out)

    def _sum_of_all(self, x: Tensor, kind: object, out: Tensor) -> None:
        if kind is not None:
            raise CannotBeWritten("a sum of another kind")
        self._reduce(SUM, x, (), False, out)

    def _dot(self, x: Tensor, y: Tensor, out: Tensor) -> None:
        if x.numel() > 2**31 - 1:
            raise CannotBeWritten("a sum of more products than BLAS can count")
        a, b = (self._floats(_whole(each)) for each in (x, y))
        call = f"((inner*){self._function(DOT)})(&n, {a}, &step, {b}, &step)"
        self._line(f"{{ const int n = {x.numel()}; *{self._floats(out)} = {call}; }}")

    def _highest(self, x: Tensor, over: Sequence[int], keep: bool, out: Tensor) -> None:
        places = f"(const int64_t[]){{{', '.join(map(str, over))}}}" if over else "nullptr"
        values = [self._tensor(x), f"integers{{{places}, {len(over)}}}", _number(keep)]
        self._call(HIGHEST, (TENSOR, "integers", TRUTH, TENSOR), [*values, self._tensor(out)])

    def _places_of_highest(self, x: Tensor, axis: int | None, keep: bool, out: Tensor) -> None:
        values = [self._tensor(x), f"integer{{{axis or 0}, {_number(axis is not None)}}}"]
        values += [_number(keep), self._tensor(out)]
        self._call(PLACES, (TENSOR, "integer", TRUTH, TENSOR), values)

    def _equal(self, x: Tensor, y: Any, out: Tensor) -> None:
        same = isinstance(y, Tensor) and x.dtype == y.dtype == torch.int64 and x.shape == y.shape
        if not same:
            raise CannotBeWritten("a comparison of other numbers than whole ones")
        equal = "((bool*)c)[i] = ((int64_t*)a)[i] == ((int64_t*)b)[i]"
        self._each(out.numel(), equal, 2, "char", a=x, b=y, c=out)

    def _norms(self, members: Sequence[Tensor], order: float, kind: object, *out: Tensor) -> None:
        if order != 2 or kind is not None:
            raise CannotBeWritten("another norm")
        types = (TENSOR, TENSOR, "const scalar*", "axes", TRUTH, "kind")
        rest = ["&two", "axes{nullptr, 0, false}", "false", "kind{0, false}"]
        for each, norm in zip(members, out, strict=True):
            self._call(NORM, types, [self._tensor(norm), self._tensor(each), *rest])

    def _subtract(self, targets: Sequence[Tensor], others: Sequence[Tensor], alpha: float) -> None:
        if alpha != 1:
            raise CannotBeWritten("a difference with a factor")
        for target, other in zip(targets, others, strict=True):
            self._one_by_one("-", target, other, target)

    def _size(self, x: Tensor) -> None:
        self._each(x.numel(), "a[i] = __builtin_fabsf(a[i])", a=x)

    def _above(self, x: Tensor, limit: Any, out: Tensor) -> None:
        if isinstance(limit, Tensor):
            raise CannotBeWritten("a comparison of tensors")
        self._floats(x)
        above = f"((bool*)c)[i] = ((float*)a)[i] > (float){float(limit).hex()}"
        self._each(out.numel(), above, 1, "char", a=x, c=out)

    def _clone(self, x: Tensor, kind: object, out: Tensor) -> None:
        self._copy_to(self._bytes(_whole(out)), x)

    def _join(self, pieces: Sequence[Tensor], axis: int, out: Tensor) -> None:
        if axis != 0 or any(each.dtype != out.dtype for each in pieces):
            raise CannotBeWritten("pieces that are joined otherwise than one after the other")
        begin = 0
        for each in pieces:
            self._copy_to(f"{self._bytes(_whole(out))} + {begin}", each)
            begin += each.nbytes

    def _copy_to(self, place: str, x: Tensor) -> None:
        """Copy the numbers of a tensor, in their order, to a place in memory."""
        if x.is_contiguous():
            self._line(f"memcpy({place}, {self._bytes(x)}, {x.nbytes});")
            return
        names, to, source = [f"i{axis}" for axis in range(x.dim())], "0", "0"
        for name, count, step in zip(names, x.shape, x.stride(), strict=True):
            to, source = f"({to}) * {count} + {name}", f"{source} + {name} * {step}"
        loops = " ".join(
            f"for (int64_t {name} = 0; {name} < {count}; {name}++)"
            for name, count in zip(names, x.shape, strict=True)
        )
        size = x.element_size()
        self._line(f"{{ char* to = {place}; const char* source = {self._bytes(x)};")
        self._line(
            f"{loops} memcpy(to + ({to}) * {size}, source + ({source}) * {size}, {size}); }}"
        )

    def _squared_error_backward(
        self, gradient: Tensor, a: Tensor, b: Tensor, reduction: int, out: Tensor
    ) -> None:
        if reduction != 1 or gradient.numel() != 1 or not a.shape == b.shape == out.shape:
            raise CannotBeWritten("a sum of squares")
        slope = f"(float){(2 / a.numel()).hex()} * (a[i] - b[i]) * *g"
        self._each(a.numel(), f"c[i] = {slope}", g=gradient, a=a, b=b, c=out)

    def _count(self, counters: Sequence[Tensor], by: float) -> None:
        for each in counters:
            if each.numel() != 1:
                raise CannotBeWritten("a sum of lists of tensors")
            self._line(f"*{self._floats(each)} += {float(by)!r};")

    def _update(self, operation: RecordedOperation) -> None:
        if operation.name in DECAYS and self._adam(operation):
            return
        types, values = [], []
        for (name, kind), value in zip(operation.signature, operation.arguments, strict=True):
            if kind == "List[Tensor]":
                types.append(LIST)
                values.append(f"{LIST}{{{self._list(value)}, {len(value)}}}")
            elif kind == "float":
                types.append(REAL)
                values.append("rates[round]" if name == RATE else float(value).hex())
            else:
                types.append(TRUTH if kind == "bool" else OPTIONAL)
                values.append(_number(value))
        self._call(UPDATES[operation.name], tuple(types), values)

    def _adam(self, operation: RecordedOperation) -> bool:
        """Whether a loop does this update as torch's kernel would."""
        signature = (name for name, _ in operation.signature)
        named = dict(zip(signature, operation.arguments, strict=True))
        beta1, beta2, eps = named["beta1"], named["beta2"], named["eps"]
        lists = (named[each] for each in ("self", "grads", "exp_avgs", "exp_avg_sqs"))
        tensors = list(zip(*lists, named["state_steps"], strict=True))
        if (
            not (0.5 < beta1 < 1 and eps >= LEAST_EPS)
            or any(named[each] for each in ("amsgrad", "maximize", "grad_scale", "found_inf"))
            or not all(t.is_contiguous() and t.dtype == torch.float32 for t in sum(tensors, ()))
        ):
            return False
        decay = named["weight_decay"]
        gradient, weight = DECAYS[operation.name] if decay else NO_DECAY
        own = ADAM.replace("SHARED_FROM", str(SHARED_FROM))
        self._own = [own.replace("GRADIENT", gradient).replace("WEIGHT", weight)]
        values = ", ".join(float(each).hex() for each in (beta1, beta2, eps, decay))
        for each in tensors:
            self._numbers += each[0].numel()
            numbers = ", ".join(map(self._floats, each))
            by = f"adam{{{values}}}, rates[round]"
            self._line(f"update(shared, {by}, {numbers}, {each[0].numel()});")
        return True

    # ---- pieces of lines

    def _list(self, members: Sequence[Tensor]) -> str:
        """The name of tensors one after the other, as torch's lists hold them."""
        if not members:
            return "nullptr"
        name = f"list{len(self._lists)}"
        values = ", ".join(f"*(void**){self._tensor(each)}" for each in members)
        self._lists.append(f"  void* {name}[] = {{{values}}};")
        return name

    def _call(self, symbol: str, types: Sequence[str], values: Sequence[str]) -> None:
        call = f"((void* (*)({', '.join(types)})){self._function(symbol)})"
        self._line(f"{call}({', '.join(values)});")

    def _each(
        self, count: int, what: str, numbers: int = 1, kind: str = "float", **arrays: Tensor
    ) -> None:
        """A loop that does something for each `i`, with so many numbers.

        Args:
            arrays: by their names in `what`; their numbers are of that kind.
        """
        own = " ".join(
            f"{kind}* const {name} = {self._floats(_whole(each))};"
            if kind == "float"
            else f"{kind}* const {name} = {self._bytes(_whole(each))};"
            for name, each in arrays.items()
        )
        self._numbers += count * numbers
        loop = f"[=](int64_t from, int64_t to) {{ EACH {what}; }}"
        if count * numbers > SHARED_FROM:
            self._line(f"{{ {own} shared({count}, {loop}); }}")
        else:  # in a fraction of the time of the compiler
            self._line(f"{{ {own} const int64_t from = 0, to = {count}; EACH {what}; }}")

    def _line(self, text: str) -> None:
        self._body.append(f"    {text}")

    def _tensor(self, tensor: Tensor) -> str:
        place = self._places.setdefault(id(tensor), len(self.tensors))
        if place == len(self.tensors):
            self.tensors.append(tensor)
        return f"tensor[{place}]"

    def _bytes(self, tensor: Tensor) -> str:
        return self._tensor(tensor).replace("tensor", "memory")

    def _floats(self, tensor: Tensor) -> str:
        if tensor.dtype != torch.float32:
            raise CannotBeWritten(f"numbers are {tensor.dtype}")
        return f"((float*){self._bytes(tensor)})"

    def _function(self, symbol: str) -> str:
        if symbol not in self.symbols:
            self.symbols.append(symbol)
        return f"functions[{self.symbols.index(symbol)}]"


def _number(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, torch.dtype):
        value = NUMBERS[value]
    if not isinstance(value, int):
        raise CannotBeWritten(f"an operation has the argument {value!r}")
    return str(int(value))


def _whole(tensor: Tensor) -> Tensor:
    """The tensor, whose numbers follow each other in memory."""
    if not tensor.is_contiguous():
        raise CannotBeWritten("numbers do not follow each other in memory")
    return tensor


def _layout(matrix: Tensor) -> tuple[str, int]:
    """("N", distance of rows) or ("T", distance of columns), as torch decides it."""
    (rows, columns), (down, right) = matrix.shape, matrix.stride()
    if right == 1 and down >= max(1, columns):
        return "N", down
    if down == 1 and right >= max(1, rows):
        return "T", right
    raise CannotBeWritten("a matrix that is neither stored by rows nor by columns")
