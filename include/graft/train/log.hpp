/// @file
/// @brief The JSONL log of a training: one object a line, flushed as it is written.
#pragma once

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include <graft/core/error.hpp>
#include <graft/io/json.hpp>
#include <graft/train/training.hpp>

namespace graft {

/// Appends lines {"event": "step", "step": …, "loss": …, …}, {"event": "validation", …} and one of "end", "stopped" or "failed".
class TrainingLog {
 public:
  /// Nothing is written for an empty path. A new log replaces an old one; a training that goes on keeps the first `keep` bytes, those of the steps before its
  /// checkpoint, and repeats what came after.
  /// @throws FileError if the file cannot be written
  explicit TrainingLog(std::string const& path, std::uint64_t keep = 0) : path_(path) {
    if (path.empty()) return;
    std::error_code error;
    if (keep > 0 && std::filesystem::file_size(path, error) > keep && !error) std::filesystem::resize_file(path, keep, error);
    file_.reset(std::fopen(path.c_str(), keep > 0 ? "ab" : "wb"));
    if (!file_ || std::fseek(file_.get(), 0, SEEK_END) != 0) refuse();
  }

  void step(StepReport const& report, double tokens_per_second) {
    write({{"event", "step"}, {"step", report.step}, {"epoch", report.epoch}, {"loss", report.loss}, {"learning_rate", report.learning_rate},
           {"gradient_norm", report.gradient_norm}, {"tokens", report.tokens}, {"seconds", report.seconds}, {"tokens_per_second", tokens_per_second}});
  }
  void validation(ValidationReport const& report) {
    write({{"event", "validation"}, {"step", report.step}, {"loss", report.loss}, {"best", report.best}});
  }
  void end(char const* event, Index step, std::string const& message = {}) {
    if (message.empty())
      write({{"event", event}, {"step", step}});
    else
      write({{"event", event}, {"step", step}, {"message", message}});
  }
  /// Bytes written so far.
  [[nodiscard]] std::uint64_t size() const { return file_ ? static_cast<std::uint64_t>(std::ftell(file_.get())) : 0; }

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  /// Fields in their order; an ordered_json would double what every training takes to compile of the library.
  void write(std::initializer_list<std::pair<char const*, nlohmann::json>> fields) {
    if (!file_) return;
    std::string text;
    for (auto const& [name, value] : fields) {
      text += text.empty() ? "{\"" : ",\"";
      text += cat(name, "\":", value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    }
    text += "}\n";
    if (std::fwrite(text.data(), 1, text.size(), file_.get()) != text.size() || std::fflush(file_.get()) != 0) refuse();
  }
  [[noreturn]] void refuse() const { fail<FileError>("[", path_, "] cannot be written; got: ", std::strerror(errno), "; expected room and permission for the training log"); }

  std::string path_;
  std::unique_ptr<std::FILE, Close> file_;
};

}  // namespace graft
