"""Runs a program whose kernels are compiled for several processor levels at each level that this processor has.

- The results of a level are those of the lowest up to rounding (float32: 2e-5 of the largest number of an array, double: 1e-12).
- What GRAFT_CPU cannot be is said in one sentence, and the program runs all the same.
- No function but those of the levels v3 and v4 holds instructions that only such processors have (AVX: registers ymm and zmm, the prefix VEX or EVEX).

usage: check_levels.py PROGRAM
"""

import os
import re
import subprocess
import sys

TOLERANCE = {"float": 2e-5, "double": 1e-12}
FUNCTION = re.compile(r"^[0-9a-f]+ <(.+)>:$")
NEWER = re.compile(r"%[yz]mm|^\s*[0-9a-f]+:\s+v[a-z]")


def run(program, level):
    """(the level in use, [(scalar, kernel, numbers)], standard error)"""
    environment = {name: value for name, value in os.environ.items() if name != "GRAFT_CPU"}
    if level is not None:
        environment["GRAFT_CPU"] = level
    done = subprocess.run([program], env=environment, capture_output=True, text=True, check=True)
    first, *lines = done.stdout.splitlines()
    arrays = []
    for line in lines:
        scalar, kernel, *numbers = line.split()
        arrays.append((scalar, kernel, [float(number) for number in numbers]))
    return first, arrays, done.stderr


def compare(level, arrays, reference):
    """Sentences about what differs by more than rounding."""
    if len(arrays) != len(reference):
        yield f"{level}: {len(arrays)} arrays; expected {len(reference)}"
    for (scalar, kernel, numbers), (_, _, expected) in zip(arrays, reference):
        largest = max(map(abs, expected))
        worst = max(abs(a - b) if a == a else float("inf") for a, b in zip(numbers, expected))
        if not 0 < largest < 1e30 or len(numbers) != len(expected) or worst > TOLERANCE[scalar] * largest:
            yield f"{level}: {kernel} of {scalar} differs by {worst:.3g} from the lowest level's; numbers up to {largest:.3g}"


def newer_instructions(program):
    """{function: an instruction that old processors lack} of all code in the program itself."""
    found, function = {}, ""
    for line in subprocess.run(["objdump", "-d", "--no-show-raw-insn", program], capture_output=True, text=True, check=True).stdout.splitlines():
        if head := FUNCTION.match(line):
            function = head.group(1)
        elif NEWER.search(line):
            found.setdefault(function, line.strip())
    return found


def main():
    program = sys.argv[1]
    failures = []
    highest, best, errors = run(program, None)
    names = ["x86-64", "x86-64-v2", "x86-64-v3", "x86-64-v4"]
    had = names.index(highest) + 1
    if errors:
        failures.append(f"says without being asked: {errors}")
    lowest, reference, errors = run(program, "v2")
    if lowest not in names[:2] or errors:
        failures.append(f"GRAFT_CPU=v2 gives {lowest}, and says: {errors}")
    for number in (3, 4):
        level, arrays, errors = run(program, f"v{number}")
        if number <= had and (level != f"x86-64-v{number}" or errors):
            failures.append(f"GRAFT_CPU=v{number} gives {level}, and says: {errors}")
        if number > had and (level != highest or errors.count("\n") != 1 or "[GRAFT_CPU]" not in errors):
            failures.append(f"GRAFT_CPU=v{number}, which this processor is not, gives {level}, and says: {errors}")
        failures += compare(level, arrays, reference)
        print(f"{level}: {len(arrays)} arrays of numbers")
    level, arrays, errors = run(program, "fast")
    if level != highest or errors.count("\n") != 1 or '"fast"' not in errors:
        failures.append(f"GRAFT_CPU=fast gives {level}, and says: {errors}")
    failures += compare("GRAFT_CPU=fast", arrays, best)

    newer = newer_instructions(program)
    levels = {name for name in newer if re.search(r"\.v[34]($|\.)", name)}
    if not any(name.endswith(".v4") for name in levels) or not any(name.endswith(".v3") for name in levels):
        failures.append("the program has no function of the levels v3 and v4 with their instructions")
    failures += [f"the function {name} would not run on every processor: {newer[name]}" for name in sorted(set(newer) - levels)]
    print("\n".join(failures[:20]))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
