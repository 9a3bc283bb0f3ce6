/// @file
/// @brief Which modules a PEFT configuration means by target_modules, exclude_modules, layers_to_transform and
/// layers_pattern.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <graft/adaptation/module_names.hpp>
#include <graft/io/peft/keys.hpp>
#include <graft/io/peft/name_pattern.hpp>

namespace graft::detail {

/// Whether `target_modules` is the word for all linear maps but the head.
[[nodiscard]] inline bool means_all_linear(nlohmann::json const& value) {
  if (!value.is_string()) return false;
  std::string text = value.get<std::string>();
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text == "all-linear";
}

/// Refuses a `target_modules` that names nothing, for which PEFT finds no module to adapt.
inline void refuse_no_targets(AdapterFolder const& folder) {
  auto const found = folder.config.find("target_modules");
  if (found == folder.config.end()) return;
  bool const none =
      (found->is_array() && found->empty()) || (found->is_string() && found->get_ref<std::string const&>().empty());
  if (none)
    fail<FileError>("[", folder.config_path, "] has a target_modules that names nothing, which PEFT refuses; got ",
                    json_excerpt(*found),
                    "; expected names of modules or an expression; hint: null leaves the choice to PEFT");
}

/// A key that holds names, one of which a module ends with, or in place of a list a regular expression for whole names.
class NamesOrPattern {
 public:
  NamesOrPattern(AdapterFolder const& folder, char const* key) {
    auto const found = folder.config.find(key);
    if (found == folder.config.end() || found->is_null()) return;
    if (!found->is_string()) {
      names_ = json_at<std::vector<std::string>>(folder.config_path, folder.config, key);
      return;
    }
    if (found->empty() || found->get_ref<std::string const&>().empty()) return;
    text_ = found->get<std::string>();
    pattern_ = NamePattern::parse(text_);
  }
  [[nodiscard]] bool is_pattern() const { return !text_.empty(); }
  [[nodiscard]] bool empty() const { return names_.empty() && !is_pattern(); }
  /// Whether it can be told what is meant.
  [[nodiscard]] bool evaluable() const { return !is_pattern() || pattern_; }
  [[nodiscard]] std::string const& text() const { return text_; }
  [[nodiscard]] std::vector<std::string> const& names() const { return names_; }
  [[nodiscard]] bool mean(std::string const& module) const {
    return pattern_ ? pattern_->matches(module) : names_module(names_, module);
  }

 private:
  std::vector<std::string> names_;
  std::string text_;
  std::optional<NamePattern> pattern_;
};

/// Says that a regular expression has what `NamePattern` leaves to Python.
inline void warn_of_pattern(AdapterFolder const& folder, char const* key, NamesOrPattern const& names) {
  if (!names.evaluable())
    warn("[", folder.config_path, "] has a regular expression in ", key, " that is not evaluated here; got ",
         printable(names.text()),
         "; the modules are those that the file has tensors for; hint: look-behind, back references and flags are "
         "Python's alone");
}

/// PEFT's selection (`check_target_module_exists`): by names, or by a regular expression.
class PeftSelection {
 public:
  explicit PeftSelection(AdapterFolder const& folder)
      : folder_(&folder), targets_(folder, "target_modules"), excluded_(folder, "exclude_modules") {
    refuse_no_targets(folder);
    all_linear_ = means_all_linear(folder.config.value("target_modules", nlohmann::json()));
    auto const& where = folder.config_path;
    if (is_set(folder.config, "layers_pattern")) {
      auto const& patterns = folder.config.at("layers_pattern");
      patterns_ = patterns.is_string() ? std::vector<std::string>{patterns.get<std::string>()}
                                       : json_at<std::vector<std::string>>(where, folder.config, "layers_pattern");
    }
    if (is_set(folder.config, "layers_to_transform")) {
      auto const& layers = folder.config.at("layers_to_transform");
      layers_ = layers.is_number()
                    ? std::vector<std::int64_t>{json_at<std::int64_t>(where, folder.config, "layers_to_transform")}
                    : json_at<std::vector<std::int64_t>>(where, folder.config, "layers_to_transform");
    }
    if (targets_.is_pattern() && (!layers_.empty() || !patterns_.empty()))
      fail<FileError>("[", where, "] has ", layers_.empty() ? "layers_pattern" : "layers_to_transform",
                      " beside a target_modules that is one string, which PEFT refuses; got ",
                      printable(targets_.text()), "; expected a list of names, or the layers in the expression");
    if (layers_.empty() && !patterns_.empty())
      fail<FileError>("[", where, "] has a layers_pattern without layers_to_transform, which PEFT refuses; got ",
                      patterns_.size(), "; expected both or neither");
  }

  /// Refuses names and layers that mean nothing in this model, and a file whose modules are others than those that
  /// are meant.
  /// @param held names of the modules that the file has matrices for
  /// @param chosen_by_file whether the settings' modules are those of the file, so that they are held against the names
  /// here
  void check(std::vector<std::string> const& held, ModelInfo const& model, bool chosen_by_file = false) const {
    check_names(model);
    if (!all_linear_) warn_of_pattern(*folder_, "target_modules", targets_);
    warn_of_pattern(*folder_, "exclude_modules", excluded_);
    if (!(selects() || chosen_by_file) || !evaluable()) return;  // else the tensors are held against the targets alone
    for (auto const& module : held)
      if (!means(module, model))
        fail<FileError>("[", folder_->config_path, "] does not belong to its tensors; got matrices of ",
                        printable(module),
                        ", which target_modules, exclude_modules and layers_to_transform leave out; expected the "
                        "modules that they mean");
    for (auto const& site : model.sites)
      if (site.role == Role::weight && means(site.name, model) &&
          std::find(held.begin(), held.end(), site.name) == held.end())
        fail<FileError>("[", folder_->config_path, "] does not belong to its tensors; got none of ", site.name,
                        ", which target_modules means; expected its matrices");
  }

 private:
  [[nodiscard]] bool evaluable() const {
    bool const plain = std::all_of(patterns_.begin(), patterns_.end(),
                                   [](auto const& pattern) { return layer_pattern(pattern).has_value(); });
    return (all_linear_ || (!targets_.empty() && targets_.evaluable())) && excluded_.evaluable() && plain;
  }
  /// Whether more than names of targets decides.
  [[nodiscard]] bool selects() const { return targets_.is_pattern() || !excluded_.empty() || !layers_.empty(); }
  void check_names(ModelInfo const& model) const {
    for (auto const& target : targets_.names())
      if (!names_linear_map(target, model)) {
        auto const refused = refused_target(target, model);
        fail<FileError>("[", folder_->config_path, "] has the target ", printable(target), ", ", refused.is,
                        " of this ", model.architecture, " model; expected some of ", module_choices(model),
                        refused.hint);
      }
    for (auto const& name : excluded_.names())
      if (std::none_of(model.sites.begin(), model.sites.end(),
                       [&](SiteInfo const& site) { return names_module(name, site.name); }))
        warn("[", folder_->config_path, "] excludes a module that this ", model.architecture,
             " model does not have; got ", printable(name), " in exclude_modules; it is passed over");
    for (auto const layer : layers_)
      if (layer < 0 || layer >= model.input().layers)
        fail<FileError>("[", folder_->config_path,
                        "] has a layer in layers_to_transform that the model does not have; got ", layer,
                        "; expected 0 to ", model.input().layers - 1);
  }
  [[nodiscard]] bool means(std::string const& module, ModelInfo const& model) const {
    if (excluded_.mean(module)) return false;
    if (all_linear_)
      return std::any_of(model.sites.begin(), model.sites.end(),
                         [&](SiteInfo const& site) { return site.role == Role::weight && site.name == module; });
    if (!targets_.mean(module)) return false;
    auto const& names = targets_.names();
    if (layers_.empty() || std::find(names.begin(), names.end(), module) != names.end())
      return true;  // a whole name counts in any layer
    auto const layer = layer_of(module);
    return layer && std::find(layers_.begin(), layers_.end(), *layer) != layers_.end();
  }
  /// What stands before the number of a layer: a name behind others, or what a pattern means.
  [[nodiscard]] static std::optional<NamePattern> layer_pattern(std::string const& pattern) {
    if (pattern.find('|') != std::string::npos)
      return std::nullopt;  // PEFT puts it into an expression of its own without a group
    return NamePattern::parse(R"((?:.*\.)?)" + pattern);
  }
  /// The first number behind a name of layers_pattern (or behind any name), as PEFT looks for it.
  [[nodiscard]] std::optional<std::int64_t> layer_of(std::string const& module) const {
    auto const behind = [&](NamePattern const& name) -> std::optional<std::int64_t> {
      for (std::size_t dot = module.find('.'); dot != std::string::npos; dot = module.find('.', dot + 1)) {
        std::size_t const end = module.find('.', dot + 1), size = end == std::string::npos ? 0 : end - dot - 1;
        bool const digits =
            size > 0 && size < 10 &&
            std::all_of(
                module.begin() + static_cast<std::ptrdiff_t>(dot) + 1,
                module.begin() + static_cast<std::ptrdiff_t>(end), [](char c) { return c >= '0' && c <= '9'; });
        if (!digits || !name.matches(std::string_view(module).substr(0, dot))) continue;
        std::int64_t value = 0;
        std::from_chars(module.data() + dot + 1, module.data() + end, value);
        return value;
      }
      return std::nullopt;
    };
    if (patterns_.empty()) return behind(*NamePattern::parse(R"(.*\.[^.]*)"));
    for (auto const& pattern : patterns_)
      if (auto const layer = behind(*layer_pattern(pattern))) return layer;
    return std::nullopt;
  }

  AdapterFolder const* folder_;
  NamesOrPattern targets_, excluded_;
  bool all_linear_ = false;
  std::vector<std::string> patterns_;
  std::vector<std::int64_t> layers_;
};

}  // namespace graft::detail
