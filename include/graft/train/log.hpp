/// @file
/// @brief The JSONL log of a training: one object a line, written as it comes.
#pragma once

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <graft/core/error.hpp>
#include <graft/core/presence.hpp>
#include <graft/core/warning.hpp>
#include <graft/io/json.hpp>
#include <graft/io/mapped_file.hpp>
#include <graft/io/output_path.hpp>
#include <graft/io/path_lock.hpp>
#include <graft/io/quiet_write.hpp>
#include <graft/train/training.hpp>

namespace graft {

/// Appends lines {"event": "step", "step": …, "loss": …, …}, {"event": "validation", …} and one of "end", "stopped",
/// "interrupted" or "failed". A disk that fills up ends no training: a warning says that the log lacks lines.
class TrainingLog {
 public:
  /// Nothing is written for an empty path. A new log replaces an old one; a training that goes on keeps the first
  /// `keep` bytes, those of the steps before its checkpoint, and repeats what came after. A FIFO or a device is written
  /// to. A file is held against other writers (`PathLock`), and must be empty or a log.
  /// @throws FileError if it cannot be written, and for a FIFO that nobody reads
  explicit TrainingLog(std::string const& path, std::uint64_t keep = 0)
      : path_(path), file_(path.empty() ? -1 : open(path)) {
    if (regular_) begin(keep);
  }

  void step(StepReport const& report, double tokens_per_second) {
    write({{"event", "step"},
           {"step", report.step},
           {"epoch", report.epoch},
           {"loss", report.loss},
           {"learning_rate", report.learning_rate},
           {"gradient_norm", report.gradient_norm},
           {"tokens", report.tokens},
           {"seconds", report.seconds},
           {"tokens_per_second", tokens_per_second}});
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
  [[nodiscard]] std::uint64_t size() const { return size_; }

 private:
  [[nodiscard]] int open(std::string const& path) {
    auto const output = detail::output_path(path);
    regular_ = output.kind == detail::OutputKind::file;
    if (regular_ && !is_there(output.path)) hold(output.path);  // before it is there; else its own lock comes first
    int const flags = O_WRONLY | O_CLOEXEC | O_NOCTTY | (regular_ ? O_CREAT : 0);
    std::error_code unknown;
    int const file = output.kind == detail::OutputKind::descriptor    ? ::fcntl(output.descriptor, F_DUPFD_CLOEXEC, 3)
                     : std::filesystem::is_fifo(output.path, unknown) ? open_fifo(output.path)
                                                                      : ::open(output.path.c_str(), flags, 0666);
    if (file < 0) refuse();
    if (output.kind == detail::OutputKind::descriptor && !detail::is_open_for_writing(file)) {
      ::close(file);
      errno = EBADF;
      refuse();
    }
    return file;
  }
  /// Waits some seconds for a reader, not for ever: a signal that ends a training in order would not end the wait.
  [[nodiscard]] int open_fifo(std::filesystem::path const& path) const {
    int file = -1;
    for (int tries = 0; tries < 250; ++tries) {
      file = ::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NONBLOCK);
      if (file >= 0 || errno != ENXIO) break;
      ::usleep(20000);
    }
    if (file < 0 && errno == ENXIO)
      fail<FileError>(
          "[", path_,
          "] is a FIFO that nobody reads; expected a reader within 5 seconds; hint: start the reader first");
    if (file >= 0 && ::fcntl(file, F_SETFL, ::fcntl(file, F_GETFL) & ~O_NONBLOCK) < 0) {
      ::close(file);
      return -1;
    }
    return file;
  }
  /// Against a program that would replace the log. In a folder that cannot be written nobody can.
  void hold(std::filesystem::path const& path) {
    if (::access(detail::folder_of(path).c_str(), W_OK) == 0) lock_.emplace(path);
  }
  void begin(std::uint64_t keep) {
    if (::flock(file_.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno == EWOULDBLOCK)
        fail<FileError>(
            "[", path_,
            "] is being written by another training; expected a log of its own for each; nothing was changed");
      warn("[", path_, "] cannot be locked against a second writer; got: ", std::strerror(errno),
           "; hint: let no other process write there");
    }
    if (!lock_) hold(detail::follow_links(path_));
    struct stat status = {};
    if (::fstat(file_.get(), &status) != 0) refuse();
    if (status.st_size > 0) require_log();
    size_ = std::min(keep, static_cast<std::uint64_t>(status.st_size));
    if (!cut()) refuse();
  }
  /// What is no log is not written over, another program's log of {"event": …} neither. What cannot be read may be one.
  void require_log() const {
    detail::FileDescriptor file(::open(detail::follow_links(path_).c_str(), O_RDONLY | O_CLOEXEC));
    if (file.get() < 0) return;
    std::array<char, 4096> held{};
    auto const got = ::pread(file.get(), held.data(), held.size(), 0);
    if (got >= 0 && !begins_a_log(std::string_view(held.data(), static_cast<std::size_t>(got))))
      fail<FileError>(
          "[", path_,
          "] holds something else than the log of a training; expected a new name or an earlier log; it is unchanged");
  }
  /// Whether a file's first bytes are those of a log: its first line is an event with the keys that `write` gives it. A
  /// line that a full disk has broken off may begin so.
  [[nodiscard]] static bool begins_a_log(std::string_view text) {
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 6> events{
        {{"step", "epoch,event,gradient_norm,learning_rate,loss,seconds,step,tokens,tokens_per_second"},
         {"validation", "best,event,loss,step"},
         {"end", "event,step"},
         {"stopped", "event,step"},
         {"interrupted", "event,step"},
         {"failed", "event,step"}}};
    if (auto const end = text.find('\n'); end != std::string_view::npos) {
      nlohmann::json line;
      try {
        line = parse_json(text.substr(0, end), "log");
      } catch (FileError const&) {
        return false;
      }
      if (!line.is_object() || !line.contains("event") || !line.at("event").is_string()) return false;
      std::string keys;  // sorted; a message may be there or not
      for (auto const& item : line.items())
        if (item.key() != "message") keys += (keys.empty() ? "" : ",") + item.key();
      return std::any_of(events.begin(), events.end(), [&](auto const& event) {
        return line.at("event").template get_ref<std::string const&>() == event.first && keys == event.second;
      });
    }
    return std::any_of(events.begin(), events.end(), [&](auto const& event) {
      std::string const begin = cat("{\"event\":\"", event.first, "\",\"");
      return text.substr(0, begin.size()) == std::string_view(begin).substr(0, text.size());
    });
  }
  /// Back to the end of the last whole line.
  [[nodiscard]] bool cut() const {
    return ::ftruncate(file_.get(), static_cast<off_t>(size_)) == 0 &&
           ::lseek(file_.get(), static_cast<off_t>(size_), SEEK_SET) >= 0;
  }

  /// Fields in their order; an ordered_json would double what every training takes to compile of the library.
  void write(std::initializer_list<std::pair<char const*, nlohmann::json>> fields) {
    if (file_.get() < 0) return;
    std::string text;
    for (auto const& [name, value] : fields) {
      text += text.empty() ? "{\"" : ",\"";
      text += cat(name, "\":", value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    }
    text += "}\n";
    if (detail::write_all(file_.get(), text.data(), text.size())) {
      size_ += text.size();
      return;
    }
    std::string const why = std::strerror(errno);
    if (regular_) static_cast<void>(cut());
    warn("[", path_, "] cannot be written; got: ", why,
         "; expected room and permission for the training log; the training goes on, and the log lacks lines");
  }
  [[noreturn]] void refuse() const {
    fail<FileError>("[", path_, "] cannot be written; got: ", std::strerror(errno),
                    "; expected room and permission for the training log");
  }

  std::string path_;
  std::optional<PathLock> lock_;
  bool regular_ = false;
  std::uint64_t size_ = 0;  ///< of whole lines
  detail::FileDescriptor file_;
};

}  // namespace graft
