"""Configures projects that use graft, without building them, and reads what CMake says and which flags it would pass.

- The projects that the README prints get Release where nobody asks for a build type.
- A project that sets none and gets none is warned once; Debug is said; a project that optimizes hears nothing.
- GRAFT_NATIVE gives every source -march=native. GRAFT_DISPATCH=ON is refused where it cannot be, with the reason.
- GRAFT_ARCHITECTURES chooses the sources of graft::any; others than graft's are refused.
- Where there is nvcc, graft_add_any_cuda() makes graft::any_cuda of the same.

usage: check_configure.py ROOT PREFIX COMPILER GENERATOR
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

PROJECT = """cmake_minimum_required(VERSION 3.22)
project(plain LANGUAGES CXX)
%s
add_executable(program main.cpp)
target_link_libraries(program PRIVATE graft::compiled)
"""
FOUND = "find_package(graft 0.1 REQUIRED COMPONENTS compiled)"
FETCHED = """include(FetchContent)
FetchContent_Declare(graft GIT_REPOSITORY nowhere)
FetchContent_MakeAvailable(graft)"""
WARNING, NOTE, ALONE = "got an empty CMAKE_BUILD_TYPE", "does not optimize here", "kernels for the flags of this build alone"


class Projects:
    def __init__(self, folder, root, prefix, compiler, generator):
        self.folder, self.number = pathlib.Path(folder), 0
        self.options = ["-G", generator, f"-DCMAKE_CXX_COMPILER={compiler}", f"-DCMAKE_PREFIX_PATH={prefix}", f"-DFETCHCONTENT_SOURCE_DIR_GRAFT={root}",
                        "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON", "-DCMAKE_BUILD_TYPE="]

    def plain(self, text, target="compiled"):
        self.number += 1
        source = self.folder / f"source{self.number}"
        source.mkdir()
        (source / "CMakeLists.txt").write_text(PROJECT.replace("graft::compiled", f"graft::{target}") % text, encoding="utf-8")
        (source / "main.cpp").write_text("int main() {}\n", encoding="utf-8")
        return source

    def configure(self, source, *options):
        """(exit status, what CMake said in one line, [command lines])"""
        self.number += 1
        build = self.folder / f"build{self.number}"
        done = subprocess.run(["cmake", "-S", source, "-B", build, *self.options, *options], capture_output=True, text=True)
        commands = build / "compile_commands.json"
        lines = [entry["command"] for entry in json.loads(commands.read_text(encoding="utf-8"))] if commands.exists() else []
        return done.returncode, " ".join((done.stdout + done.stderr).split()), lines


def main():
    root, prefix, compiler, generator = sys.argv[1:]
    failures = []

    def check(what, holds, said=""):
        if not holds:
            failures.append(f"{what}; CMake said: {said}")

    with tempfile.TemporaryDirectory(prefix="graft-configure-") as folder:
        projects = Projects(folder, root, prefix, compiler, generator)
        for printed in ("tests/consumer/mixed", "tests/docs/fetch_content"):
            status, said, commands = projects.configure(pathlib.Path(root, printed))
            check(f"{printed} is configured", status == 0 and commands, said)
            check(f"{printed} is optimized", all(" -O3 " in line for line in commands) and WARNING not in said, said)
        for name, text in (("find_package", FOUND), ("FetchContent", FETCHED)):
            source = projects.plain(text)
            status, said, commands = projects.configure(source)
            check(f"{name}: an empty build type is warned of once", status == 0 and said.count(WARNING) == 1, said)
            check(f"{name}: its kernels are optimized", sum(" -O3 " in line for line in commands) > 10, said)
            status, said, _ = projects.configure(source, "-DCMAKE_BUILD_TYPE=Debug")
            check(f"{name}: Debug is said, no warning", status == 0 and NOTE in said and WARNING not in said and ALONE in said, said)
            status, said, commands = projects.configure(source, "-DCMAKE_BUILD_TYPE=Release")
            check(f"{name}: Release is silent", status == 0 and NOTE not in said and WARNING not in said, said)
            check(f"{name}: no flags for a processor in main.cpp", not any("-march" in line for line in commands if line.endswith("main.cpp")), said)
            status, said, commands = projects.configure(source, "-DCMAKE_BUILD_TYPE=Release", "-DGRAFT_NATIVE=ON")
            check(f"{name}: GRAFT_NATIVE", status == 0 and commands and all(" -march=native" in line for line in commands), said)
            status, said, _ = projects.configure(source, "-DCMAKE_BUILD_TYPE=Release", "-DGRAFT_NATIVE=ON", "-DGRAFT_DISPATCH=ON")
            check(f"{name}: dispatch is refused", status != 0 and "[GRAFT_DISPATCH] got ON" in said and "GRAFT_NATIVE is ON" in said, said)
            status, said, commands = projects.configure(source, "-DCMAKE_BUILD_TYPE=Release", "-DGRAFT_DISPATCH=OFF")
            check(f"{name}: no dispatch", status == 0 and commands and not any("-march=" in line for line in commands), said)
            status, said, _ = projects.configure(source, "-DCMAKE_CXX_FLAGS=-O2")
            check(f"{name}: flags without a build type are silent", status == 0 and WARNING not in said, said)
        source = projects.plain(FOUND.replace("compiled", "any"), "any")
        for given, expected in (("llama", ["llama"]), ("t5;gpt2", ["gpt2", "t5"]), (None, ["bart", "bert", "gpt2", "llama", "roberta", "t5", "t5_v1_1"])):
            status, said, commands = projects.configure(source, "-DCMAKE_BUILD_TYPE=Release", *([] if given is None else [f"-DGRAFT_ARCHITECTURES={given}"]))
            compiled = sorted(pathlib.Path(line.split()[-1]).stem for line in commands if "/any/" in line.split()[-1])
            check(f"GRAFT_ARCHITECTURES={given}: {compiled}", status == 0 and compiled == sorted([*expected, "any_model", "choice", "host", "placement"]), said)
        for given, expected in (("llama;gpt3", "got 'gpt3'; expected some of gpt2, llama,"), ("", "got no architecture; expected some")):
            status, said, _ = projects.configure(source, "-DCMAKE_BUILD_TYPE=Release", f"-DGRAFT_ARCHITECTURES={given}")
            check(f"GRAFT_ARCHITECTURES={given} is refused", status != 0 and f"[GRAFT_ARCHITECTURES] {expected}" in said, said)
        if shutil.which("nvcc", path=os.pathsep.join((os.environ.get("PATH", ""), "/usr/local/cuda/bin"))):
            source = projects.plain(FOUND.replace("compiled", "any cuda") + "\ngraft_add_any_cuda()", "any_cuda")
            status, said, commands = projects.configure(source, "-DCMAKE_BUILD_TYPE=Release", "-DGRAFT_ARCHITECTURES=llama")
            compiled = sorted(pathlib.Path(line.split()[-1]).name.removesuffix(".o") for line in commands if "graft_any_cuda" in line.split()[-1] or line.endswith("/any/cuda.cpp"))
            check(f"graft_add_any_cuda(): {compiled}", status == 0 and compiled == ["Llama_bfloat16.cpp", "Llama_float.cpp", "cuda.cpp", "graft_any_cuda_cuda.cu", "load.cpp"], said)
            status, said, commands = projects.configure(pathlib.Path(root, "tests/consumer/cuda"))
            check("tests/consumer/cuda is configured", status == 0 and any(line.endswith("my_program_cuda.cu.o") or line.endswith("my_program_cuda.cu") for line in commands), said)
            status, said, _ = projects.configure(source, "-DCMAKE_BUILD_TYPE=Release", "-DCMAKE_CUDA_ARCHITECTURES=75")
            check("CMAKE_CUDA_ARCHITECTURES=75 is refused", status != 0 and "[CMAKE_CUDA_ARCHITECTURES] got 75" in said, said)
    print("\n".join(failures))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
