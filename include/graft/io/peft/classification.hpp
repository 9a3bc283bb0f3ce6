/// @file
/// @brief Adapters of classifiers as PEFT writes them: a strategy and the trained head beside it (`modules_to_save`).
#pragma once

#include <string>
#include <tuple>

#include <graft/adaptation/classification_head.hpp>
#include <graft/adaptation/compose.hpp>
#include <graft/io/peft/format.hpp>

namespace graft {

/// The head's tensors are base_model.classifier.… beside a soft prompt and base_model.model.classifier.…
/// beside others. Their rows say how many classes there are.
template <class Adaptation>
requires HasPeftFormat<Adaptation> struct PeftFormat<Composed<Adaptation, ClassificationHead>> {
  using Settings = Composed<Adaptation, ClassificationHead>;
  static constexpr char const* type = PeftFormat<Adaptation>::type;

  [[nodiscard]] static std::string tensor_name(std::string const& name) {
    std::string const prefix = PeftFormat<Adaptation>::tensor_prefix;
    if (name.starts_with("0.")) return detail::peft_name<Adaptation>(name.substr(2));
    return (prefix.empty() ? "base_model." : prefix) + name.substr(2);
  }
  [[nodiscard]] static bool can_express(Settings const& settings, ModelInfo const& model) {
    return model.classifies && PeftFormat<Adaptation>::can_express(std::get<0>(settings.parts), model);
  }
  template <class State>
  [[nodiscard]] static nlohmann::json config(Settings const& settings, State& state, ModelInfo const& model) {
    auto config = PeftFormat<Adaptation>::config(std::get<0>(settings.parts), state.template part<0>(), model);
    config.update({{"task_type", "SEQ_CLS"}, {"modules_to_save", {"classifier", "score"}}});
    return config;
  }
  [[nodiscard]] static Settings settings(AdapterFolder const& folder) {
    ClassificationHead head;
    SafetensorsFile const file = folder.tensors();
    for (auto const& entry : file.entries())
      if ((entry.name.ends_with("classifier.weight") || entry.name.ends_with("classifier.out_proj.weight")) &&
          !entry.shape.empty())
        head.labels = entry.shape[0];
    if (head.labels < 1)
      fail<FileError>(
          "[", folder.tensors_path(),
          "] holds no classifier; expected the tensor base_model.….classifier.weight; hint: modules_to_save names it");
    return {{PeftFormat<Adaptation>::settings(folder), head}};
  }
  static void check(AdapterFolder const& folder, ModelInfo const& model) {
    if (!model.classifies)
      fail<FileError>("[", folder.config_path,
                      "] is an adapter of a classifier; expected one of a language model, for this ",
                      model.architecture, " model");
    PeftFormat<Adaptation>::check(folder, model);
  }
};

}  // namespace graft
