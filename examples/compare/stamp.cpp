#include "stamp.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <string_view>
#include <system_error>
#include <tuple>

#include <graft/core/checksum.hpp>
#include <graft/io/gguf_parts.hpp>
#include <graft/io/mapped_file.hpp>

namespace compare {

namespace {

/// What a file holds: its size and the checksum of its bytes. Times of change tell nothing: an archive or a copy gives
/// them to other bytes. A file is read once a run, as long as it looks the same.
Json content(std::filesystem::path const& path) {
  using Look = std::tuple<std::uintmax_t, std::int64_t>;
  static std::map<std::filesystem::path, std::pair<Look, Json>> known;
  std::error_code error;
  Look const look{std::filesystem::file_size(path, error),
                  static_cast<std::int64_t>(std::filesystem::last_write_time(path, error).time_since_epoch().count())};
  if (auto const found = known.find(path); found != known.end() && found->second.first == look)
    return found->second.second;
  auto const file = graft::MappedFile::open(path);
  Json result{{"bytes", file->size()}, {"checksum", graft::checksum(file->data(), file->size())}};
  known[path] = {look, result};
  return result;
}

/// Whether a file of a model's folder decides nothing: what is hidden, prose, and weights in forms that are not read.
bool is_unread(std::string const& name) {
  static constexpr std::array<std::string_view, 8> endings{".md",   ".bin", ".h5", ".msgpack",
                                                           ".onnx", ".ot",  ".pt", ".pth"};
  return name.starts_with(".") ||
         std::any_of(endings.begin(), endings.end(), [&](auto ending) { return name.ends_with(ending); });
}

/// The contents of a file, of all parts of a model in several, or of the files of a folder; null where there is none.
Json contents(std::filesystem::path const& path) {
  std::error_code error;
  if (path.empty() || !std::filesystem::exists(path, error)) return nullptr;
  std::map<std::string, Json> files;
  if (!std::filesystem::is_directory(path, error)) {
    for (std::filesystem::path const part : graft::gguf_parts(path.string()))
      files.emplace(part.filename().string(), content(part));
    return files;
  }
  for (std::filesystem::directory_iterator entry(path, error), end; !error && entry != end; entry.increment(error)) {
    std::string const name = entry->path().filename().string();
    std::error_code unknown;
    if (entry->is_regular_file(unknown) && !is_unread(name)) files.emplace(name, content(entry->path()));
  }
  return files;
}

}  // namespace

Json files_of(Task const& task) {
  Json tests = Json::array();
  for (auto const& test : task.tests) tests.push_back(contents(test.file));
  return {{"model", contents(task.model)},
          {"data", contents(task.data)},
          {"validation", contents(task.validation)},
          {"tests", tests},
          {"program", contents("/proc/self/exe")}};
}

Json stamp_of(Request const& request) { return {{"request", to_json(request)}, {"files", files_of(request.task)}}; }

}  // namespace compare
