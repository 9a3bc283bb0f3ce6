/// @file
/// @brief Partial fine-tuning: the top k layers (FT-TOP2 of Li & Liang 2021).
#pragma once

#include <string_view>

#include <graft/adaptation/trained_weights.hpp>

namespace graft {

/// Trains all weights of the last `layers` layers (of the decoder, or of an encoder without one), and of the final norm
/// and the head if asked. The prefix-tuning authors' code also trains the final norm and the tied embedding; a tied
/// head is the token embedding, so training it changes the input too (and backpropagates through every layer).
struct TopLayers {
  Index layers = 2;
  bool final_norm = true;
  bool head = false;  ///< an untied head; or the tied token embedding

  static constexpr char const* name = "top_layers";
  static constexpr char const* summary = "fine-tuning of the top layers (FT-TOP2)";
  static constexpr double learning_rate = 3e-4;
  static constexpr Roles roles = Role::weight | Role::bias | Role::norm | Role::embedding | Role::head;

  template <class Scalar, class Device>
  class State : public TrainedWeights<roles, Scalar, Device> {
   public:
    State(TopLayers const& settings, ModelInfo const& model, BaseAccess<Scalar, Device> const& base, RandomKey)
        : TrainedWeights<roles, Scalar, Device>(checked(settings, model), base, [&](SiteInfo const& site, Part) {
            return chosen(settings, model, site);
          }) {}

   private:
    static ModelInfo const& checked(TopLayers const& settings, ModelInfo const& model) {
      settings.check(model);
      return model;
    }
    static bool chosen(TopLayers const& settings, ModelInfo const& model, SiteInfo const& site) {
      int const count = model.main().layers;
      if (is_per_layer(site.address.site))
        return site.address.at.stack == model.main().stack && site.address.at.layer >= count - settings.layers;
      SiteInfo const* head = model.find({Site::head});
      bool const tied = head && head->tied;
      return (settings.final_norm && site.address.site == Site::final_norm &&
              site.address.at.stack == model.main().stack) ||
             (settings.head && (site.address.site == (tied ? Site::token_embedding : Site::head) ||
                                site.address.site == Site::pooler || site.address.site == Site::classifier));
    }
  };
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& visitor) {
    visitor("layers", self.layers, "how many of the topmost layers (of the decoder) are trained");
    visitor("final_norm", self.final_norm, "the final norm too");
    visitor("head", self.head,
            "the head too: an untied one, or the tied token embedding, which also changes the input");
  }
  [[nodiscard]] bool reads(std::string_view setting, ModelInfo const& model) const {
    return setting != "final_norm" || model.find({Site::final_norm, {model.main().stack, -1}});
  }
  /// @throws ConfigError for settings that the model cannot have
  void check(ModelInfo const& model) const {
    if (layers < 1 || layers > model.main().layers)
      fail<ConfigError>("[top_layers] got ", layers, " layers; expected 1 to ", model.main().layers);
  }
  /// What the programs start from.
  [[nodiscard]] static TopLayers recommended(ModelInfo const& model) {
    return {.layers = model.main().layers < 2 ? model.main().layers : 2};
  }
};

}  // namespace graft
