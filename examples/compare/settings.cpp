#include "settings.hpp"

#include <type_traits>

#include <graft/io/json.hpp>
#include <graft/text/printable.hpp>

namespace compare {

namespace {

template <class Self, class Visitor>
void visit_task(Self& task, Visitor const& visitor) {
  visitor("model", task.model), visitor("data", task.data), visitor("validation", task.validation);
  visitor("training_rows", task.training_rows), visitor("validation_rows", task.validation_rows),
      visitor("test_sources", task.test_sources);
  visitor("epochs", task.epochs), visitor("steps", task.steps), visitor("batch", task.batch),
      visitor("max_new", task.max_new), visitor("shots", task.shots);
  visitor("max_target", task.max_target), visitor("split_seed", task.split_seed), visitor("recompute", task.recompute);
}

/// Pairs of texts, as arrays of two: they keep their order and may repeat.
using Pairs = std::vector<std::vector<std::string>>;

Pairs pairs_at(std::string const& where, nlohmann::json const& json, char const* key) {
  auto pairs = graft::json_at<Pairs>(where, json, key);
  for (auto const& pair : pairs)
    if (pair.size() != 2)
      graft::fail<graft::FileError>("[", where, "] has ", pair.size(), " texts in an entry of ", key, "; expected two");
  return pairs;
}

/// Reports of earlier builds do not say it: they are of the host.
graft::any::Placement placement_at(std::string const& where, nlohmann::json const& json) {
  using graft::any::DeviceKind, graft::any::NumberKind;
  std::string const device = graft::json_or<std::string>(where, json, "device", "cpu"),
                    numbers = graft::json_or<std::string>(where, json, "dtype", "fp32");
  graft::any::Placement const placement{device == "cuda" ? DeviceKind::cuda : DeviceKind::cpu,
                                        numbers == "bf16" ? NumberKind::bf16 : NumberKind::fp32};
  if (to_string(placement.device) != device || to_string(placement.numbers) != numbers)
    graft::fail<graft::FileError>("[", where, "] has the device ", graft::printable(device), " and the dtype ",
                                  graft::printable(numbers), "; expected cpu or cuda, and fp32 or bf16");
  return placement;
}

}  // namespace

Json to_json(Task const& task) {
  Json json, tests = Json::array();
  visit_task(task, [&](char const* name, auto const& field) { json[name] = field; });
  support::DataReading::visit(task.reading, [&](char const* name, auto const& field) { json[name] = field; });
  for (auto const& test : task.tests) tests.push_back({test.name, test.file});
  json["tests"] = tests;
  if (task.share_sources) json["share_sources"] = true;  // left out where earlier builds lack it: the same request
  json["max_source"] = task.max_source ? Json(*task.max_source) : Json();
  json["separator"] = task.separator ? Json(*task.separator) : Json();
  json["device"] = to_string(task.placement.device), json["dtype"] = to_string(task.placement.numbers);
  return json;
}

Task task_from_json(std::string const& where, nlohmann::json const& json) {
  Task task;
  visit_task(task, [&](char const* name, auto& field) {
    field = graft::json_at<std::remove_reference_t<decltype(field)>>(where, json, name);
  });
  support::DataReading::visit(task.reading, [&](char const* name, auto& field) {
    field = graft::json_or(where, json, name, field);  // reports of earlier builds have none
  });
  task.share_sources = graft::json_or(where, json, "share_sources", false);
  for (auto const& test : pairs_at(where, json, "tests")) task.tests.push_back({test[0], test[1]});
  if (auto const longest = graft::json_at<nlohmann::json>(where, json, "max_source"); !longest.is_null())
    task.max_source = graft::json_at<Index>(where, json, "max_source");
  if (auto const separator = graft::json_at<nlohmann::json>(where, json, "separator"); !separator.is_null())
    task.separator = graft::json_at<std::string>(where, json, "separator");
  task.placement = placement_at(where, json);
  return task;
}

Json to_json(Strategy const& strategy) {
  Json settings = Json::array();
  for (auto const& [name, value] : strategy.settings) settings.push_back({name, value});
  return {{"method", strategy.name}, {"settings", settings}};
}

Strategy strategy_from_json(std::string const& where, nlohmann::json const& json) {
  Strategy strategy{graft::json_at<std::string>(where, json, "method"), {}};
  for (auto const& pair : pairs_at(where, json, "settings")) strategy.settings.emplace_back(pair[0], pair[1]);
  return strategy;
}

Json to_json(Request const& request) {
  return {{"task", to_json(request.task)},
          {"strategy", to_json(request.strategy)},
          {"learning_rate", request.learning_rate},
          {"seed", request.seed}};
}

Request request_from_json(std::string const& where, nlohmann::json const& json) {
  Request request;
  request.task = task_from_json(where, graft::json_at<nlohmann::json>(where, json, "task"));
  request.strategy = strategy_from_json(where, graft::json_at<nlohmann::json>(where, json, "strategy"));
  request.learning_rate = graft::json_at<double>(where, json, "learning_rate");
  request.seed = graft::json_at<std::uint64_t>(where, json, "seed");
  return request;
}

}  // namespace compare
