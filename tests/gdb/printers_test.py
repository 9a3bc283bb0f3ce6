"""What gdb prints of graft's values with the printers, against what it should; skipped where there is no gdb that can run a program.

    printers_test.py PROGRAM PRINTERS
"""

import shutil
import subprocess
import sys

EXPECTED = {
    "shape": "[2, 3]",
    "scalar": "[]",
    "few": "Tensor float32 cpu [2, 3] {1, 2.5, -3, 4, 5, 6}",
    "many": "Tensor float64 cpu [3, 4, 5] {0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, …}",
    "narrow": "Tensor bfloat16 cpu [2] {1.5, -2}",
    "halves": "Tensor half cpu [2] {0.5, 65504}",
    "tokens": "Tensor int32 cpu [3] {7, 8, -9}",
    "empty": "Tensor float32 cpu empty",
    "elsewhere": "Tensor float32 cuda [4, 2] on the device",
    "constant": "Variable constant float32 cpu [2, 3] {1, 2.5, -3, 4, 5, 6}",
    "parameter": 'Parameter "lora_A.weight" float32 cpu [2, 3] {1, 2.5, -3, 4, 5, 6}',
    "tracked": "Variable tracked float32 cpu [2, 3] {1, 2.5, -3, 4, 5, 6}",
    "shapes[1]": "[4, 4]",
}


def skip(why):
    print("[graft] skipped: " + why)
    sys.exit(77)


def main():
    program, printers = sys.argv[1:]
    gdb = shutil.which("gdb")
    if not gdb:
        skip("gdb is not installed")
    if subprocess.run([gdb, "-nx", "-batch", "-ex", "python import gdb.printing"], capture_output=True).returncode != 0:
        skip("gdb was built without Python")
    commands = [f"source {printers}", "set breakpoint pending off", "break stop", "run", "up"]
    for name in EXPECTED:
        commands += [f"echo @{name}=", f"output {name}", "echo \\n"]
    arguments = [part for command in commands for part in ("-ex", command)]
    done = subprocess.run([gdb, "-nx", "-batch", *arguments, program], capture_output=True, text=True, encoding="utf-8", timeout=90)
    if "Breakpoint 1, " not in done.stdout:
        if any(text in done.stderr for text in ("ptrace", "personality", "Operation not permitted")):
            skip("gdb cannot run a program here: " + done.stderr.strip().splitlines()[-1])
        sys.exit("gdb did not stop where it should:\n" + done.stdout + done.stderr)
    shown = dict(line[1:].split("=", 1) for line in done.stdout.splitlines() if line.startswith("@"))
    wrong = [f"{name}: got {shown.get(name)!r}, expected {text!r}" for name, text in EXPECTED.items() if shown.get(name) != text]
    if wrong:
        sys.exit("\n".join(wrong) + "\n" + done.stderr)
    print(f"{len(EXPECTED)} values as expected")


main()
