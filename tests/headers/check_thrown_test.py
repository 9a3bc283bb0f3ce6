"""Every rule of check_thrown.py is broken once, and must be reported; what is allowed must not be."""

import pathlib
import subprocess
import sys
import tempfile

BAD = """#pragma once
throw std::runtime_error("x");
int a = std::stoi(text);
bool b = std::filesystem::exists(path);
for (auto const& entry : std::filesystem::directory_iterator(folder, error)) use(entry);
auto c = std::filesystem::file_size(folder / name("x"));
auto d = json.get<int>();
auto e = json.at("key");
auto f = json.template get<std::string>();
fs::rename(from, to);
"""
GOOD = """#pragma once
// throw std::runtime_error in a comment
fail<FileError>("[", path, "] no");
std::error_code error;
bool b = std::filesystem::exists(path / "x", error);
for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) use(*entry);
auto c = json_at<int>(where, json, "key");
auto d = reader.get<int>("key", 3);
if (json.is_string()) use(json.get<std::string>());
"""


def complaints(text):
    with tempfile.TemporaryDirectory() as folder:
        header = pathlib.Path(folder, "include/graft/core/some.hpp")
        header.parent.mkdir(parents=True)
        header.write_text(text)
        script = pathlib.Path(__file__).with_name("check_thrown.py")
        done = subprocess.run([sys.executable, script, folder], capture_output=True, text=True)
        assert done.returncode == (1 if done.stdout else 0) and not done.stderr, done
        return sorted({int(line.split(":")[1]) for line in done.stdout.splitlines()})


assert complaints(GOOD) == [], complaints(GOOD)
assert complaints(BAD) == [2, 3, 4, 5, 6, 7, 8, 9, 10], complaints(BAD)
