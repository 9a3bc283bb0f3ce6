/// @file
/// @brief The papers' settings under their names.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include <graft/train/training.hpp>

namespace graft {

/// How a paper trained on one task.
struct Recipe {
  std::string_view name, task, source;
  Index prefix_length = 10;  ///< virtual tokens
  Training training;
};

/// Lester, Al-Rfou & Constant (2021), "The Power of Scale for Parameter-Efficient Prompt Tuning", section 3: Adafactor
/// with a constant learning rate of 0.3, decay 0.8 and no parameter scaling, weight decay 1e-5, 30,000 steps of 32
/// examples, prompts of 100 tokens.
[[nodiscard]] inline Recipe prompt_tuning_recipe() {
  Training t;
  t.steps = 30000, t.batch = 32, t.learning_rate = 0.3, t.weight_decay = 1e-5, t.clip = 0, t.max_source = 512;
  t.schedule = Schedule::constant, t.optimizer = OptimizerKind::adafactor;
  return {"lester", "SuperGLUE: prompt tuning", "Lester et al. 2021 (arXiv:2104.08691)", 100, t};
}

/// Li & Liang (2021), "Prefix-Tuning: Optimizing Continuous Prompts for Generation", the table of hyperparameters in
/// its appendix: AdamW with a linear schedule; "default" is where their search starts. XSUM's articles are cut to 512
/// tokens, as theirs. And that of prompt tuning.
[[nodiscard]] inline std::array<Recipe, 6> recipes() {
  std::string_view const paper = "Li & Liang 2021 (arXiv:2101.00190)";
  auto const training = [](Index epochs, double learning_rate, Index batch, Index max_source = 0) {
    Training t;
    t.epochs = epochs, t.learning_rate = learning_rate, t.batch = batch, t.max_source = max_source;
    return t;
  };
  return {{{"default", "table to text", paper, 10, training(10, 5e-5, 5)},
           {"e2e", "table to text: E2E", paper, 5, training(5, 8e-5, 10)},
           {"webnlg", "table to text: WebNLG", paper, 5, training(5, 5e-5, 5)},
           {"dart", "table to text: DART", paper, 10, training(10, 5e-5, 5)},
           {"xsum", "summarization: XSUM", paper, 100, training(30, 5e-5, 14, 512)},
           prompt_tuning_recipe()}};
}

/// The recipe of that name. @throws ConfigError naming those there are
[[nodiscard]] inline Recipe recipe(std::string_view name) {
  std::string names;
  for (auto const& known : recipes()) {
    if (known.name == name) return known;
    names += (names.empty() ? "" : ", ") + std::string(known.name);
  }
  fail<ConfigError>("[recipe] got '", name, "'; expected one of ", names);
}

}  // namespace graft
