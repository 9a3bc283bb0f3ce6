/// @file
/// @brief Several adapters of one strategy on one base, by name; one of them is in use.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <graft/core/error.hpp>

namespace graft {

/// Models that share a base and differ in their adapters alone. Switching costs nothing: no weight is touched.
/// Disabled, all of them are the base, bit for bit. Models of different strategies share a base as well; they are
/// simply several models.
template <class Model>
class AdapterSet {
 public:
  /// Adds an adapter; the first one is in use. @throws ConfigError if the name is taken or the model has another base
  void add(std::string name, Model model) {
    if (contains(name)) fail<ConfigError>("[adapters] got the name ", name, " twice; expected a new one");
    if (!models_.empty() && models_.front().second.base() != model.base())
      fail<ConfigError>("[adapters] got the adapter ", name, " on another base than ", models_.front().first,
                        "; expected one shared base");
    model.enable(enabled_);
    models_.emplace_back(std::move(name), std::move(model));
  }
  /// Takes an adapter out. The one in use stays in use unless it is the one removed; then the first is.
  void remove(std::string const& name) {
    std::size_t const gone = index(name);
    models_.erase(models_.begin() + static_cast<std::ptrdiff_t>(gone));
    if (gone == active_)
      active_ = 0;
    else if (gone < active_)
      --active_;
  }
  /// Puts an adapter in use.
  void use(std::string const& name) { active_ = index(name); }
  /// Takes all adapters out of their models (`false`), or puts them back. It does not change which one is in use.
  void enable(bool on = true) {
    enabled_ = on;
    for (auto& item : models_) item.second.enable(on);
  }
  [[nodiscard]] bool enabled() const { return enabled_; }

  [[nodiscard]] bool contains(std::string const& name) const {
    for (auto const& item : models_)
      if (item.first == name) return true;
    return false;
  }
  /// The names in the order they were added.
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (auto const& item : models_) names.push_back(item.first);
    return names;
  }
  [[nodiscard]] Model& at(std::string const& name) { return models_[index(name)].second; }
  [[nodiscard]] Model const& at(std::string const& name) const { return models_[index(name)].second; }
  /// The model in use. @throws ConfigError without any
  [[nodiscard]] Model& active() {
    if (models_.empty())
      fail<ConfigError>("[adapters] got a request for the adapter in use; expected one to have been added");
    return models_[active_].second;
  }
  /// Its name.
  [[nodiscard]] std::string const& active_name() const {
    if (models_.empty())
      fail<ConfigError>("[adapters] got a request for the adapter in use; expected one to have been added");
    return models_[active_].first;
  }

 private:
  [[nodiscard]] std::size_t index(std::string const& name) const {
    std::string known;
    for (std::size_t i = 0; i < models_.size(); ++i) {
      if (models_[i].first == name) return i;
      known += (i ? ", " : "") + models_[i].first;
    }
    fail<ConfigError>("[adapters] got the name ", name, "; expected ",
                      models_.empty() ? "one that has been added: there is none yet" : "one of: ", known);
  }

  std::vector<std::pair<std::string, Model>> models_;
  std::size_t active_ = 0;
  bool enabled_ = true;
};

}  // namespace graft
