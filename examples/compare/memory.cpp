#include "memory.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <limits>
#include <optional>

#include <graft/io/gguf_parts.hpp>

namespace compare {

namespace {

constexpr double mib = 1024.0 * 1024.0;

/// The first number of a file; nothing where there is none.
std::optional<double> number_in(char const* file) {
  std::ifstream in(file);
  double value = 0;
  return in >> value ? std::optional(value) : std::nullopt;
}

/// What a control group leaves: its limit less what it uses.
std::optional<double> left_by_group(char const* limit_file, char const* use_file) {
  auto const limit = number_in(limit_file), use = number_in(use_file);
  if (!limit || !use) return std::nullopt;
  return std::max(0.0, *limit - *use);
}

}  // namespace

double free_memory_mib() {
  double free = std::numeric_limits<double>::infinity();
  std::ifstream system("/proc/meminfo");
  for (std::string word; system >> word;)
    if (double kib = 0; word == "MemAvailable:" && system >> kib) free = kib / 1024;
  for (auto const& [limit, use] :
       {std::pair("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
        {"/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"}})
    if (auto const left = left_by_group(limit, use)) free = std::min(free, *left / mib);
  return free;
}

void MemoryNeed::add(Strategy const& strategy, double guess_mib, double peak_mib) {
  if (!(guess_mib > 0) || !(peak_mib > 0)) return;
  double& ratio = measured_[strategy.name];
  ratio = std::max(ratio, peak_mib / guess_mib);
  off_ = std::max(off_, ratio);
}

double MemoryNeed::mib(Strategy const& strategy, double guess_mib) const {
  auto const found = measured_.find(strategy.name);
  return guess_mib * (found == measured_.end() ? off_ : found->second);
}

double guessed_mib(double model_bytes, Index trainable) {
  constexpr double for_each_parameter = 4 * 4;  // the number, its gradient, two moments
  return 384 + (model_bytes + for_each_parameter * static_cast<double>(trainable)) / mib;
}

double model_bytes(std::string const& model) {
  std::error_code error;
  double bytes = 0;
  if (!std::filesystem::is_directory(model, error)) {
    for (auto const& part : graft::gguf_parts(model))
      bytes += static_cast<double>(std::filesystem::file_size(part, error));
    return bytes;
  }
  for (std::filesystem::directory_iterator entry(model, error), end; !error && entry != end; entry.increment(error)) {
    std::error_code missing;
    auto const ending = entry->path().extension();
    if ((ending == ".safetensors" || ending == ".gguf") && entry->is_regular_file(missing))
      bytes += static_cast<double>(entry->file_size(missing));
  }
  return bytes;
}

}  // namespace compare
