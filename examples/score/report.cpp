#include "score/report.hpp"

#include <array>
#include <cstdio>
#include <graft/text/printable.hpp>
#include <map>
#include <span>
#include <utility>

namespace scoring {
namespace {

using Json = nlohmann::ordered_json;

template <class... Values>
std::string line(char const* form, Values... values) {
  std::array<char, 256> text{};
  std::snprintf(text.data(), text.size(), form, values...);
  return text.data();
}

}  // namespace

Json report(Measured const& measured, graft::BootstrapOptions const& options) {
  Json result;
  for (auto const& [key, metric] : measured.metrics) result[key] = metric.score();
  if (options.resamples > 0) {
    result["intervals"] = Json::object();
    for (auto const& [key, metric] : measured.metrics) {
      graft::Interval const interval = metric.interval(options);
      result["intervals"][key] = {interval.low, interval.high};
    }
    result["confidence"] = options.confidence;
    result["resamples"] = options.resamples;
  }
  result["items"] = measured.metrics.empty() ? std::size_t{0} : measured.metrics[0].metric.statistics.items();
  if (!measured.left_out.empty()) {
    result["left_out"] = Json::object();
    for (auto const& [key, why] : measured.left_out) result["left_out"][key] = why;
  }
  return result;
}

Json comparison(Measured const& first, Measured const& second, graft::BootstrapOptions const& options) {
  Json result;
  for (std::size_t i = 0; i < first.metrics.size(); ++i) {
    auto const& [key, metric] = first.metrics[i];
    auto const& other = second.metrics[i].metric;
    result[key]["score"] = other.score();
    if (options.resamples == 0) {
      result[key]["difference"] = metric.score() - other.score();
      continue;
    }
    graft::PairedDifference const paired = metric.compared_with(other, options);
    result[key]["difference"] = paired.difference;
    result[key]["interval"] = {paired.interval.low, paired.interval.high};
    result[key]["p"] = paired.p;
  }
  return result;
}

Json by_domain(Measured const& measured, std::vector<std::string> const& domains) {
  std::map<std::string, std::vector<std::size_t>> items;
  for (std::size_t i = 0; i < domains.size(); ++i) items[domains[i]].push_back(i);
  Json result;
  for (auto const& [domain, chosen] : items) {
    result[domain]["items"] = chosen.size();
    for (auto const& [key, metric] : measured.metrics)
      result[domain][key] = metric.score(std::span<std::size_t const>(chosen));
  }
  return result;
}

std::string as_text(Json const& report, Measured const& measured) {
  std::string text;
  bool const intervals = report.contains("intervals");
  for (auto const& [key, metric] : measured.metrics) {
    text += line("%-17s %8.4f", key.c_str(), report[key].get<double>());
    if (intervals)
      text += line("   %g %% in [%.4f, %.4f]", 100 * report["confidence"].get<double>(),
                   report["intervals"][key][0].get<double>(), report["intervals"][key][1].get<double>());
    if (report.contains("against")) {
      auto const& other = report["against"][key];
      text += line("   other %.4f, difference %+.4f", other["score"].get<double>(), other["difference"].get<double>());
      if (other.contains("p"))
        text += line(" in [%+.4f, %+.4f], p %.4f", other["interval"][0].get<double>(),
                     other["interval"][1].get<double>(), other["p"].get<double>());
    }
    text += "\n";
  }
  if (report.contains("domains"))
    for (auto const& [domain, scores] : report["domains"].items()) {
      text += "\n" + graft::printable(domain) + ", " + std::to_string(scores["items"].get<std::size_t>()) + " items\n";
      for (auto const& [key, metric] : measured.metrics)
        text += line("  %-15s %8.4f\n", key.c_str(), scores[key].get<double>());
    }
  for (auto const& [key, why] : measured.left_out) text += key + " left out: " + why + "\n";
  return text;
}

}  // namespace scoring
