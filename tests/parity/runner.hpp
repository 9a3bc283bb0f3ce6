/// @file
/// @brief Runs one golden case with one architecture, scalar and device: logits, loss, gradients, AdamW steps,
/// generation.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <graft/adaptation/bitfit.hpp>
#include <graft/adaptation/bottleneck_adapter.hpp>
#include <graft/adaptation/classification_head.hpp>
#include <graft/adaptation/compose.hpp>
#include <graft/adaptation/embedding_only.hpp>
#include <graft/adaptation/full_fine_tuning.hpp>
#include <graft/adaptation/infix_tuning.hpp>
#include <graft/adaptation/lora.hpp>
#include <graft/adaptation/prefix_tuning.hpp>
#include <graft/adaptation/prompt_tuning.hpp>
#include <graft/adaptation/top_layers.hpp>
#include <graft/generate/generate.hpp>
#include <graft/io/load_pretrained.hpp>
#include <graft/models/adapt.hpp>
#include <graft/models/to_device.hpp>
#include <graft/ops/sum.hpp>
#include <graft/optim/adamw.hpp>
#include <graft/optim/clip.hpp>

#include "golden_case.hpp"
#include "strategy_cases.hpp"
#include "support/worst.hpp"
#include "tolerance.hpp"

namespace parity {

/// The expected value of a parameter under the fixture's own names: kind is "initial", "grad" or "trained".
using Expected = std::function<graft::Tensor<double>(std::string const& kind, std::string const& parameter)>;

/// A runner of cases, or nothing for methods that the library lacks.
using Runner = std::function<bool(GoldenCase const&)>;

inline std::map<std::string, Runner>& runners() {
  static std::map<std::string, Runner> all;
  return all;
}

/// Why no case can be run here, in words; empty where they can.
inline std::function<std::string()>& obstacle() {
  static std::function<std::string()> why = [] { return std::string(); };
  return why;
}

template <graft::Architecture A, class Scalar, class Device = graft::Cpu>
class CaseRunner {
  using Base = graft::Base<A, Scalar, Device>;

 public:
  /// Whether the case's method is known; runs it if so.
  static bool run(GoldenCase const& golden) {
    Base const base = load(golden.model());
    Index const length = golden.json.value("virtual_tokens", Index{1});
    std::string const& method = golden.method;
    auto const named = [&](std::string const& prefix, std::string const& suffix = "") {
      return [&golden, prefix, suffix](std::string const& kind, std::string const& name) {
        std::string full = prefix + name;
        if (!suffix.empty()) full.replace(full.rfind(".weight"), 7, suffix);
        return golden.at(kind + "." + full);
      };
    };
    if (method == "none") return check(golden, base, graft::NoAdaptation{}, named(""));
    if (method == "full") return check(golden, base, graft::FullFineTuning{}, named(""));
    if (method == "bitfit") return check(golden, base, graft::BitFit{}, named(""));
    if (method == "adapter") return check_adapter(golden, base);
    if (method == "lora")
      return check_with_head(golden, base, lora_settings(golden), named("base_model.model.", ".default.weight"),
                             "base_model.model.");
    if (method == "prompt_tuning") {
      graft::PromptTuning const settings{
          .length = length, .submodules = has_encoder ? 2 : 1, .positions = graft::PositionPolicy::shift};  // as PEFT
      return check_with_head(golden, base, settings, named("prompt_encoder.default."), "base_model.");
    }
    if (method == "prefix_tuning" || method == "prefix_tuning_mlp")
      return check_prefix(golden, base, length, named("prompt_encoder.default."));
    if constexpr (A::stacks == graft::StackKind::decoder) {
      if (method == "top_layers")
        return check(golden, base, graft::TopLayers{.layers = 1, .final_norm = false}, named(""));
      if (method == "infix")
        return check(golden, base, graft::InfixTuning{.length = length},
                     [&](std::string const& kind, std::string const&) { return infix_bank(golden, kind); });
      if (method == "embedding_infix")
        return check(golden, base, graft::EmbeddingOnly{.length = length, .place = graft::Place::infix},
                     [&](std::string const& kind, std::string const&) { return golden.at(kind + ".embedding"); });
    }
    return run_strategy_case(golden, [&](auto const& settings, Expected const& expected, std::string const& prefix) {
      return check_with_head(golden, base, settings, expected, prefix);
    });
  }

 private:
  static constexpr bool classifies = A::head == graft::HeadKind::classifier,
                        has_encoder = A::stacks == graft::StackKind::encoder_decoder;

  static Base load(std::filesystem::path const& folder) {
    auto const host = graft::load_pretrained<A, Scalar>(folder);
    if constexpr (std::is_same_v<Device, graft::Cpu>)
      return host;
    else
      return graft::to_device<Device>(host);
  }
  static bool check_prefix(GoldenCase const& golden, Base const& base, Index length, Expected const& expected) {
    graft::PrefixTuning settings{
        .length = length, .positions = graft::PositionPolicy::shift, .scope = graft::PrefixScope::peft_decoder};
    if (golden.method == "prefix_tuning_mlp") {
      auto const& first = golden.at("initial.prompt_encoder.default.transform.0.weight");
      settings.reparametrization = graft::Mlp{.hidden = first.rows(), .input = first.width()};
    }
    return check_with_head(golden, base, settings, expected, "base_model.");
  }
  static bool check_adapter(GoldenCase const& golden, Base const& base) {
    Index const width = golden.at(has_encoder ? "initial.encoder_0.down.weight" : "initial.0.down.weight").rows();
    return check(golden, base, graft::BottleneckAdapter{.bottleneck = width},
                 [&](std::string const& kind, std::string name) {
                   if (has_encoder) name.replace(name.find('.'), 1, "_");  // encoder.0 is encoder_0 there
                   return golden.at(kind + "." + name);
                 });
  }
  /// A classifier's head is trained beside the strategy, as PEFT has it.
  template <class Adaptation>
  static bool check_with_head(GoldenCase const& golden, Base const& base, Adaptation const& settings,
                              Expected const& expected, std::string const& prefix) {
    if constexpr (classifies) {
      return check(golden, base, graft::compose(settings, graft::ClassificationHead{}),
                   [&](std::string const& kind, std::string const& name) {
                     if (name.starts_with("0.")) return expected(kind, name.substr(2));
                     return golden.at(kind + "." + prefix + "classifier.modules_to_save.default" +
                                      name.substr(std::string("1.classifier").size()));
                   });
    } else {
      return check(golden, base, settings, expected);
    }
  }
  template <class Model>
  static graft::Batch batch_of(GoldenCase const& golden, Model const& model, bool every_token) {
    if constexpr (classifies || has_encoder)
      return batch_of_sources(golden, classifies, model.config().decoder_start);
    else
      return causal_batch_of(golden, every_token);
  }

  static graft::LoRA lora_settings(GoldenCase const& golden) {
    auto const json = graft::read_json(golden.folder / "adapter" / "adapter_config.json");
    return {.rank = json.at("r").get<Index>(),
            .alpha = json.at("lora_alpha").get<double>(),
            .targets = json.at("target_modules").get<std::vector<std::string>>()};
  }
  /// [P, 2·L·D] from the fixture's separate [L, P, heads, head_dim] keys and values.
  static graft::Tensor<double> infix_bank(GoldenCase const& golden, std::string const& kind) {
    auto const &keys = golden.at(kind + ".infix.key"), &values = golden.at(kind + ".infix.value");
    Index const layers = keys.shape()[0], length = keys.shape()[1], width = keys.shape()[2] * keys.shape()[3];
    graft::Tensor<double> bank(graft::Shape{length, 2 * layers * width});
    for (Index l = 0; l < layers; ++l)
      for (Index p = 0; p < length; ++p) {
        std::copy_n(keys.data() + (l * length + p) * width, width, bank.row(p) + 2 * l * width);
        std::copy_n(values.data() + (l * length + p) * width, width, bank.row(p) + (2 * l + 1) * width);
      }
    return bank;
  }

  template <class Adaptation>
  static bool check(GoldenCase const& golden, Base const& base, Adaptation const& settings, Expected const& expected) {
    auto model = graft::adapt(base, settings);
    if (golden.method != "none" && golden.method != "full") {
      Index count = 0;
      for (auto* parameter : model.parameters()) {
        auto const start = expected("initial", parameter->name());
        graft::Tensor<Scalar> value(parameter->value().shape());
        ASSERT_EQ_OR_FAIL(start.size(), value.size(), parameter->name());
        std::transform(start.data(), start.data() + start.size(), value.data(),
                       [](double v) { return static_cast<Scalar>(v); });
        parameter->assign(value);
        count += value.size();
      }
      EXPECT_EQ(count, golden.json.at("trainable").get<Index>()) << "trainable parameters";
    }
    check_logits(golden, model);
    if constexpr (!classifies)
      if (golden.json.contains("generation")) check_generation(golden, model);
    if (golden.method == "none") return check_base_loss(golden, model), true;
    check_training(golden, model, expected);
    return true;
  }
  static void ASSERT_EQ_OR_FAIL(Index got, Index expected, std::string const& name) {
    if (got != expected) graft::fail("[parity] parameter ", name, ": got ", expected, " elements; expected ", got);
  }

  /// Which of the recorded rows belongs to a row's i-th token.
  static Index logit_row(GoldenCase const& golden, graft::Shape const& shape, Index row, Index i) {
    if (classifies) return row;
    if (has_encoder) return row * shape[1] + i;
    Index const extra = shape[1] - golden.at("input_ids").width();  // virtual tokens have logits too
    return row * shape[1] + i + (golden.method == "embedding_infix" && i < golden.insertion(row) ? 0 : extra);
  }

  template <class Model>
  static void check_logits(GoldenCase const& golden, Model& model) {
    graft::NoGrad no_grad;
    auto const batch = batch_of(golden, model, true);
    auto const logits = graft::downloaded(model.logits(batch).value());
    auto const& expected = golden.at("logits");
    Index const vocabulary = expected.width() / (expected.shape().rank() == 3 ? expected.shape()[1] : 1);
    double worst = 0, largest = 0;
    for (Index r = 0, token = 0; r < golden.rows(); ++r)
      for (Index i = 0; i < batch.rows.length(r) && token < logits.rows(); ++i, ++token) {
        double const* const row = expected.data() + logit_row(golden, expected.shape(), r, i) * vocabulary;
        for (Index v = 0; v < vocabulary; ++v) {
          double const error = std::abs(static_cast<double>(logits.row(token)[v]) - row[v]);
          worst = graft::testing::worse(worst, error);
          largest = std::max(largest, std::abs(row[v]));
        }
        if (classifies) {
          ++token;
          break;
        }
      }
    EXPECT_EQ(logits.width(), vocabulary);
    EXPECT_LE(worst / largest, tolerance<Scalar>(golden).logits) << "logits";
  }

  template <class Model>
  static graft::Variable<Scalar, Device> loss_of(Model& model, graft::Batch const& batch) {
    auto const weight = static_cast<Scalar>(-1.0 / static_cast<double>(batch.rows.targets.size()));
    return graft::weighted_sum(model.scores(batch).log_probability,
                               graft::staged<Device>(graft::full(graft::Shape{batch.rows.targets.size()}, weight)));
  }
  template <class Model>
  static void check_base_loss(GoldenCase const& golden, Model& model) {
    graft::NoGrad no_grad;
    EXPECT_LE(difference(graft::downloaded(loss_of(model, batch_of(golden, model, false)).value()), golden.at("loss")),
              tolerance<Scalar>(golden).loss)
        << "loss";
  }

  template <class Model>
  static void check_training(GoldenCase const& golden, Model& model, Expected const& expected) {
    auto const batch = batch_of(golden, model, false);
    auto const& json = golden.json;
    graft::AdamW<Scalar, Device> optimizer(model.parameters(), {.beta1 = json.at("betas").at(0),
                                                                .beta2 = json.at("betas").at(1),
                                                                .epsilon = json.at("eps"),
                                                                .weight_decay = json.at("weight_decay")});
    graft::Tensor<double> losses(graft::Shape{json.at("steps").get<Index>()});
    for (Index step = 0; step < losses.size(); ++step) {
      auto const loss = loss_of(model, batch);
      losses.data()[step] = static_cast<double>(graft::downloaded(loss.value()).data()[0]);
      graft::backward(loss);
      if (step == 0) check_gradients(golden, model, expected);
      double const norm = graft::gradient_norm<Scalar, Device>(model.parameters());
      optimizer.step(
          json.at("lr").get<double>() * json.at("lr_factors").at(static_cast<std::size_t>(step)).get<double>(),
          graft::clip_coefficient(norm, json.at("clip_norm").get<double>()));
      optimizer.clear_gradients();
    }
    EXPECT_LE(difference(losses, golden.at("step_losses")), tolerance<Scalar>(golden).step_losses)
        << "losses of AdamW steps";
    check_trained(golden, model, expected);
  }

  /// First gradients by name; the full model's are recorded with the base model's case.
  static Expected gradients_of(GoldenCase const& golden, Expected const& expected) {
    if (golden.method != "full") return expected;
    return [base = read_case(golden.folder.parent_path())](std::string const& kind, std::string const& name) {
      return base.at(kind + "." + name);
    };
  }

  template <class Model>
  static double largest_gradient(Model& model, Expected const& gradients) {
    double largest = 0;
    for (auto* parameter : model.parameters()) {
      auto const gradient = gradients("grad", parameter->name());
      for (Index i = 0; i < gradient.size(); ++i) largest = std::max(largest, std::abs(gradient.data()[i]));
    }
    return largest;
  }

  template <class Model>
  static void check_trained(GoldenCase const& golden, Model& model, Expected const& expected) {
    auto const gradients = gradients_of(golden, expected);
    TrainedTolerance const allowed(tolerance<Scalar>(golden), largest_gradient(model, gradients));
    for (auto* parameter : model.parameters()) {
      auto const& name = parameter->name();
      double const ratio = allowed.worst_ratio(graft::downloaded(parameter->value()), expected("trained", name),
                                               gradients("grad", name));
      EXPECT_LE(ratio, 1.0) << "trained " << name << ", relative to what is allowed";
    }
  }

  template <class Model>
  static void check_gradients(GoldenCase const& golden, Model& model, Expected const& expected) {
    auto const allowed = tolerance<Scalar>(golden);
    auto const gradients = gradients_of(golden, expected);
    double const largest = largest_gradient(model, gradients);
    double squared_error = 0, squared = 0;
    for (auto* parameter : model.parameters()) {
      if (!parameter->has_gradient()) {
        ADD_FAILURE() << "no gradient reached " << parameter->name();
        continue;
      }
      auto const gradient = gradients("grad", parameter->name());
      auto const got = graft::downloaded(parameter->gradient());
      EXPECT_LE(difference(got, gradient, largest), allowed.gradient) << "gradient of " << parameter->name();
      for (Index i = 0; i < gradient.size(); ++i) {
        double const error = static_cast<double>(got.data()[i]) - gradient.data()[i];
        squared_error += error * error;
        squared += gradient.data()[i] * gradient.data()[i];
      }
    }
    EXPECT_LE(std::sqrt(squared_error / squared), allowed.all_gradients) << "all gradients together";
  }

  template <class Model>
  static void check_generation(GoldenCase const& golden, Model& model) {
    graft::NoGrad no_grad;
    auto const& runs = golden.json.at("generation");
    for (std::size_t k = 0; k < runs.size(); ++k) {
      auto const tokens = [&](std::string const& name) {
        auto const& tensor = golden.at(graft::cat("gen", k, ".", name));
        return std::vector<Token>(tensor.data(), tensor.data() + tensor.size());
      };
      auto const prompt = tokens("prompt"), ids = tokens("ids");
      std::vector<Token> const continuation(ids.begin() + static_cast<std::ptrdiff_t>(has_encoder ? 1 : prompt.size()),
                                            ids.end());
      Token const end = runs[k].value("eos_token_id", model.config().eos);
      Index const limit = runs[k].at("max_new_tokens").template get<Index>(),
                  beams = runs[k].value("num_beams", Index{1});
      graft::Generations texts;
      if (beams == 1)
        texts = graft::generate(model, {prompt}, graft::Greedy{.max_new_tokens = limit, .end_tokens = {end}});
      else
        texts = graft::generate(model, {prompt},
                                graft::BeamSearch{.max_new_tokens = limit,
                                                  .end_tokens = {end},
                                                  .beams = beams,
                                                  .length_penalty = runs[k].at("length_penalty").template get<double>(),
                                                  .early_stopping = runs[k].at("early_stopping").template get<bool>()
                                                                        ? graft::EarlyStopping::when_full
                                                                        : graft::EarlyStopping::heuristic});
      EXPECT_EQ(texts.at(0).at(0).tokens, continuation) << "generation " << k << ": " << runs[k].dump();
    }
  }
};

template <graft::Architecture A, class Scalar, class Device = graft::Cpu>
bool add_runner(std::string const& scalar) {
  runners()[std::string(A::model_type) + "/" + scalar] = &CaseRunner<A, Scalar, Device>::run;
  return true;
}

}  // namespace parity
