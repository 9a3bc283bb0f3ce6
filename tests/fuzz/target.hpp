// What is fuzzed: a reader of untrusted bytes, and valid inputs to start from.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fuzz {

// `run` may throw graft::Error and nothing else. `seeds` are inputs that it accepts.
struct Target {
  std::string name;
  void (*run)(std::string_view bytes);
  std::vector<std::string> (*seeds)();
};

// The target of that name; exits with a list of all where there is none.
Target const& target(std::string const& name);
std::vector<Target> const& targets();

// Of the three sources.
std::vector<Target> file_targets();
std::vector<Target> tokenizer_targets();
std::vector<Target> model_targets();

// Several files in one input: each as a byte (which file), the length in four bytes, and the contents; what is cut off
// is simply not there.
struct Part {
  unsigned which = 0;
  std::string bytes;
};
std::string join(std::vector<Part> const& parts);
std::vector<Part> split(std::string_view bytes);

// A folder of this process, in memory where the system has such a place; removed at the end.
std::filesystem::path const& scratch();
std::filesystem::path put(std::filesystem::path const& path, std::string_view bytes);

}  // namespace fuzz
