"""What the processor can do at most: independent chains of fused multiply-adds, all threads at once, through LLVM."""

import ctypes
import time
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import llvmlite.binding as llvm

from benchmarks.machine import Vector, vector

ROUNDS = 4_000_000
"""Turns of the loop in one sample: some milliseconds."""


def chains_for(unit: Vector) -> int:
    """Accumulators of one thread: enough to hide latency, few enough to stay in registers beside the two operands."""
    return 24 if unit.registers >= 32 else 12


def source(unit: Vector, chains: int) -> str:
    """LLVM IR: ``peak(out, rounds)`` does ``rounds * chains`` vector multiply-adds and stores their sum."""
    kind = f"<{unit.floats} x float>"

    def splat(number: str) -> str:
        return "<" + ", ".join([f"float {number}"] * unit.floats) + ">"

    body, ends = [], []
    for index in range(chains):
        phi = f"  %a{index} = phi {kind} [ {splat(f'{index + 1}.0')}, %entry ], [ %b{index}, %loop ]"
        body.insert(index, phi)
        if unit.fused:
            ends.append(
                f"  %b{index} = call {kind} @llvm.fma.v{unit.floats}f32({kind} %a{index}, {kind} %m, {kind} %s)"
            )
        else:
            ends.append(f"  %p{index} = fmul {kind} %a{index}, %m\n  %b{index} = fadd {kind} %p{index}, %s")
    total = [f"  %t{index + 1} = fadd {kind} %t{index}, %b{index}" for index in range(chains)]
    lines = [
        f"declare {kind} @llvm.fma.v{unit.floats}f32({kind}, {kind}, {kind})",
        "define void @peak(float* %out, i64 %rounds) {",
        "entry:",
        "  %first = load float, float* %out",  # an operand that the compiler does not know
        f"  %m0 = insertelement {kind} undef, float %first, i32 0",
        f"  %m = shufflevector {kind} %m0, {kind} undef, <{unit.floats} x i32> zeroinitializer",
        f"  %s = fmul {kind} %m, {splat('0.5')}",
        "  br label %loop",
        "loop:",
        "  %i = phi i64 [ 0, %entry ], [ %next, %loop ]",
        *body,
        *ends,
        "  %next = add i64 %i, 1",
        "  %more = icmp slt i64 %next, %rounds",
        "  br i1 %more, label %loop, label %done",
        "done:",
        f"  %t0 = fmul {kind} %s, %m",
        *total,
        f"  %end = extractelement {kind} %t{chains}, i32 0",
        "  store float %end, float* %out",
        "  ret void",
        "}",
    ]
    return "\n".join(lines) + "\n"


class Peak:
    """The compiled chains; every call of :meth:`sample` is one measurement."""

    def __init__(self, threads: int) -> None:
        self.threads, self.unit = threads, vector()
        self.chains = chains_for(self.unit)
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        machine = llvm.Target.from_default_triple().create_target_machine(
            cpu=llvm.get_host_cpu_name(), features=llvm.get_host_cpu_features().flatten(), opt=3
        )
        module = llvm.parse_assembly(source(self.unit, self.chains))
        module.verify()
        self._engine = llvm.create_mcjit_compiler(module, machine)  # owns the code
        self._engine.finalize_object()
        address = self._engine.get_function_address("peak")
        self._function = ctypes.CFUNCTYPE(None, ctypes.POINTER(ctypes.c_float), ctypes.c_int64)(address)
        self._pool = ThreadPoolExecutor(threads)
        self.samples: list[float] = []

    def _one(self, rounds: int) -> None:
        self._function(ctypes.byref(ctypes.c_float(0.5)), rounds)

    def sample(self, rounds: int = ROUNDS) -> float:
        """GFLOP/s of all threads together, the best of three; kept in ``samples``."""
        best = 0.0
        for _ in range(3):
            start = time.perf_counter()
            list(self._pool.map(self._one, [rounds] * self.threads))
            taken = time.perf_counter() - start
            best = max(best, 2e-9 * self.threads * rounds * self.chains * self.unit.floats / taken)
        self.samples.append(best)
        return best

    @property
    def best(self) -> float:
        """The highest sample of the run."""
        return max(self.samples)


@cache
def peak(threads: int) -> Peak:
    """The run's one Peak."""
    return Peak(threads)
