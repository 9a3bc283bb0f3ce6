"""Runs the command with which docs/start.md compiles a program without CMake, as it stands there, in a folder like the one that the page describes.

The program is examples/quickstart.cpp; it must start. It is compiled without optimization, which saves a minute. usage: check_header_only.py ROOT
"""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

COMMAND = re.compile(r"^ {4}(g\+\+ .+)$", re.M)


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    commands = COMMAND.findall((root / "docs" / "start.md").read_text(encoding="utf-8"))
    if len(commands) != 1:
        print(f"docs/start.md: got {len(commands)} commands of g++; expected one")
        return 1
    if not shutil.which("g++") or not pathlib.Path("/usr/include/eigen3").exists():
        print("[graft] skipped: g++ or /usr/include/eigen3 is not there")
        return 77
    with tempfile.TemporaryDirectory(prefix="graft-header-only-") as folder:
        folder = pathlib.Path(folder)
        (folder / "graft").symlink_to(root)
        shutil.copy(root / "examples" / "quickstart.cpp", folder)
        done = subprocess.run(commands[0] + " -O0", shell=True, cwd=folder, capture_output=True, text=True)  # the last -O counts: half of the time
        if done.returncode or done.stderr:
            print(f"{commands[0]}: exit status {done.returncode}\n{done.stderr[:4000]}")
            return 1
        started = subprocess.run([folder / "quickstart"], capture_output=True, text=True)
        if started.returncode != 2 or "usage: quickstart" not in started.stderr:
            print(f"quickstart: exit status {started.returncode}, {started.stderr}")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
