"""Finds what could let a foreign exception's text reach a user: everything that graft throws is a graft::Error in one sentence.

usage: check_thrown.py [ROOT]    prints one line a violation in include/ and examples/; exit status 1 where there is any

Refused: throwing std:: exceptions; std::stoi and its like; functions and iterators of std::filesystem without an error_code; reading JSON by
.get<T>(), .get_ref or .at("key") where nothing nearby has asked for the type or the key (io/json.hpp has json_at, json_as and json_or for that).
"""

import pathlib
import re
import sys

# Where a pattern may stand all the same: {file: (pattern, why)}
ALLOWED = {
    "include/graft/core/error.hpp": (r"throw", "the one place that throws"),
    "include/graft/io/json.hpp": (r"\.get", "the checked readers themselves"),
    "include/graft/io/adapter_format.hpp": (r"value\.get<std::int64_t>", "what this process wrote itself a line before"),
    "include/graft/io/gguf_config.hpp": (r'config\.at\((?:"vocab_size"|longest)\)', "a configuration that this file makes"),
    "include/graft/io/safetensors_checkpoint.hpp": (r"shard\.get<std::string>", "a string: asked for where the list is first gone through"),
    "include/graft/io/atomic_folder.hpp": (r"filesystem", "inside a try that words the system's reason"),
    "include/graft/train/identity.hpp": (r"\.at\(part\)", "what this process wrote itself"),
}
# Programs print from JSON that they have put together themselves.
OWN_JSON = re.compile(r"\b(summary|scores|value|m|a|tokenizer|site|tensor|done|line->second\[[^]]*\])\s*(\.at\(|\.get<)|\.(at\(\"[a-z_]+\"\)|at\(role\)|at\(key\))\S*\.get<")

THROWING = ("exists is_directory is_regular_file is_symlink is_empty is_other file_size remove remove_all rename copy copy_file copy_symlink create_directory "
            "create_directories create_symlink directory_iterator recursive_directory_iterator canonical weakly_canonical absolute relative proximate "
            "last_write_time status symlink_status read_symlink equivalent temp_directory_path current_path permissions space resize_file hard_link_count").split()
FILESYSTEM = re.compile(r"\b(?:std::filesystem|fs)::(" + "|".join(THROWING) + r")(?:\s+\w+)?\(")
GUARD = re.compile(r"\bis_(string|number|number_integer|number_unsigned|boolean|array|object|null)\(\)|json_fits|\bcontains\(|\bpresent\(|is_absent\(|is_set\(")


def arguments(text, start):
    """The text between the bracket that opens at start - 1 and the one that closes it."""
    depth, at = 1, start
    while at < len(text) and depth:
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        at += 1
    return text[start : at - 1]


def violations(path, text, example):
    text = re.sub(r"//[^\n]*", "", text)
    codes = set(re.findall(r"\bstd::error_code (?:const& |& )?(\w+)", text))
    lines = text.split("\n")
    number_of = lambda position: text.count("\n", 0, position) + 1
    for found in re.finditer(r"\bthrow (?:std|nlohmann)::", text):
        yield number_of(found.start()), "throw", "throws a foreign exception; expected fail<…>(…)"
    for found in re.finditer(r"\bstd::sto(?:i|l|ll|ul|ull|f|d|ld)\b", text):
        yield number_of(found.start()), "std::sto", "std::sto… throws; expected std::from_chars"
    for found in FILESYSTEM.finditer(text):
        given = arguments(text, found.end())
        if re.match(r"\s*std::filesystem::(symlink_)?status\(", given):
            continue  # of a status that is known already, which does not throw
        last = re.split(r"[,\s]+", given.strip())[-1]
        if last not in codes:
            yield number_of(found.start()), "filesystem", f"std::filesystem::{found[1]} without an error_code"
    for found in re.finditer(r"\bfor \([^;]*?: *(?:std::filesystem|fs)::(?:recursive_)?directory_iterator", text):
        yield number_of(found.start()), "filesystem", "a range-for over a folder, whose steps throw; expected increment(error)"
    for number, line in enumerate(lines, 1):
        reads = re.search(r"\.(?:template )?(?:get<[^;()]*>\(\)|get_ref<|get_to\()|(?<!values)\.at\(\"", line)
        if not reads or GUARD.search("\n".join(lines[max(0, number - 6) : number])):
            continue
        if not (example and OWN_JSON.search(line)):
            yield number, line.strip(), "reads JSON unchecked; expected json_at, json_as or json_or"


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    bad = 0
    for path in sorted([*root.glob("include/**/*.*"), *root.glob("examples/**/*.?pp")]):
        if path.suffix not in (".hpp", ".cpp", ".cuh"):
            continue
        name = path.relative_to(root).as_posix()
        pattern = ALLOWED.get(name, ("(?!)",))[0]
        text = path.read_text(encoding="utf-8")
        for number, what, why in violations(name, text, name.startswith("examples/")):
            if not re.search(pattern, what) and not re.search(pattern, text.split("\n")[number - 1]):
                print(f"{name}:{number}: {why}")
                bad += 1
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
