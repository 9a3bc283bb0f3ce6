/// @file
/// @brief graft's own adapter configuration, for strategies and settings that PEFT has no format for.
///
///     {"architecture": "gpt2", "base_model_name_or_path": …, "graft_format": 1, "graft_type": "infix_tuning",
///      "model": {"head_dim": 64, "heads": 12, "kv_heads": 12, "layers": 12, "vocabulary": 50257, "width": 768},
///      "settings": {"length": 10, …}}
///
/// A composition has, in place of `settings`, `"parts": [{"graft_type": …, "settings": {…}}, …]`. There is no
/// `peft_type`, so that PEFT refuses the folder.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include <nlohmann/json.hpp>

#include <graft/io/adapter_folder.hpp>
#include <graft/io/adapter_tensors.hpp>
#include <graft/io/checked.hpp>
#include <graft/io/settings_json.hpp>
#include <graft/nn/model_info.hpp>

namespace graft::detail {

inline constexpr std::int64_t adapter_format = 1;

/// The dimensions that an adapter depends on.
[[nodiscard]] inline nlohmann::json model_json(ModelInfo const& model) {
  auto const& stack = model.stacks.front();
  nlohmann::json json{{"vocabulary", model.vocabulary}, {"width", model.width},       {"layers", stack.layers},
                      {"heads", stack.heads},           {"kv_heads", stack.kv_heads}, {"head_dim", stack.head_dim}};
  if (model.stacks.size() > 1)
    json.update({{"encoder_layers", model.input().layers},
                 {"encoder_heads", model.input().heads},
                 {"encoder_head_dim", model.input().head_dim}});
  return json;
}

/// `graft_type` and the settings of a strategy, or of a composition's parts.
template <class Adaptation>
[[nodiscard]] nlohmann::json strategy_json(Adaptation const& settings) {
  nlohmann::json config{{"graft_type", Adaptation::name}};
  if constexpr (IsComposed<Adaptation>::value) {
    config["parts"] = nlohmann::json::array();
    std::apply([&](auto const&... part) { (config["parts"].push_back(strategy_json(part)), ...); }, settings.parts);
  } else {
    config["settings"] = settings_json(settings);
  }
  return config;
}

/// Warns of the keys of an object that nobody reads. `key` is the path to it: empty, `model`, `parts.0`.
inline void warn_of_others(JsonPlace const& at, nlohmann::json const& object,
                           std::initializer_list<std::string_view> known) {
  for (auto const& [name, value] : object.items())
    if (std::find(known.begin(), known.end(), std::string_view(name)) == known.end())
      warn("[", at.file, "] has the key ", printable(at.inner(name).key), ", which is unknown here; got ",
           json_excerpt(value), "; it is passed over");
}

/// @param key path to the strategy in the configuration; empty for the whole of it, whose other keys the caller knows
template <class Adaptation>
[[nodiscard]] Adaptation read_strategy(std::string const& where, nlohmann::json const& config,
                                       std::string const& key = {}) {
  JsonPlace const at{where, key};
  std::string const type = json_at<std::string>(where, config, "graft_type");
  if (type != Adaptation::name)
    fail<FileError>("[", where, "] holds the strategy ", printable(type), "; expected ", Adaptation::name);
  if constexpr (IsComposed<Adaptation>::value) {
    Adaptation settings;
    auto const parts = json_at<nlohmann::json>(where, config, "parts");
    constexpr std::size_t count = std::tuple_size_v<decltype(settings.parts)>;
    if (!parts.is_array() || parts.size() != count)
      fail<FileError>("[", where, "] has other parts than this composition; got ", json_excerpt(parts),
                      "; expected an array of ", count);
    std::size_t i = 0;
    auto const place = [&] { return at.inner("parts").inner(std::to_string(i)).key; };
    std::apply(
        [&](auto&... part) {
          ((part = read_strategy<std::remove_reference_t<decltype(part)>>(where, parts[i], place()), ++i), ...);
        },
        settings.parts);
    if (!key.empty()) warn_of_others(at, config, {"graft_type", "parts"});
    return settings;
  } else {
    if (!key.empty()) warn_of_others(at, config, {"graft_type", "settings"});
    return settings_from_json<Adaptation>(where, config.value("settings", nlohmann::json::object()), {},
                                          at.inner("settings").key);
  }
}

/// Settings of a folder in graft's format. @throws FileError for another strategy, a newer format, and values of a
/// wrong kind
template <class Adaptation>
[[nodiscard]] Adaptation read_graft_settings(AdapterFolder const& folder) {
  auto const version = json_or<std::int64_t>(folder.config_path, folder.config, "graft_format", adapter_format);
  if (version != adapter_format)
    fail<FileError>("[", folder.config_path, "] has graft_format ", version, "; expected ", adapter_format,
                    "; hint: it was written by another version");
  warn_of_others({folder.config_path, ""}, folder.config,
                 {"architecture", "base_model_name_or_path", "graft_format", "graft_type", "model", "peft_type",
                  IsComposed<Adaptation>::value ? "parts" : "settings"});
  return read_strategy<Adaptation>(folder.config_path, folder.config);
}

/// Refuses an adapter of another architecture or of other dimensions. @throws FileError
inline void check_graft_model(AdapterFolder const& folder, ModelInfo const& model) {
  std::string const architecture = json_at<std::string>(folder.config_path, folder.config, "architecture");
  if (architecture != model.architecture)
    fail<FileError>("[", folder.config_path, "] is an adapter of another model; got the architecture ",
                    printable(architecture), "; expected ", model.architecture);
  auto const saved = json_at<nlohmann::json>(folder.config_path, folder.config, "model"), own = model_json(model);
  if (saved.is_object())
    for (auto const& [key, value] : saved.items())
      if (!own.contains(key)) warn_of_others({folder.config_path, "model"}, {{key, value}}, {});
  for (auto const& [key, value] : own.items()) {
    auto const got = json_at<std::int64_t>(folder.config_path, saved, key);
    if (got != value.get<std::int64_t>())
      fail<FileError>("[", folder.config_path, "] is an adapter of another model; got ", key, " ", got, "; expected ",
                      value.get<std::int64_t>(), " for this ", model.architecture, " model");
  }
}

/// The settings that size a strategy's tensors must each be an extent of some tensor in the file, so that a lying
/// configuration allocates nothing.
class ExtentCheck {
 public:
  ExtentCheck(AdapterFolder const& folder, SafetensorsFile const& file) : folder_(&folder), file_(&file) {
    for (auto const& entry : file.entries()) extents_.insert(entry.shape.begin(), entry.shape.end());
  }
  template <class Settings>
  void check(Settings const& settings) const {
    bool by_share = false;  // an adapter's width may follow from the model's size
    each_setting(settings, [&](char const* name, auto const& field) {
      using Field = std::remove_cvref_t<decltype(field)>;
      std::string const key = name;
      if constexpr (VisitedSettings<Field>) {
        check(field);
      } else if constexpr (std::is_floating_point_v<Field>) {
        by_share = by_share || (key == "share" && field > 0);
        if (key == "share" && !(field <= 1)) refuse(key, field, "at most 1");
      }
    });
    each_setting(settings, [&](char const* name, auto const& field) {
      std::string const key = name;
      if constexpr (std::is_integral_v<std::remove_cvref_t<decltype(field)>>) {
        bool found = extents_.contains(static_cast<std::int64_t>(field));
        if constexpr (requires { settings.submodules; })
          found = found || (key == "length" && has_twice(static_cast<std::int64_t>(field)));
        if ((key == "length" || key == "rank" || (key == "bottleneck" && !by_share)) && !found)
          refuse(key, field, cat("an extent of some tensor in ", file_->path()));
      }
    });
  }

 private:
  /// PEFT holds virtual tokens once for each of an encoder and a decoder.
  [[nodiscard]] bool has_twice(std::int64_t extent) const {
    auto const twice = extent > 0 ? checked_multiply(static_cast<std::uint64_t>(extent), 2) : std::nullopt;
    return twice && *twice <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) &&
           extents_.contains(static_cast<std::int64_t>(*twice));
  }
  template <class T>
  [[noreturn]] void refuse(std::string const& key, T value, std::string const& expected) const {
    fail<FileError>("[", folder_->config_path, "] does not belong to its tensors; got ", key, " ", value, "; expected ",
                    expected);
  }

  AdapterFolder const* folder_;
  SafetensorsFile const* file_;
  std::set<std::int64_t> extents_;
};

}  // namespace graft::detail
