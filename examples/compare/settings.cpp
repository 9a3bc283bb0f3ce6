#include "settings.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <system_error>
#include <tuple>

#include <graft/core/checksum.hpp>
#include <graft/io/gguf_parts.hpp>
#include <graft/io/json.hpp>
#include <graft/io/mapped_file.hpp>

namespace compare {

namespace {

template <class Self, class Visitor>
void visit(Self& task, Visitor const& visitor) {
  visitor("model", task.model), visitor("data", task.data), visitor("test", task.test);
  visitor("training_rows", task.training_rows), visitor("validation_rows", task.validation_rows),
      visitor("test_sources", task.test_sources);
  visitor("epochs", task.epochs), visitor("steps", task.steps), visitor("batch", task.batch),
      visitor("max_new", task.max_new), visitor("shots", task.shots);
  visitor("max_target", task.max_target), visitor("seed", task.seed), visitor("recompute", task.recompute);
}

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
Json file_stamp(std::filesystem::path const& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return nullptr;
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

Json to_json(Request const& request) {
  Json json;
  visit(request.task, [&](char const* name, auto const& field) { json[name] = field; });
  json["max_source"] = request.task.max_source ? Json(*request.task.max_source) : Json();
  json["separator"] = request.task.separator ? Json(*request.task.separator) : Json();
  json["method"] = request.method;
  json["learning_rate"] = request.learning_rate;
  return json;
}

Request request_from_json(std::string const& where, nlohmann::json const& json) {
  Request request;
  visit(request.task, [&](char const* name, auto& field) {
    field = graft::json_at<std::remove_reference_t<decltype(field)>>(where, json, name);
  });
  if (auto const longest = graft::json_at<nlohmann::json>(where, json, "max_source"); !longest.is_null())
    request.task.max_source = graft::json_at<Index>(where, json, "max_source");
  if (auto const separator = graft::json_at<nlohmann::json>(where, json, "separator"); !separator.is_null())
    request.task.separator = graft::json_at<std::string>(where, json, "separator");
  request.method = graft::json_at<std::string>(where, json, "method");
  request.learning_rate = graft::json_at<double>(where, json, "learning_rate");
  return request;
}

Json stamp_of(Request const& request) {
  auto const& task = request.task;
  return {{"request", to_json(request)},
          {"model", file_stamp(task.model)},
          {"data", file_stamp(task.data)},
          {"test", task.test.empty() ? Json() : file_stamp(task.test)},
          {"program", file_stamp("/proc/self/exe")}};
}

}  // namespace compare
