"""The layers of include/graft, from the bottom up: the one table that says which folder may include what.

A folder may include itself and the folders of earlier rows, and only the third-party headers of its row.
Folders of one row do not include each other. A longer path takes precedence over a shorter one.
"""

EIGEN, XTENSOR, JSON, ICU, EXPAT, ONEDNN = "Eigen/", "xtensor/", "nlohmann/", "unicode/", "expat.h", "dnnl.hpp"
CUDA = ("cuda", "cublas", "mma.h", "thrust/", "cub/")
INTRINSICS = "immintrin.h"

# One row a layer: {folder: prefixes of the third-party headers it may include}
ROWS = [
    {"core": ()},
    {"kernels": (INTRINSICS,), "kernels/cpu": (EIGEN, INTRINSICS), "kernels/cuda": CUDA},
    {"tensor": (EIGEN, XTENSOR)},
    {"weights": (ONEDNN,)},
    {"autograd": ()},
    {"ops": ()},
    {"nn": ()},
    {"adaptation": ()},
    {"models": ()},
    {"inspect": ()},
    {"text": (ICU,)},
    {"data": (JSON, EXPAT)},
    {"io": (JSON,)},
    {"optim": ()},
    {"train": (), "generate": (), "metrics": ("libstemmer.h", "zlib.h")},
    {"any": (JSON,)},
]

LAYER = {folder: number for number, row in enumerate(ROWS) for folder in row}
THIRD_PARTY = {folder: prefixes for row in ROWS for folder, prefixes in row.items()}

# Headers of plain names and numbers: all that they include, directly or not, lies in these folders.
LIGHT = {"nn/site.hpp": ("core", "nn"), "models/config.hpp": ("core", "models")}

# POSIX, and the names of the C++ library, which have neither a folder nor an extension.
SYSTEM = ("sys/", "unistd.h", "dlfcn.h", "fcntl.h", "pthread.h", "sched.h", "signal.h")


def folder_of(header):
    """'kernels/cpu/gelu.hpp' → 'kernels/cpu'; a header of include/graft itself, such as graft.hpp, has none and may include all."""
    parts = header.split("/")[:-1]
    for length in range(len(parts), 0, -1):
        if "/".join(parts[:length]) in LAYER:
            return "/".join(parts[:length])
    return "/".join(parts) or None
