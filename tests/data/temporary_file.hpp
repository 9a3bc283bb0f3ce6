// A file that lasts as long as the test needs it.
#pragma once

#include <unistd.h>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

class TemporaryFile {
 public:
  explicit TemporaryFile(std::string_view content, std::string const& extension = ".txt") {
    static std::atomic<int> count{0};
    path_ = std::filesystem::temp_directory_path() /
            ("graft_test_" + std::to_string(::getpid()) + "_" + std::to_string(count++) + extension);
    std::ofstream(path_, std::ios::binary) << content;
  }
  TemporaryFile(TemporaryFile const&) = delete;
  TemporaryFile& operator=(TemporaryFile const&) = delete;
  ~TemporaryFile() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
  [[nodiscard]] std::filesystem::path const& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// The message of the `Error` that `f` throws, or "nothing thrown".
template <class Error, class F>
std::string message_of(F const& f) {
  try {
    f();
  } catch (Error const& error) {
    return error.what();
  }
  return "nothing thrown";
}
