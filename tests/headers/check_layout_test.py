"""Every rule of check_layout.py is broken once in a made-up tree, and must be reported; what is allowed must not be."""

import pathlib
import sys
import tempfile

import check_layout

FILES = {
    "include/graft/graft.hpp": "#pragma once\n#include <graft/io/good.hpp>\n",
    "include/graft/core/good.hpp": "#pragma once\n#include <vector>\n#include <sys/mman.h>\n",
    "include/graft/core/up.hpp": "#pragma once\n#include <graft/io/good.hpp>\n",
    "include/graft/core/quoted.hpp": '#pragma once\n#include "good.hpp"\n',
    "include/graft/core/eigen.hpp": "#pragma once\n#include <Eigen/Core>\n",
    "include/graft/core/twice.hpp": "#include <vector>\n",
    "include/graft/core/gone.hpp": "#pragma once\n#include <graft/core/nowhere.hpp>\n",
    "include/graft/kernels/good.hpp": "#pragma once\n#include <graft/core/good.hpp>\n#ifndef GRAFT_COMPILED\n#include <graft/kernels/cpu/good.hpp>\n#endif\n",
    "cmake/GraftKernels.cmake": "set_property(GLOBAL PROPERTY graft_kernels_host better good)\n",
    "include/graft/kernels/unlinked.hpp": "#pragma once\n#ifndef GRAFT_COMPILED\n#include <graft/kernels/cpu/good.hpp>\n#endif\n",
    "include/graft/kernels/bare.hpp": "#pragma once\n#ifndef GRAFT_COMPILED\n#else\n#include <graft/kernels/cpu/good.hpp>\n#endif\n",
    "include/graft/io/read_good.hpp": "#pragma once\n",
    "include/graft/io/read_lost.hpp": "#pragma once\n",
    "include/graft/io/split.hpp": "#pragma once\n#ifndef GRAFT_COMPILED_IO\n#include <graft/io/read_good.hpp>\n#include <graft/io/read_lost.hpp>\n#endif\n",
    "cmake/compiled/io/split.cpp": "#include <graft/io/read_good.hpp>\n",
    "include/graft/kernels/cpu/good.hpp": "#pragma once\n#include <Eigen/Core>\n#include <graft/kernels/good.hpp>\n",
    "include/graft/kernels/cuda/host.cuh": "#pragma once\n#include <thrust/fill.h>\n#include <graft/kernels/cpu/good.hpp>\n",
    "include/graft/kernels/cuda/eigen.cuh": "#pragma once\n#include <Eigen/Core>\n",
    "include/graft/ops/inside.hpp": "#pragma once\n#include <graft/kernels/good.hpp>\n#include <graft/kernels/cpu/good.hpp>\n",
    "include/graft/nn/site.hpp": "#pragma once\n#include <graft/nn/heavy.hpp>\n",
    "include/graft/nn/heavy.hpp": "#pragma once\n#include <graft/kernels/good.hpp>\n",
    "include/graft/io/good.hpp": "#pragma once\n#include <nlohmann/json.hpp>\n#include <graft/text/good.hpp>\n",
    "include/graft/text/good.hpp": "#pragma once\n#include <unicode/utf8.h>\n",
    "include/graft/train/side.hpp": "#pragma once\n#include <graft/metrics/good.hpp>\n",
    "include/graft/metrics/good.hpp": "#pragma once\n",
    "include/graft/extra/lost.hpp": "#pragma once\n#include <vector>\n",
    "tests/long_test.cpp": "\n" * 801,
    "tests/fits_test.cpp": "\n" * 800,
    "examples/long.cpp": "\n" * 501,
    "src/main.cpp": "\n",
    "LICENSE": "\n" * 900,
}
EXPECTED = {
    "include/graft/core/up.hpp:2": "only the layers below",
    "include/graft/core/quoted.hpp:2": "expected <graft/…>",
    "include/graft/core/eigen.hpp:2": "no third-party header",
    "include/graft/core/twice.hpp": "no #pragma once",
    "include/graft/core/gone.hpp:2": "does not exist",
    "include/graft/kernels/unlinked.hpp:3": "does not list unlinked",
    "include/graft/io/split.hpp:4": "no source of cmake/compiled includes it",
    "include/graft/kernels/bare.hpp:4": "also where GRAFT_COMPILED",
    "include/graft/kernels/cuda/host.cuh:3": "do not include each other",
    "include/graft/kernels/cuda/eigen.cuh:2": "may include",
    "include/graft/ops/inside.hpp:3": "an implementation",
    "include/graft/nn/site.hpp": "reads <graft/kernels/good.hpp>",
    "include/graft/train/side.hpp:2": "do not include each other",
    "include/graft/extra/lost.hpp:2": "not in the table",
    "tests/long_test.cpp": "at most 800",
    "examples/long.cpp": "at most 500",
    "src": "top-level",
}

with tempfile.TemporaryDirectory() as folder:
    root = pathlib.Path(folder)
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    found = dict(line.split(": ", 1) for line in check_layout.check(root))

wrong = [f"{place}: got '{found.get(place)}'; expected '…{why}…'" for place, why in EXPECTED.items() if why not in found.get(place, "")]
wrong += [f"{place}: {why}; expected no complaint" for place, why in found.items() if place not in EXPECTED]
print("\n".join(wrong) or f"check_layout: {len(EXPECTED)} violations found, no false one")
sys.exit(bool(wrong))
