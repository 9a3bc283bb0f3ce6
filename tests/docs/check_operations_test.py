"""Every rule of check_operations.py is broken once in a made-up tree, and must be reported; what is right must not be."""

import pathlib
import sys
import tempfile

import check_operations

RIGHT = "| `{0}(x)` | x | any | x | {1} | {2} | tests/some_test.cpp |\n"
PAGE = "".join((RIGHT.format("good", "both", "ops/good.hpp"), RIGHT.format("slow", "processor", "ops/slow.hpp"), RIGHT.format("cast", "both", "ops/good.hpp").replace("cast(", "cast<To>("),
                RIGHT.format("constant", "both", "autograd/constant.hpp")))
FUNCTION = "template <class Scalar>\n[[nodiscard]] {1}<Scalar, Device> {0}(Variable<Scalar, Device> const& x) {{\n  kernels::On<Device, kernels::{2}, Scalar>::f(x);\n}}\n"
FILES = {
    "cmake/GraftKernels.cmake": "set_property(GLOBAL PROPERTY graft_kernels_everywhere fast sum_squares)\nset_property(GLOBAL PROPERTY graft_kernels_bfloat16 fast cast)\nset_property(GLOBAL PROPERTY graft_kernels_host slow)\n",
    "include/graft/ops/good.hpp": "namespace detail {\n" + FUNCTION.format("hidden", "Variable", "Fast") + "}\n// [[nodiscard]] Variable<Scalar> unsaid(x)\n"
                                  + FUNCTION.format("good", "Variable", "SumSquares") + FUNCTION.format("cast", "Columns", "Cast") + "class Kept {\n" + FUNCTION.format("member", "Variable", "Fast") + "\n};\n",
    "include/graft/ops/slow.hpp": FUNCTION.format("slow", "TargetScores", "Slow"),
    "include/graft/autograd/constant.hpp": FUNCTION.format("constant", "Variable", "Fast"),
    "docs/operations.md": PAGE,
    "tests/some_test.cpp": "good(x); slow(x); cast<float>(x); constant(x); more(x);\n",
}
# What is changed, and what must be reported then.
CASES = [
    ({}, []),
    ({"include/graft/ops/more.hpp": FUNCTION.format("more", "Variable", "Fast")}, ["more of include/graft/ops/more.hpp has no row"]),
    ({"docs/operations.md": PAGE + RIGHT.format("gone", "both", "ops/good.hpp")}, ["gone: no header"]),
    ({"docs/operations.md": PAGE + RIGHT.format("hidden", "both", "ops/good.hpp")}, ["hidden: no header"]),
    ({"docs/operations.md": PAGE + RIGHT.format("good", "both", "ops/good.hpp")}, ["good has two rows"]),
    ({"docs/operations.md": PAGE.replace("processor", "both")}, ["slow: the row says devices both"]),
    ({"docs/operations.md": PAGE.replace("both | ops/good", "processor | ops/good", 1)}, ["good: the row says devices processor"]),
    ({"docs/operations.md": PAGE.replace("ops/slow", "ops/good")}, ["slow: the row says ops/good.hpp"]),
    ({"docs/operations.md": PAGE.replace("x | any | x | processor", "x | any | processor")}, ["slow: the row has 6 columns"]),
    ({"tests/some_test.cpp": "good(x); slower(x); cast<float>(x); constant(x);\n"}, ["slow: tests/some_test.cpp is not there, or does not call it"]),
]

failures = []
for changed, expected in CASES:
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for name, text in {**FILES, **changed}.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text, encoding="utf-8")
        got = list(check_operations.check(root))
    if len(got) != len(expected) or not all(any(part in line for line in got) for part in expected):
        failures.append(f"got {got}; expected {expected}")
print("\n".join(failures) or f"{len(CASES)} cases as expected")
sys.exit(bool(failures))
