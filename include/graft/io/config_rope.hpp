/// @file
/// @brief Rotary positions of a configuration: base and scaling, in the old and the new spelling.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include <graft/core/warning.hpp>
#include <graft/io/config_reader.hpp>
#include <graft/ops/rotary.hpp>

namespace graft::detail {

/// The rotary parameters that transformers would compute with: `rope_scaling` where it is not null or empty, else
/// `rope_parameters`;
/// a top-level `rope_theta` or `partial_rotary_factor` counts where that object has none, a top-level
/// `original_max_position_embeddings` always (convert_rope_params_to_dict and standardize_rope_params in
/// modeling_rope_utils).
[[nodiscard]] inline nlohmann::json rope_parameters(ConfigReader const& config) {
  nlohmann::json rope = nlohmann::json::object();
  for (char const* key : {"rope_parameters", "rope_scaling"}) {
    if (!config.present(key)) continue;
    auto const& value = config.json.at(key);
    if (!value.is_object())
      fail<FileError>("[", config.where, "] has ", key, " that are no object; got ", json_excerpt(value),
                      "; expected {…}");
    if (!value.empty()) rope = value;
  }
  for (char const* key : {"rope_theta", "partial_rotary_factor"})
    if (config.json.contains(key) && !rope.contains(key)) rope[key] = config.json.at(key);
  if (!rope.contains("rope_type")) rope["rope_type"] = rope.contains("type") ? rope.at("type") : "default";
  if (config.json.contains("original_max_position_embeddings"))
    rope["original_max_position_embeddings"] = config.json.at("original_max_position_embeddings");
  else if (!rope.contains("original_max_position_embeddings"))
    rope["original_max_position_embeddings"] = config.json.value("max_position_embeddings", nlohmann::json(2048));
  return rope;
}

/// Refuses parameters that `type` does not have where they are objects (a layer's own parameters), and says others.
inline void check_rope_keys(ConfigReader const& rope, std::string const& type) {
  static constexpr std::array known{"rope_type",
                                    "type",
                                    "rope_theta",
                                    "factor",
                                    "original_max_position_embeddings",
                                    "partial_rotary_factor",
                                    "low_freq_factor",
                                    "high_freq_factor"};
  std::string unknown;
  for (auto const& [key, value] : rope.json.items()) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    if (value.is_object())
      fail<FileError>("[", rope.where, "] has rotary parameters of ", printable(key),
                      " by themselves; expected one set for all layers");
    unknown += (unknown.empty() ? "" : ", ") + printable(key);
  }
  if (!unknown.empty())
    warn("[", rope.where, "] gives rotary positions of type ", printable(type),
         " keys that have no effect on them: ", unknown);
}

/// Inverse frequencies after the scaling that the configuration asks for: none, linear, llama3, or dynamic (which
/// leaves rows of up to
/// max_position_embeddings tokens alone, and longer ones are refused).
[[nodiscard]] inline std::vector<double> inverse_frequencies(ConfigReader const& config, Index head_dim) {
  nlohmann::json const parameters = rope_parameters(config);
  ConfigReader const rope{config.where, parameters};
  std::string const type = json_at<std::string>(rope.where, rope.json, "rope_type");
  auto const positive = [&](char const* key) {
    if (!rope.json.contains(key))
      fail<FileError>("[", rope.where, "] asks for rotary scaling of the rope_type ", printable(type), " without its ",
                      key, "; expected a number");
    double const value = json_at<double>(rope.where, rope.json, key);
    if (!(value > 0 && std::isfinite(value)))
      fail<FileError>("[", rope.where, "] has the rotary ", key, " ", value, "; expected more than 0");
    return value;
  };
  double const theta = rope.get<double>("rope_theta", 10000.0);
  if (!(theta > 1 && std::isfinite(theta)))
    fail<FileError>("[", rope.where, "] has rope_theta ", theta, "; expected more than 1");
  if (rope.present("partial_rotary_factor") && rope.get<double>("partial_rotary_factor", 1.0) != 1.0)
    fail<FileError>("[", rope.where, "] rotates only a part of each head; expected partial_rotary_factor 1");
  std::vector<double> frequencies = rotary_frequencies(head_dim, theta);
  if (type == "linear") {
    double const factor = positive("factor");
    for (double& f : frequencies) f /= factor;
  } else if (type == "dynamic") {
    static_cast<void>(positive("factor"));
  } else if (type == "llama3") {
    double const factor = positive("factor"), low = positive("low_freq_factor"), high = positive("high_freq_factor");
    if (low == high)
      fail<FileError>("[", rope.where, "] has the rotary low_freq_factor ", low,
                      " and an equal high_freq_factor; expected a larger one");
    double const trained = static_cast<double>(rope.size("original_max_position_embeddings"));
    for (double& f : frequencies) {
      double const wavelength = 6.283185307179586 / f, smooth = (trained / wavelength - low) / (high - low);
      if (wavelength > trained / low)
        f /= factor;
      else if (wavelength >= trained / high)
        f = (1 - smooth) * f / factor + smooth * f;
    }
  } else if (type != "default") {
    fail<FileError>("[", config.where, "] asks for rotary scaling of the rope_type ", printable(type),
                    "; expected default, linear, dynamic or llama3");
  }
  check_rope_keys(rope, type);
  return frequencies;
}

}  // namespace graft::detail
