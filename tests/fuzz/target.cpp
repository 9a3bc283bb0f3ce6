#include "target.hpp"

#include <stdlib.h>

#include <cstdio>
#include <fstream>
#include <memory>

namespace fuzz {

std::vector<Target> const& targets() {
  static std::vector<Target> const all = [] {
    std::vector<Target> joined;
    for (auto const& some : {file_targets(), tokenizer_targets(), model_targets()})
      joined.insert(joined.end(), some.begin(), some.end());
    return joined;
  }();
  return all;
}

Target const& target(std::string const& name) {
  for (auto const& one : targets())
    if (one.name == name) return one;
  std::fprintf(stderr, "no target '%s'; there are:", name.c_str());
  for (auto const& one : targets()) std::fprintf(stderr, " %s", one.name.c_str());
  std::fprintf(stderr, "\n");
  std::exit(2);
}

std::string join(std::vector<Part> const& parts) {
  std::string out;
  for (auto const& part : parts) {
    out += static_cast<char>(part.which);
    for (int i = 0; i < 4; ++i) out += static_cast<char>(static_cast<unsigned char>(part.bytes.size() >> (8 * i)));
    out += part.bytes;
  }
  return out;
}

std::vector<Part> split(std::string_view bytes) {
  std::vector<Part> parts;
  while (bytes.size() >= 5 && parts.size() < 8) {
    std::size_t length = 0;
    for (std::size_t i = 0; i < 4; ++i)
      length |= static_cast<std::size_t>(static_cast<unsigned char>(bytes[1 + i])) << (8 * i);
    parts.push_back({static_cast<unsigned char>(bytes[0]), std::string(bytes.substr(5, length))});
    bytes.remove_prefix(std::min(bytes.size(), 5 + length));
  }
  return parts;
}

namespace {

struct Folder {
  std::filesystem::path path;
  Folder() {
    std::error_code missing;
    std::filesystem::path const memory = "/dev/shm";
    std::string pattern =
        ((std::filesystem::is_directory(memory, missing) ? memory : std::filesystem::temp_directory_path()) /
         "graft-fuzz-XXXXXX")
            .string();
    if (::mkdtemp(pattern.data()) == nullptr) std::abort();
    path = pattern;
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
};

}  // namespace

std::filesystem::path const& scratch() {
  static Folder const folder;
  return folder.path;
}

std::filesystem::path put(std::filesystem::path const& path, std::string_view bytes) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary | std::ios::trunc)
      .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  return path;
}

}  // namespace fuzz
