// Variations of config.json against what transformers computes with them (make_config_goldens.py): equal logits, or a
// refusal that names what it refuses.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <graft/adaptation/none.hpp>
#include <graft/core/warning.hpp>
#include <graft/io/load_pretrained.hpp>
#include <graft/io/safetensors.hpp>
#include <graft/io/safetensors_writer.hpp>
#include <graft/models/adapt.hpp>
#include <graft/models/bart.hpp>
#include <graft/models/bert.hpp>
#include <graft/models/gpt2.hpp>
#include <graft/models/llama.hpp>
#include <graft/models/t5.hpp>

#include "io/temporary_folder.hpp"

namespace {

using Json = nlohmann::json;
namespace fs = std::filesystem;

std::vector<graft::Token> const causal{7, 12, 31, 4, 22, 9, 17, 38, 5, 26}, source{11, 6, 29, 33, 8, 21},
    target{14, 35, 10, 27};

/// The checkpoint's tensors with a variation's changes: copies under a factor, then removals, then other names.
void write_tensors(fs::path const& from, fs::path const& to, Json const& changes) {
  struct Item {
    std::vector<std::int64_t> shape;
    std::vector<float> values;
  };
  std::map<std::string, Item> items;
  graft::SafetensorsFile const file(from);
  for (auto const& entry : file.entries()) {
    Item item{entry.shape, std::vector<float>(entry.bytes / sizeof(float))};
    graft::convert_values(entry.dtype, entry.data, item.values.size(), item.values.data());
    items.emplace(entry.name, std::move(item));
  }
  for (auto const& copy : changes.value("copy", Json::array())) {
    Item item = items.at(copy.at(0));
    for (float& value : item.values) value *= copy.at(2).get<float>();
    items[copy.at(1).get<std::string>()] = std::move(item);
  }
  for (auto const& name : changes.value("drop", Json::array())) items.erase(name.get<std::string>());
  for (auto const& rename : changes.value("rename", Json::array())) {
    std::string const old = rename.at(0).get<std::string>();
    std::map<std::string, Item> renamed;
    for (auto& [name, item] : items) {
      std::string now = name;
      if (auto const at = now.find(old); at != std::string::npos)
        now.replace(at, old.size(), rename.at(1).get<std::string>());
      renamed.emplace(now, std::move(item));
    }
    items = std::move(renamed);
  }
  std::vector<graft::TensorEntry> entries;
  for (auto const& [name, item] : items)
    entries.push_back({name, graft::Dtype::f32, item.shape, reinterpret_cast<std::byte const*>(item.values.data()),
                       item.values.size() * sizeof(float), nullptr});
  graft::save_safetensors(to, entries);
}

template <class A>
graft::Tensor<double> logits_of(std::shared_ptr<graft::Checkpoint const> const& checkpoint) {
  graft::NoGrad const no_grad;
  auto model = graft::adapt(graft::load_pretrained<A, double>(checkpoint), graft::NoAdaptation{});
  graft::TokenizedExample example{source, target, 0};
  if constexpr (A::stacks == graft::StackKind::decoder)
    example = {{causal.front()}, {causal.begin() + 1, causal.end()}, 0};
  if constexpr (A::stacks == graft::StackKind::encoder) example = {causal, {0}, 0};
  return model.logits(model.pack({example})).value();
}

graft::Tensor<double> logits_in(fs::path const& folder) {
  auto const checkpoint = graft::open_checkpoint(folder);
  std::string const type = graft::checkpoint_config(*checkpoint).architecture;
  if (type == "gpt2") return logits_of<graft::Gpt2>(checkpoint);
  if (type == "t5") return logits_of<graft::T5>(checkpoint);
  if (type == "t5_v1_1") return logits_of<graft::T5v11>(checkpoint);
  if (type == "bart") return logits_of<graft::Bart>(checkpoint);
  if (type == "bert") return logits_of<graft::Bert>(checkpoint);
  if (type == "roberta") return logits_of<graft::Roberta>(checkpoint);
  return logits_of<graft::Llama>(checkpoint);
}

/// The largest difference from the recorded columns relative to their largest number, or nothing where the shapes
/// differ.
std::optional<double> difference(graft::Tensor<double> const& got, Json const& expected) {
  double worst = 0, largest = 0;
  if (got.rows() > static_cast<graft::Index>(expected.size())) return std::nullopt;
  for (graft::Index r = 0; r < got.rows(); ++r) {
    auto const& row = expected.at(static_cast<std::size_t>(r));
    if (static_cast<graft::Index>(row.size()) > got.width()) return std::nullopt;
    for (std::size_t c = 0; c < row.size(); ++c) {
      worst = std::max(worst, std::abs(got.row(r)[c] - row.at(c).get<double>()));
      largest = std::max(largest, std::abs(row.at(c).get<double>()));
    }
  }
  return worst / largest;
}

/// Whether a refusal says what it refuses: a changed key, a key inside it, or a tensor.
bool names_its_reason(std::string const& message, Json const& change) {
  auto const has = [&](std::string const& name) { return message.find(name) != std::string::npos; };
  for (auto const& [key, value] : change.at("set").items()) {
    if (has(key)) return true;
    if (value.is_object())
      for (auto const& item : value.items())
        if (has(item.key())) return true;
  }
  for (auto const& key : change.at("absent"))
    if (has(key.get<std::string>())) return true;
  bool const window = change.at("set").contains("sliding_window") ||
                      change.at("absent").dump().find("sliding_window") != std::string::npos;
  return has("tensor \"") || has("embeddings \"") ||
         (window && has("reaches position"));  // a row longer than the window
}

class ConfigVariations : public testing::TestWithParam<std::string> {};

TEST_P(ConfigVariations, AreComputedAsTransformersDoesOrRefused) {
  graft::WarningHandler const before = graft::set_warning_handler({});
  fs::path const goldens = fs::path(GRAFT_SOURCE_DIR) / "tests/parity/config_goldens";
  Json const golden = graft::read_json(goldens / (GetParam() + ".json"));
  int computed = 0, equal = 0, lenient = 0;
  for (auto const& change : golden.at("cases")) {
    graft_test::TemporaryFolder const folder;
    Json config = golden.at("config");
    config.update(change.at("set"));
    for (auto const& key : change.at("absent")) config.erase(key.get<std::string>());
    folder.put("config.json", config.dump());
    write_tensors(goldens / (GetParam() + ".safetensors"), folder / "model.safetensors",
                  change.value("tensors", Json::object()));
    std::string const what = change.at("set").dump() + " without " + change.at("absent").dump() + " tensors " +
                             change.value("tensors", Json::object()).dump();
    bool const expected = change.contains("logits");
    computed += expected;
    try {
      graft::Tensor<double> const got = logits_in(folder.path());
      if (!expected) {
        ++lenient;  // transformers fails over a null head_dim in a Qwen2, which elsewhere means the default
        EXPECT_EQ(change.at("set").value("head_dim", Json(0)), Json())
            << what << " computes what transformers refuses: " << change.at("refused");
        std::cout << GetParam() << " computes what transformers refuses: " << what << ": " << change.at("refused")
                  << '\n';
        continue;
      }
      auto const error = difference(got, change.at("logits"));
      EXPECT_TRUE(error && *error <= 1e-9) << what << ": silently different, by " << error.value_or(-1);
      ++equal;
    } catch (graft::Error const& error) {
      EXPECT_TRUE(names_its_reason(error.what(), change)) << what << ": " << error.what();
      if (expected) std::cout << GetParam() << " refuses " << what << ": " << error.what() << '\n';
    }
  }
  std::cout << GetParam() << ": " << golden.at("cases").size() << " variations, transformers computes " << computed
            << ", of these equal " << equal << ", refused " << computed - equal << "; beyond transformers " << lenient
            << '\n';
  EXPECT_GE(computed, 40);
  EXPECT_GE(equal, computed * 7 / 10);
  graft::set_warning_handler(before);
}

INSTANTIATE_TEST_SUITE_P(Architectures, ConfigVariations,
                         testing::Values("gpt2", "llama", "mistral", "qwen2", "t5", "bart", "bert", "roberta"),
                         [](auto const& architecture) { return architecture.param; });

}  // namespace
