// One adapter folder that PEFT wrote, in both directions: loaded, compared with what is known of it, and written again.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <graft/io/adapter.hpp>
#include <graft/io/load_pretrained.hpp>
#include <graft/io/model_config.hpp>

#include "io/temporary_folder.hpp"
#include "model/reference_prompt_encoder.hpp"
#include "parity/golden_case.hpp"
#include "parity/strategy_cases.hpp"
#include "reference/copy_model.hpp"
#include "support/worst.hpp"

namespace adapter_fixtures {

namespace fs = std::filesystem;
using graft::Index;

/// An adapter folder, and the base's folder (with or without weights).
struct Case {
  fs::path adapter, model;
  bool has_weights = false;
};

/// Runs a case; by "architecture/dtype".
using Runner = std::function<void(Case const&)>;
inline std::map<std::string, Runner>& runners() {
  static std::map<std::string, Runner> all;
  return all;
}

/// Lists in PEFT's configurations are sets.
inline nlohmann::json with_sorted_lists(nlohmann::json config) {
  for (auto& value : config)
    if (value.is_array()) {  // PEFT repeats some
      std::sort(value.begin(), value.end());
      value.erase(std::unique(value.begin(), value.end()), value.end());
    }
  return config;
}

/// A safetensors file's header, without the padding behind it and the word on the base that graft puts among PEFT's
/// metadata, and its tensors' bytes.
struct AdapterFile {
  std::string header, base, tensors;
};
inline AdapterFile read_adapter_file(fs::path const& file) {
  std::string const bytes = graft_test::contents_of(file);
  std::uint64_t size = 0;
  std::memcpy(&size, bytes.data(), 8);
  AdapterFile read{bytes.substr(8, size), {}, bytes.substr(8 + size)};
  read.header.erase(read.header.find_last_not_of(' ') + 1);
  std::size_t const first = read.header.find(",\"graft_base_configuration\":\""),
                    storage = read.header.find("\"graft_base_storage\"", first);
  std::size_t const last = storage == std::string::npos ? storage : read.header.find('}', storage);
  if (last != std::string::npos) {
    read.base = read.header.substr(first, last - first);
    read.header.erase(first, last - first);
  }
  return read;
}

/// What the fixture's generator recorded of an adapter: initial parameters and the logits with them.
inline bool has_golden(Case const& at) { return fs::exists(at.adapter.parent_path() / "expected.safetensors"); }

/// tanh(E·W₁ᵀ + b₁)·W₂ᵀ + b₂, plainly.
inline graft::Tensor<double> through_mlp(graft::Tensor<double> const& e, graft::Tensor<double> const& w1,
                                         graft::Tensor<double> const& b1, graft::Tensor<double> const& w2,
                                         graft::Tensor<double> const& b2) {
  auto const affine = [](graft::Tensor<double> const& x, graft::Tensor<double> const& w, graft::Tensor<double> const& b,
                         bool tanh) {
    graft::Tensor<double> y(graft::Shape{x.rows(), w.rows()});
    for (Index i = 0; i < x.rows(); ++i)
      for (Index o = 0; o < w.rows(); ++o) {
        double sum = b.data()[o];
        for (Index k = 0; k < x.width(); ++k) sum += x.row(i)[k] * w.row(o)[k];
        y.row(i)[o] = tanh ? std::tanh(sum) : sum;
      }
    return y;
  };
  return affine(affine(e, w1, b1, true), w2, b2, false);
}

template <graft::Architecture A, class Scalar>
class CaseRunner {
 public:
  static void run(Case const& at) {
    graft::Base<A, Scalar> base;
    if (at.has_weights)
      base = graft::load_pretrained<A, Scalar>(at.model);
    else  // reading and writing an adapter needs no weights
      base = std::make_shared<graft::Pretrained<A, Scalar> const>(
          graft::model_config(graft::read_json(at.model / "config.json"), at.model.string()));
    std::string const kind = graft::adapter_kind(at.adapter);
    if (kind == "prefix_tuning") check_kind<graft::PrefixTuning>(at, base);
    if (kind == "prompt_tuning") check_kind<graft::PromptTuning>(at, base);
    if (kind == "lora") check_kind<graft::LoRA>(at, base);
    if (kind == "ia3") check_kind<graft::IA3>(at, base);
    if (kind == "p_tuning") check_kind<graft::PTuning>(at, base);
  }

 private:
  static constexpr bool classifies = A::head == graft::HeadKind::classifier,
                        has_encoder = A::stacks == graft::StackKind::encoder_decoder;

  template <class Adaptation>
  static void check_kind(Case const& at, graft::Base<A, Scalar> const& base) {
    if constexpr (classifies)
      check<graft::Composed<Adaptation, graft::ClassificationHead>>(at, base);
    else
      check<Adaptation>(at, base);
  }
  template <class Adaptation>
  static void check(Case const& at, graft::Base<A, Scalar> const& base) {
    auto model = graft::load_adapter<Adaptation>(base, at.adapter);
    EXPECT_EQ(model.base(), base);
    auto const original = graft::read_json(at.adapter / "adapter_config.json");
    check_written_again(at, model, original);
    if (!has_golden(at)) return;
    auto const golden = parity::read_case(at.adapter.parent_path());
    check_initial(golden, model);
    if constexpr (std::is_same_v<Scalar, double>)
      if (at.has_weights) check_logits(golden, model);
    if constexpr (std::is_same_v<Adaptation, graft::PrefixTuning>)
      if (golden.has("initial.prompt_encoder.default.transform.0.weight"))
        check_saved_through_network(
            at, golden, base, original,
            graft::PrefixTuning{
                .length = original.at("num_virtual_tokens").get<Index>(),
                .reparametrization = network_of(golden.at("initial.prompt_encoder.default.transform.0.weight")),
                .positions = graft::PositionPolicy::shift,
                .scope = graft::PrefixScope::peft_decoder});
    if constexpr (std::is_same_v<Adaptation, graft::PTuning>)
      check_saved_through_network(at, golden, base, original, parity::p_tuning_settings(golden));
  }

  static graft::AdapterOptions options(nlohmann::json const& original) {
    auto const& name = original.at("base_model_name_or_path");
    return {.base_model = name.is_null() ? std::string() : name.get<std::string>()};
  }

  template <class Model>
  static void check_written_again(Case const& at, Model& model, nlohmann::json original) {
    graft_test::TemporaryFolder const folder;
    graft::save_adapter(model, folder.path(), options(original));
    if (original.value("prefix_projection", false)) {  // the MLP is gone: what was loaded is a flat prefix, and says so
      original["prefix_projection"] = false;
      original["encoder_hidden_size"] = original["token_dim"];
    }
    EXPECT_EQ(with_sorted_lists(graft::read_json(folder / "adapter_config.json")), with_sorted_lists(original));
    if (with_sorted_lists(original).dump() == original.dump()) {
      EXPECT_EQ(graft_test::contents_of(folder / "adapter_config.json"), original.dump(2));
    }
    auto const ours = read_adapter_file(folder / "adapter_model.safetensors"),
               theirs = read_adapter_file(at.adapter / "adapter_model.safetensors");
    EXPECT_EQ(ours.header, theirs.header);
    EXPECT_TRUE(ours.tensors == theirs.tensors) << "tensors differ";
    auto const configuration = nlohmann::json(graft::base_configuration(model.base()->config()).dump()).dump();
    EXPECT_EQ(ours.base, ",\"graft_base_configuration\":" + configuration + ",\"graft_base_hash\":\"" +
                             model.base()->weights_hash() + "\",\"graft_base_storage\":\"" + model.base()->storage +
                             "\"");
  }

  /// The value that the generator recorded for one of our parameters.
  static graft::Tensor<double> initial(parity::GoldenCase const& golden, std::string name) {
    std::string const prompt = "initial.prompt_encoder.default.";
    if (name.starts_with("1."))
      return golden.at(
          (golden.method == "lora" || golden.method == "ia3" ? "initial.base_model.model." : "initial.base_model.") +
          ("classifier.modules_to_save.default" + name.substr(12)));
    if (name.starts_with("0.")) name = name.substr(2);
    if (golden.method == "lora")
      return golden.at("initial.base_model.model." + name.replace(name.rfind(".weight"), 7, ".default.weight"));
    if (golden.method == "ia3") return golden.at("initial.base_model.model." + name + ".default");
    if (golden.has(prompt + "mlp_head.0.weight")) return through_encoder(golden, prompt);
    if (!golden.has(prompt + "transform.0.weight")) return golden.at(prompt + name);
    return through_mlp(golden.at(prompt + "embedding.weight"), golden.at(prompt + "transform.0.weight"),
                       golden.at(prompt + "transform.0.bias"), golden.at(prompt + "transform.2.weight"),
                       golden.at(prompt + "transform.2.bias"));
  }
  template <class Model>
  static void check_initial(parity::GoldenCase const& golden, Model& model) {
    for (auto* parameter : model.parameters())
      EXPECT_LE(parity::difference(parameter->value(), initial(golden, parameter->name())), 1e-12) << parameter->name();
  }

  template <class Model>
  static void check_logits(parity::GoldenCase const& golden, Model& model) {
    graft::NoGrad no_grad;
    auto const& expected = golden.at("logits");
    if constexpr (classifies || has_encoder) return check_source_logits(golden, model);
    auto const logits = model.logits(parity::causal_batch_of(golden, true)).value();
    Index const width = expected.shape()[1], vocabulary = expected.shape()[2],
                extra = width - golden.at("input_ids").width();
    double worst = 0, largest = 0;
    for (Index r = 0, token = 0; r < golden.rows(); ++r)
      for (Index i = 0; i < golden.length(r); ++i, ++token)
        for (Index v = 0; v < vocabulary; ++v) {
          double const wanted = expected.data()[(r * width + extra + i) * vocabulary + v];
          worst = graft::testing::worse(worst, std::abs(logits.row(token)[v] - wanted));
          largest = std::max(largest, std::abs(wanted));
        }
    EXPECT_LE(worst / largest, 1e-9) << "logits";
  }

  /// Of a classifier `[rows, labels]`, of an encoder–decoder the decoder's.
  template <class Model>
  static void check_source_logits(parity::GoldenCase const& golden, Model& model) {
    auto const batch = parity::batch_of_sources(golden, classifies, model.config().decoder_start);
    auto const logits = model.logits(batch).value();
    auto const& expected = golden.at("logits");
    Index const rows = classifies ? 1 : expected.shape()[1], width = logits.width();
    double worst = 0, largest = 0;
    for (Index r = 0, target = 0; r < golden.rows(); ++r)
      for (Index i = 0; i < (classifies ? 1 : batch.rows.length(r)); ++i, ++target)
        for (Index v = 0; v < width; ++v) {
          double const wanted = expected.data()[(r * rows + i) * width + v];
          worst = graft::testing::worse(worst, std::abs(static_cast<double>(logits.row(target)[v]) - wanted));
          largest = std::max(largest, std::abs(wanted));
        }
    EXPECT_LE(worst / largest, 1e-9) << "logits";
  }

  static graft::Mlp network_of(graft::Tensor<double> const& first) {
    return {.hidden = first.rows(), .input = first.width()};
  }

  /// P-tuning's encoder as the independent reference computes it.
  static graft::Tensor<double> through_encoder(parity::GoldenCase const& golden, std::string const& prompt) {
    reference::Parameters parameters;
    for (auto const& [name, tensor] : golden.tensors)
      if (name.starts_with(prompt)) parameters.emplace(name, reference::matrix_of(tensor));
    auto const tokens = reference::prompt_encoder(parameters, prompt);
    graft::Tensor<double> result(graft::Shape{tokens.rows(), tokens.cols()});
    for (Index i = 0; i < result.rows(); ++i)
      for (Index k = 0; k < result.width(); ++k) result.row(i)[k] = tokens(i, k);
    return result;
  }

  /// A model with the network behind its soft prompt writes PEFT's configuration of it and the matrix after it.
  template <class Settings>
  static void check_saved_through_network(Case const& at, parity::GoldenCase const& golden,
                                          graft::Base<A, Scalar> const& base, nlohmann::json const& original,
                                          Settings const& settings) {
    std::string const prompt = "initial.prompt_encoder.default.";
    auto model = graft::adapt(base, settings);
    for (auto* parameter : model.parameters()) {
      auto const& start = golden.at(prompt + parameter->name());
      auto value = parameter->mutable_value();
      std::transform(start.data(), start.data() + start.size(), value.data(),
                     [](double v) { return static_cast<Scalar>(v); });
    }
    graft_test::TemporaryFolder const folder;
    graft::save_adapter(model, folder.path(), options(original));
    EXPECT_EQ(graft_test::contents_of(folder / "adapter_config.json"), original.dump(2));
    graft::SafetensorsFile const saved(folder / "adapter_model.safetensors"),
        wanted(at.adapter / "adapter_model.safetensors");
    ASSERT_EQ(saved.entries().size(), 1u);
    ASSERT_EQ(saved.entries()[0].shape, wanted.at("prompt_embeddings").shape);
    EXPECT_EQ(saved.entries()[0].name, "prompt_embeddings");
    auto const values = [](graft::SafetensorsFile const& file) {
      auto const& entry = file.entries()[0];
      graft::Tensor<double> tensor(graft::Shape{entry.shape[0], entry.shape[1]});
      graft::convert_values(entry.dtype, entry.data, static_cast<std::size_t>(tensor.size()), tensor.data());
      return tensor;
    };
    EXPECT_LE(parity::difference(values(saved), values(wanted)), 1e-12);
  }
};

template <graft::Architecture A>
bool add_runners() {
  runners()[std::string(A::model_type) + "/float64"] = &CaseRunner<A, double>::run;
  runners()[std::string(A::model_type) + "/float32"] = &CaseRunner<A, float>::run;
  return true;
}

}  // namespace adapter_fixtures
