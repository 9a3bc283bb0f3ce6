// Says what is in a model or an adapter folder, without loading the weights.
#include <algorithm>
#include <filesystem>
#include <map>

#include <nlohmann/json.hpp>

#include <graft/io/adapter_base.hpp>
#include <graft/io/adapter_folder.hpp>
#include <graft/io/load_pretrained.hpp>
#include <graft/io/load_tokenizer.hpp>
#include <graft/io/open_checkpoint.hpp>
#include <graft/io/stored_names.hpp>
#include <graft/train/progress.hpp>

#include "support/model_info.hpp"
#include "support/option_group.hpp"
#include "support/program.hpp"
#include "support/text.hpp"

namespace {

using Json = nlohmann::ordered_json;

std::string const& role_name(graft::Role role) {
  static std::map<graft::Role, std::string> const names{
      {graft::Role::weight, "weight"},       {graft::Role::bias, "bias"}, {graft::Role::norm, "norm"},
      {graft::Role::embedding, "embedding"}, {graft::Role::head, "head"}, {graft::Role::buffer, "buffer"}};
  return names.at(role);
}

graft::Index parameters_of(graft::SiteInfo const& site) {
  return site.tied ? 0 : site.out * std::max<graft::Index>(site.in, 1) + (site.bias ? site.out : 0);
}

/// Sites of all layers as one line each: the layer's number is left open.
Json sites_json(graft::ModelInfo const& info, graft::Checkpoint const& checkpoint) {
  std::vector<std::string> order;
  std::map<std::string, Json> lines;
  for (auto const& site : info.sites) {
    int const layer = site.address.at.layer;
    std::string name = site.name;
    if (layer >= 0) name.replace(name.find("." + std::to_string(layer) + ".") + 1, std::to_string(layer).size(), "*");
    auto const [line, fresh] = lines.try_emplace(name);
    if (fresh) {
      order.push_back(name);
      std::string const stored = graft::detail::stored_name(
          checkpoint, site.role == graft::Role::buffer ? site.name : site.name + ".weight", info.architecture);
      line->second = {
          {"name", name},
          {"role", role_name(site.role)},
          {"out", site.out},
          {"in", site.in ? Json(site.in) : Json()},
          {"bias", site.bias},
          {"tied", site.tied},
          {"storage", site.tied || !checkpoint.contains(stored) ? Json() : Json(checkpoint.storage(stored))},
          {"count", 0},
          {"parameters", 0}};
    }
    line->second["count"] = line->second["count"].get<graft::Index>() + 1;
    line->second["parameters"] = line->second["parameters"].get<graft::Index>() + parameters_of(site);
  }
  Json all = Json::array();
  for (auto const& name : order) all.push_back(lines.at(name));
  return all;
}

/// What the matrices take in a float32 model: bfloat16 and half stay as they are stored, everything else is float32.
double loaded_mib(graft::ModelInfo const& info, graft::Checkpoint const& checkpoint) {
  double bytes = 0;
  for (auto const& site : info.sites) {
    std::string const stored = graft::detail::stored_name(checkpoint, site.name + ".weight", info.architecture);
    bool const narrow = checkpoint.contains(stored) && checkpoint.entry(stored).data &&
                        site.role != graft::Role::norm && graft::dtype_size(checkpoint.entry(stored).dtype) == 2;
    bytes += static_cast<double>(parameters_of(site)) * (narrow ? 2 : 4);
  }
  return bytes / (1 << 20);
}

Json tokenizer_json(std::filesystem::path const& path) {
  try {
    auto const tokenizer = graft::load_tokenizer(path);
    auto const special = tokenizer.special_tokens();
    Json json{{"vocabulary", tokenizer.vocabulary_size()}, {"added_tokens", tokenizer.added_tokens().size()}};
    auto const add = [&](char const* role, std::optional<graft::Token> id) {
      if (id) json[role] = {{"id", *id}, {"token", tokenizer.id_to_token(*id).value_or("")}};
    };
    add("bos", special.bos), add("eos", special.eos), add("pad", special.pad), add("unk", special.unk);
    return json;
  } catch (graft::Error const& error) {
    return {{"error", error.what()}};
  }
}

Json model_json(std::filesystem::path const& path) {
  auto const checkpoint = graft::open_checkpoint(path);
  graft::ModelConfig const config = graft::checkpoint_config(*checkpoint);
  auto const info = support::model_info(config);
  std::map<std::string, std::size_t> storage;
  for (auto const& name : checkpoint->names()) ++storage[checkpoint->storage(name)];
  Json dimensions{{"layers", config.layers},       {"width", config.width},          {"heads", config.heads},
                  {"kv_heads", config.kv_heads},   {"head_dim", config.head_dim},    {"inner", config.inner},
                  {"positions", config.positions}, {"vocabulary", config.vocabulary}};
  if (config.encoder)
    dimensions.update({{"encoder_layers", config.encoder->layers},
                       {"encoder_heads", config.encoder->heads},
                       {"encoder_head_dim", config.encoder->head_dim},
                       {"encoder_inner", config.encoder->inner}});
  if (info.classifies) dimensions["labels"] = config.labels;
  return {{"kind", "model"},
          {"path", path.string()},
          {"architecture", config.architecture},
          {"parameters", info.parameters()},
          {"dimensions", dimensions},
          {"tied_head", config.tied_head},
          {"tensors", checkpoint->names().size()},
          {"storage", storage},
          {"memory_mib", loaded_mib(info, *checkpoint)},
          {"tokenizer", tokenizer_json(path)},
          {"sites", sites_json(info, *checkpoint)}};
}

/// Null for an adapter that does not say which base it was made over, as PEFT's own.
Json base_json(graft::AdapterBase const& base) {
  if (base.hash.empty()) return nullptr;
  return {{"hash", base.hash}, {"storage", base.storage}, {"configuration", base.configuration}};
}

Json adapter_json(std::filesystem::path const& path) {
  auto const adapter = graft::AdapterFolder::open(path);
  auto const file = adapter.tensors();
  Json tensors = Json::array();
  std::int64_t parameters = 0;
  for (auto const& entry : file.entries()) {
    std::int64_t values = 1;
    for (auto const extent : entry.shape) values *= extent;
    parameters += values;
    tensors.push_back({{"name", entry.name}, {"shape", entry.shape}, {"dtype", graft::dtype_name(entry.dtype)}});
  }
  return {{"kind", "adapter"},          {"path", path.string()},
          {"strategy", adapter.kind()}, {"format", adapter.is_peft() ? "PEFT" : "graft"},
          {"parameters", parameters},   {"base", base_json(graft::adapter_base_of(file))},
          {"settings", adapter.config}, {"tensors", tensors}};
}

std::string padded(std::string text, std::size_t width, bool right = false) {
  if (text.size() < width) text.insert(right ? 0 : text.size(), width - text.size(), ' ');
  return text;
}

std::string model_text(Json const& m) {
  std::string text = m.at("path").get<std::string>() + "\n" + padded("architecture", 18) +
                     m.at("architecture").get<std::string>() + "\n" + padded("parameters", 18) +
                     graft::grouped(m.at("parameters")) +
                     (m.at("tied_head").get<bool>() ? " (the head is the token embedding)" : "") + "\n";
  for (auto const& [key, value] : m.at("dimensions").items()) text += padded(key, 18) + graft::grouped(value) + "\n";
  text += padded("storage", 18);
  for (auto const& [key, value] : m.at("storage").items())
    text += key + " × " + std::to_string(value.get<int>()) + "  ";
  text += "\n" + padded("in memory", 18) + support::fixed(m.at("memory_mib"), 1) + " MiB\n" + padded("tokenizer", 18);
  auto const& tokenizer = m.at("tokenizer");
  if (tokenizer.contains("error")) {
    text += tokenizer.at("error").get<std::string>();
  } else {
    text += graft::grouped(tokenizer.at("vocabulary")) + " tokens";
    for (char const* role : {"bos", "eos", "pad", "unk"})
      if (tokenizer.contains(role))
        text += graft::cat(", ", role, " ", graft::printable_name(tokenizer.at(role).at("token").get<std::string>()),
                           " (", tokenizer.at(role).at("id").get<int>(), ")");
  }
  std::size_t width = 4;
  for (auto const& site : m.at("sites")) width = std::max(width, site.at("name").get<std::string>().size());
  text += "\n\n" + padded("site", width) + "  role       " + padded("out × in", 16, true) + "  bias  storage   " +
          padded("parameters", 14, true) + "\n";
  for (auto const& site : m.at("sites")) {
    std::string const extents =
        std::to_string(site.at("out").get<graft::Index>()) +
        (site.at("in").is_null() ? "" : " × " + std::to_string(site.at("in").get<graft::Index>()));
    std::size_t const two_bytes = site.at("in").is_null() ? 0 : 1;  // of ×
    text += padded(site.at("name"), width) + "  " + padded(site.at("role"), 11) +
            padded(extents, 15 + two_bytes + 1, true) + "  " + padded(site.at("bias").get<bool>() ? "yes" : "", 6) +
            padded(site.at("tied").get<bool>()    ? "tied"
                   : site.at("storage").is_null() ? "missing"
                                                  : site.at("storage").get<std::string>(),
                   10) +
            padded(graft::grouped(site.at("parameters")), 14, true) + "\n";
  }
  return text;
}

/// `, with heads 4, norm_epsilon 1e-05, …`; lists are counted.
std::string configuration_text(Json const& configuration) {
  if (!configuration.is_object()) return "";
  std::string text;
  for (auto const& [name, value] : configuration.items())
    text += (text.empty() ? ", with " : ", ") + graft::printable_name(name) + " " +
            (value.is_array() ? graft::cat("of ", value.size())
                              : value.dump(-1, ' ', false, Json::error_handler_t::replace));
  return text;
}

std::string adapter_text(Json const& a) {
  std::string text =
      a.at("path").get<std::string>() + "\n" + padded("strategy", 14) + a.at("strategy").get<std::string>() + "\n" +
      padded("format", 14) + a.at("format").get<std::string>() + "\n" + padded("parameters", 14) +
      graft::grouped(a.at("parameters")) + "\n" + padded("base", 14) +
      (a.at("base").is_null() ? "unknown: the file does not say"
                              : "weights " + graft::printable(a.at("base").at("hash").get<std::string>()) +
                                    ", stored as " + graft::printable(a.at("base").at("storage").get<std::string>()) +
                                    configuration_text(a.at("base").at("configuration"))) +
      "\n\nsettings\n";
  for (auto const& [key, value] : a.at("settings").items())
    text += "  " + padded(graft::printable_name(key), 26) + value.dump(-1, ' ', false, Json::error_handler_t::replace) +
            "\n";
  text += "\ntensors\n";
  for (auto const& tensor : a.at("tensors"))
    text += "  " + padded(tensor.at("dtype"), 9) + padded(tensor.at("shape").dump(), 16) +
            graft::printable_name(tensor.at("name").get<std::string>()) + "\n";
  return text;
}

}  // namespace

int main(int argc, char** argv) {
  std::filesystem::path path;
  bool json = false;
  CLI::App app{
      "Says what is in a model (Hugging Face folder, safetensors file, GGUF file) or in an adapter folder.\nExit "
      "status: 0, 1 (failed), 2 "
      "(usage).",
      "inspect"};
  app.add_option("path", path, "Model or adapter")->required()->check(support::not_empty());
  app.add_flag("--json", json, "Print one JSON object");
  return support::run_program(app, argc, argv, [&] {
    bool const adapter =
        graft::is_there(path / "adapter_config.json") ||
        (graft::is_folder(path) && !graft::is_there(path / "config.json") && !graft::adapter_names(path).empty());
    Json const found = adapter ? adapter_json(path) : model_json(path);
    support::print(json      ? found.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n"
                   : adapter ? adapter_text(found)
                             : model_text(found));
  });
}
