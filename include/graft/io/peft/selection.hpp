/// @file
/// @brief Which modules a PEFT configuration means by target_modules, exclude_modules, layers_to_transform and
/// layers_pattern.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <graft/adaptation/module_names.hpp>
#include <graft/io/peft/keys.hpp>

namespace graft::detail {

/// PEFT's selection by lists of names. (A single string is a regular expression in PEFT, which is not evaluated here:
/// then the file alone says which modules it has.)
class PeftSelection {
 public:
  explicit PeftSelection(AdapterFolder const& folder)
      : folder_(&folder),
        targets_(names("target_modules")),
        excluded_(names("exclude_modules")),
        patterns_(names("layers_pattern")) {
    if (folder.config.contains("layers_pattern") && folder.config.at("layers_pattern").is_string())
      patterns_ = std::vector<std::string>{folder.config.at("layers_pattern").get<std::string>()};
    if (!is_set(folder.config, "layers_to_transform")) return;
    auto const& layers = folder.config.at("layers_to_transform");
    layers_ =
        layers.is_number()
            ? std::vector<std::int64_t>{json_at<std::int64_t>(folder.config_path, folder.config, "layers_to_transform")}
            : json_at<std::vector<std::int64_t>>(folder.config_path, folder.config, "layers_to_transform");
  }

  /// Refuses names and layers that mean nothing in this model, and a file whose modules are others than those that
  /// are meant.
  /// @param held names of the modules that the file has matrices for
  void check(std::vector<std::string> const& held, ModelInfo const& model) const {
    check_names(model);
    if (!selects() || !evaluable()) return;  // else the tensors are held against the targets alone
    for (auto const& module : held)
      if (!means(module))
        fail<FileError>("[", folder_->config_path, "] does not belong to its tensors; got matrices of ",
                        printable(module),
                        ", which target_modules, exclude_modules and layers_to_transform leave out; expected the "
                        "modules that they mean");
    for (auto const& site : model.sites)
      if (site.role == Role::weight && means(site.name) && std::find(held.begin(), held.end(), site.name) == held.end())
        fail<FileError>("[", folder_->config_path, "] does not belong to its tensors; got none of ", site.name,
                        ", which target_modules means; expected its matrices");
  }

 private:
  /// A list of names; nothing where the key holds something else.
  [[nodiscard]] std::optional<std::vector<std::string>> names(char const* key) const {
    auto const found = folder_->config.find(key);
    if (found == folder_->config.end() || found->is_null()) return std::vector<std::string>{};
    if (!found->is_array()) return std::nullopt;
    return json_at<std::vector<std::string>>(folder_->config_path, folder_->config, key);
  }
  [[nodiscard]] static bool is_plain(std::string const& name) {
    return name.find_first_of("\\^$*+?{}[]|()") == std::string::npos;
  }
  [[nodiscard]] bool evaluable() const {
    bool const plain = patterns_ && std::all_of(patterns_->begin(), patterns_->end(), is_plain);
    return targets_ && !targets_->empty() && excluded_ && plain;
  }
  /// Whether more than names of targets decides.
  [[nodiscard]] bool selects() const { return (excluded_ && !excluded_->empty()) || !layers_.empty(); }
  void check_names(ModelInfo const& model) const {
    auto const known = [&](std::string const& name, bool linear) {
      return std::any_of(model.sites.begin(), model.sites.end(), [&](SiteInfo const& site) {
        return (!linear || site.role == Role::weight) && names_module(name, site.name);
      });
    };
    if (targets_)
      for (auto const& target : *targets_)
        if (!known(target, true)) {
          auto const refused = refused_target(target, model);
          fail<FileError>("[", folder_->config_path, "] has the target ", printable(target), ", ", refused.is,
                          " of this ", model.architecture, " model; expected some of ", module_choices(model),
                          refused.hint);
        }
    if (excluded_)
      for (auto const& name : *excluded_)
        if (!known(name, false))
          warn("[", folder_->config_path, "] excludes a module that this ", model.architecture,
               " model does not have; got ", printable(name), " in exclude_modules; it is passed over");
    for (auto const layer : layers_)
      if (layer < 0 || layer >= model.input().layers)
        fail<FileError>("[", folder_->config_path,
                        "] has a layer in layers_to_transform that the model does not have; got ", layer,
                        "; expected 0 to ", model.input().layers - 1);
  }
  [[nodiscard]] bool means(std::string const& module) const {
    if (names_module(*excluded_, module) || !names_module(*targets_, module)) return false;
    if (layers_.empty()) return true;
    auto const layer = layer_of(module);
    return layer && std::find(layers_.begin(), layers_.end(), *layer) != layers_.end();
  }
  /// The number behind the last `NAME.` of those of layers_pattern (or behind any name), as PEFT looks for it.
  [[nodiscard]] std::optional<std::int64_t> layer_of(std::string const& module) const {
    std::vector<std::string> parts(1);
    for (char const c : module) {
      if (c == '.')
        parts.emplace_back();
      else
        parts.back() += c;
    }
    for (std::size_t i = parts.size(); i-- > 3;) {  // a part before the name, and one behind the number
      std::string const& number = parts[i - 1];
      bool const digits =
          !number.empty() && number.size() < 10 && number.find_first_not_of("0123456789") == std::string::npos;
      bool const named =
          patterns_->empty() || std::find(patterns_->begin(), patterns_->end(), parts[i - 2]) != patterns_->end();
      if (!digits || !named) continue;
      std::int64_t value = 0;
      std::from_chars(number.data(), number.data() + number.size(), value);
      return value;
    }
    return std::nullopt;
  }

  AdapterFolder const* folder_;
  std::optional<std::vector<std::string>> targets_, excluded_, patterns_;
  std::vector<std::int64_t> layers_;
};

}  // namespace graft::detail
