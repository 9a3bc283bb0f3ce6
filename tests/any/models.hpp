// Tiny models of random weights of three kinds: GPT-2 (a decoder with biases), BART (encoder and decoder), BERT (a
// classifier).
#pragma once

#include <map>
#include <memory>
#include <string>

#include <graft/any/any_model.hpp>

#include "docs/tiny_model.hpp"

namespace any_models {

/// A folder of its own with the three models, which are loaded once.
class Models : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<graft_test::TemporaryFolder>();
    docs::write_model<graft::Gpt2>(folder_->path() / "gpt2");
    docs::write_model<graft::Bart>(folder_->path() / "bart");
    docs::write_model<graft::Bert>(folder_->path() / "bert");
    for (std::string const name : {"gpt2", "bart", "bert"})
      bases_[name] = graft::any::load_base(folder_->path() / name);
  }
  static void TearDownTestSuite() {
    bases_.clear();
    folder_.reset();
  }
  static graft::any::AnyBase const& base(std::string const& name) { return *bases_.at(name); }
  static graft::ModelInfo const& info(std::string const& name) { return base(name).info(); }
  static std::filesystem::path folder() { return folder_->path(); }

  /// Rows that every kind of model can be trained on.
  static std::vector<graft::TokenizedExample> examples(std::string const& name) {
    if (name == "bert") return {{{5, 6, 7}, {1}}, {{8, 9}, {0}, 1}};
    return {{{5, 6, 7}, {8, 9}}, {{4, 3}, {2, 1, 0}, 1}};
  }

 private:
  static inline std::unique_ptr<graft_test::TemporaryFolder> folder_;
  static inline std::map<std::string, std::unique_ptr<graft::any::AnyBase>> bases_;
};

/// The sentence that a call refuses with; empty where it does not.
template <class F>
[[nodiscard]] std::string refusal(F const& f) {
  try {
    f();
  } catch (graft::ConfigError const& error) {
    return error.what();
  }
  return {};
}

}  // namespace any_models
