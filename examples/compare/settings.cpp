#include "settings.hpp"

#include <system_error>

#include <graft/io/json.hpp>

namespace compare {

namespace {

template <class Self, class Visitor>
void visit(Self& task, Visitor const& visitor) {
  visitor("model", task.model), visitor("data", task.data), visitor("test", task.test);
  visitor("training_rows", task.training_rows), visitor("validation_rows", task.validation_rows),
      visitor("test_sources", task.test_sources);
  visitor("epochs", task.epochs), visitor("steps", task.steps), visitor("batch", task.batch), visitor("max_new", task.max_new),
      visitor("shots", task.shots);
  visitor("max_target", task.max_target), visitor("seed", task.seed), visitor("recompute", task.recompute);
}

/// Size and time of change of a file, or of the files of a folder; null where there is none.
Json file_stamp(std::filesystem::path const& path) {
  std::error_code error;
  auto const one = [&](std::filesystem::path const& file) {
    return Json{{"name", std::filesystem::weakly_canonical(file, error).string()},
                {"bytes", std::filesystem::file_size(file, error)},
                {"changed", static_cast<std::int64_t>(std::filesystem::last_write_time(file, error).time_since_epoch().count())}};
  };
  if (!std::filesystem::exists(path, error)) return nullptr;
  if (!std::filesystem::is_directory(path, error)) return one(path);
  std::map<std::string, Json> files;
  for (std::filesystem::directory_iterator entry(path, error), end; !error && entry != end; entry.increment(error))
    if (entry->is_regular_file(error)) files.emplace(entry->path().filename().string(), one(entry->path()));
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
  visit(request.task,
        [&](char const* name, auto& field) { field = graft::json_at<std::remove_reference_t<decltype(field)>>(where, json, name); });
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
