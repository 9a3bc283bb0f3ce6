"""Compiles the public headers, and what else the build does not compile, with warnings as errors.

- every header as if alone, with the build's compiler; kernels' headers as headers only, the others as for graft::compiled, where they include less (kernels' headers are all
  that differ);
- all headers in one source, in both modes, with every compiler given;
- every further source given (the explicit instantiations, so that the bodies of templates are warned about as well), several at once, with every compiler;
- every program given, with the build's compiler;
- every .cuh alone with nvcc, where --nvcc is given.

The compilers make no code: all templates that are used are instantiated, and warned about, without it.

usage: check_headers.py --root ROOT --build FOLDER --compiler C++… [--include DIRS] [--source FILE…] [--program FILE…] [--nvcc NVCC] [--launcher ccache] [-j N]
"""

import argparse
import concurrent.futures
import os
import pathlib
import subprocess
import sys
import time

from check_layout import includes

COMPILED = ["-DGRAFT_COMPILED", "-DGRAFT_COMPILED_IO", "-DGRAFT_COMPILED_TEXT"]  # what graft::compiled defines
WARNINGS = ["-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Wsign-conversion", "-Werror"]
TOGETHER = 8  # sources in one


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=pathlib.Path, required=True)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--compiler", nargs="+", default=[])
    parser.add_argument("--include", default="", help="third-party include folders, parted by :")
    parser.add_argument("--launcher", default="")
    parser.add_argument("--source", nargs="*", type=pathlib.Path, default=[])
    parser.add_argument("--program", nargs="*", type=pathlib.Path, default=[])
    parser.add_argument("--nvcc", default="")
    parser.add_argument("-j", type=int, default=os.cpu_count())
    return parser.parse_args()


def source_of(folder, name, included):
    """Writes the source that includes each of `included`, a name in angle brackets or quotes, unless it is there already: ccache then finds it unchanged."""
    path = folder / f"{name}.cpp"
    text = "".join(f"#include {one}\n" for one in included)
    if not path.exists() or path.read_text() != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return path


def of_headers(folder, name, headers):
    return source_of(folder, name, [f"<graft/{header}>" for header in headers])


def chains(base, headers):
    """Lists of headers, each of which includes the one before it, directly or not (as for graft::compiled); all headers are in one, and there are as few lists as can be.

    A source that includes a list in order shows of every header in it that it compiles alone: what stands before a header's own lines is just what it includes itself, in another
    order, and the order of headers that each compile alone does not matter. (By Dilworth and Fulkerson the fewest lists are the headers less a largest matching.)
    """
    included = {header: {name.removeprefix("graft/") for _, _, name, headers_only in includes((base / header).read_text(encoding="utf-8")) if not headers_only} for header in headers}
    below = {}

    def everything_below(header):
        if header not in below:
            direct = included[header] & included.keys()
            below[header] = direct.union(*(everything_below(one) for one in direct))
        return below[header]

    above = {}  # header → the next of its list

    def find_place(header, tried):
        for one in sorted(everything_below(header) - tried):
            tried.add(one)
            if one not in above or find_place(above[one], tried):
                above[one] = header
                return True
        return False

    for header in headers:
        find_place(header, set())
    for first in sorted(set(headers) - set(above.values())):
        chain = [first]
        while chain[-1] in above:
            chain.append(above[chain[-1]])
        yield chain


def commands(options):
    """Yields (what is compiled, command)."""
    base = options.root / "include" / "graft"
    headers = sorted(path.relative_to(base).as_posix() for path in base.rglob("*.hpp") if "kernels/cuda" not in path.as_posix())
    # Naming /usr/include as a system folder would break the compiler's own order of folders; naming graft's own would silence its warnings.
    known = ("", "/usr/include", str(options.root / "include"))
    system = [flag for folder in dict.fromkeys(options.include.split(":")) if folder not in known for flag in ("-isystem", folder)]

    def compilation(compiler, source, *flags):
        if not pathlib.Path(compiler).name.startswith("clang"):
            flags = (*flags, "--param=ggc-min-heapsize=1000000")  # less time, more memory
        return [compiler, "-std=c++20", "-fsyntax-only", f"-I{options.root / 'include'}", *system, *WARNINGS, *flags, str(source)]

    for compiler in options.compiler:
        name = pathlib.Path(compiler).name
        everything = of_headers(options.build, "all_headers", headers)
        yield f"all headers, {name}", compilation(compiler, everything)
        yield f"all headers, {name} -DGRAFT_COMPILED", compilation(compiler, everything, *COMPILED)
        for first in range(0, len(options.source), TOGETHER):
            together = options.source[first:first + TOGETHER]
            what = ", ".join(source.name for source in together)
            yield f"{what}, {name}", compilation(compiler, source_of(options.build, f"sources_{first // TOGETHER}", [f'"{source}"' for source in together]), *COMPILED)
    kernels = [header for header in headers if header.startswith("kernels/")]
    others = [header for header in headers if header not in kernels]
    if options.compiler:
        for header in kernels:  # they and their implementations include each other
            yield header, compilation(options.compiler[0], of_headers(options.build, header.replace("/", "__"), [header]))
        for chain in chains(base, others):
            yield " ".join(chain), compilation(options.compiler[0], of_headers(options.build, chain[-1].replace("/", "__"), chain), *COMPILED)
        for program in options.program:
            yield program.name, compilation(options.compiler[0], program, *COMPILED, f"-I{program.parent}", f"-I{options.root / 'examples'}")
    launcher = [options.launcher] if options.launcher else []
    for path in sorted(base.rglob("*.cuh")) if options.nvcc else []:
        header = path.relative_to(base).as_posix()
        source = of_headers(options.build, header.replace("/", "__"), [header])
        yield header, [*launcher, options.nvcc, "-std=c++20", "-arch=sm_80", "-x", "cu", f"-I{options.root / 'include'}", "-c", str(source),
                       "-o", str(options.build / "objects" / f"{source.stem}.o")]


def run(job):
    what, command = job
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return what, command, done.returncode, done.stdout


def main():
    options = parse()
    (options.build / "objects").mkdir(parents=True, exist_ok=True)
    jobs = list(commands(options))
    if not jobs:
        print("[graft] skipped: nothing to compile (no compiler given, or no header found)")
        return 77
    started = time.monotonic()
    failures = 0
    with concurrent.futures.ThreadPoolExecutor(max(1, options.j)) as pool:
        for what, command, status, output in pool.map(run, jobs):
            if status != 0:
                failures += 1
                print(f"--- {what}\n{' '.join(command)}\n{output[:4000]}")
    print(f"{len(jobs) - failures} of {len(jobs)} compilations clean, {time.monotonic() - started:.0f} s")
    return int(failures > 0)


if __name__ == "__main__":
    sys.exit(main())
