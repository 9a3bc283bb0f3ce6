// Goes between adapter layouts, combines adapters, and merges one into its base.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <graft/any/any_model.hpp>
#include <graft/io/atomic_folder.hpp>
#include <graft/io/path_lock.hpp>
#include <graft/io/prompt_file.hpp>
#include <graft/io/save_pretrained.hpp>
#include <graft/io/template_file.hpp>
#include <graft/train/progress.hpp>

#include "support/model_info.hpp"
#include "support/option_group.hpp"
#include "support/outputs.hpp"
#include "support/paths.hpp"
#include "support/program.hpp"
#include "support/template_file.hpp"

namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

struct Settings {
  std::string adapter, model, output, format = "automatic";
  std::vector<std::string> combine;
  std::optional<std::string> combination;
  graft::CombineSettings sum;
  bool merge = false, any_base = false, json = false;
};

std::map<std::string, graft::AdapterFormat> const formats{{"automatic", graft::AdapterFormat::automatic},
                                                          {"peft", graft::AdapterFormat::peft},
                                                          {"graft", graft::AdapterFormat::graft}};
std::map<std::string, graft::Combination> const combinations{
    {"svd", graft::Combination::svd}, {"linear", graft::Combination::linear}, {"cat", graft::Combination::cat}};

void add_options(CLI::App& app, Settings& s) {
  support::OptionGroup const option(app, "Options");
  auto* const adapter =
      option("--adapter", s.adapter,
             "Adapter folder (graft's or PEFT's), or a soft prompt [virtual tokens, width] as a .npy file");
  option("--model", s.model,
         "The adapter's base: Hugging Face folder or GGUF file. Not needed for a .npy file as output; of a .npy file "
         "as input only "
         "config.json is read");
  option("--output", s.output, "Folder to write; or a .npy file, for a soft prompt")->required();
  option("--format", s.format, "Of an adapter folder: peft or graft; automatic: peft where PEFT can express it",
         CLI::IsMember({"automatic", "peft", "graft"}));
  option.flag("--merge", s.merge, "Write the base with the adapter in its weights, as a Hugging Face folder");
  option.flag("--any-base", s.any_base,
              "Take adapters that were made over another base than this model, with a warning");
  option.flag("--json", s.json, "Print one JSON object");
  support::OptionGroup const sum(app, "Weighted sum");
  auto* const combine =
      sum("--combine", s.combine, "LoRA or (IA)³ adapters as FOLDER:WEIGHT, in place of --adapter")->excludes(adapter);
  sum("--combination", s.combination,
      "Of LoRA: svd (the nearest sum of that rank), linear (approximate) or cat (exact; ranks add up) (default: svd)",
      CLI::IsMember({"svd", "linear", "cat"}))
      ->needs(combine);
  sum("--rank", s.sum.rank, "Of svd; 0: the largest of the adapters'", support::number_from_zero())->needs(combine);
}

std::pair<fs::path, double> folder_and_weight(std::string const& text) {
  auto const colon = text.rfind(':');
  if (colon != std::string::npos && colon > 0 && colon + 1 < text.size()) {
    char* end = nullptr;
    double const weight = std::strtod(text.c_str() + colon + 1, &end);
    if (*end == '\0' && std::isfinite(weight)) return {text.substr(0, colon), weight};
  }
  throw support::UsageError("--combine got '" + text + "'; expected FOLDER:WEIGHT, such as reviews:0.7");
}

bool is_array(fs::path const& path) { return path.extension() == ".npy"; }

/// What contradicts itself is said before anything is read.
void check(Settings const& s) {
  if (s.adapter.empty() && s.combine.empty()) throw support::UsageError("expected --adapter or --combine");
  bool const to_array = is_array(s.output), from_array = is_array(s.adapter);
  if (to_array && !s.model.empty())
    throw support::UsageError(
        "--model has no effect on a .npy file as output: a soft prompt is all that is in it; leave it out");
  if (s.sum.rank > 0 && s.combination && *s.combination != "svd")
    throw support::UsageError("--rank has no effect with --combination " + *s.combination +
                              ", which has a rank of its own; leave it out");
  if (to_array && (s.merge || !s.combine.empty() || s.format != "automatic" || from_array))
    throw support::UsageError(
        "a .npy file as output takes the soft prompt of an --adapter folder, and no --format, --merge or --combine");
  if (!to_array && s.model.empty()) throw support::UsageError("expected --model, the base that the adapter belongs to");
  if (s.merge && (from_array || s.format != "automatic"))
    throw support::UsageError(
        "--merge writes a model: no soft prompt is in its weights, and it has no adapter --format");
  if (s.any_base && (to_array || from_array))
    throw support::UsageError(
        "--any-base has no effect with a .npy file, which does not say what it was made over; leave it out");
  support::check_names({{"--output", s.output}});
  auto const is_output = [&](fs::path const& path) {
    std::error_code missing;  // reading it says so
    return fs::exists(path, missing) && support::same_place(s.output, path);
  };
  if (is_output(s.model)) throw support::UsageError("--output is the model itself; expected another folder");
  if (!s.merge) return;
  bool const part = std::any_of(s.combine.begin(), s.combine.end(),
                                [&](auto const& one) { return is_output(folder_and_weight(one).first); });
  if (part || is_output(s.adapter))
    throw support::UsageError(
        "--output is the adapter itself, which a merged model would replace; expected another folder");
}

/// The files of a Hugging Face folder that belong to a model beside its weights.
constexpr std::array model_files{"tokenizer.json",
                                 "tokenizer_config.json",
                                 "special_tokens_map.json",
                                 "added_tokens.json",
                                 "vocab.json",
                                 "merges.txt",
                                 "vocab.txt",
                                 "spiece.model",
                                 "tokenizer.model",
                                 "sentencepiece.bpe.model",
                                 "chat_template.jinja",
                                 "generation_config.json"};

/// What an earlier model or adapter in the output's place must not leave there.
bool belongs_to_model(std::string const& name) {
  return graft::is_weights_file(name) || std::find(model_files.begin(), model_files.end(), name) != model_files.end();
}

bool replaced_by_model(std::string_view name) { return name == "config.json" || belongs_to_model(std::string(name)); }

Json copy_tokenizer(fs::path const& model, fs::path const& folder) {
  Json copied = Json::array();
  for (char const* name : model_files) {
    std::error_code missing;
    if (!fs::is_regular_file(model / name, missing)) continue;
    std::error_code failed;
    fs::copy_file(model / name, folder / name, failed);
    if (failed)
      graft::fail<graft::FileError>("[", (model / name).string(),
                                    "] cannot be copied to the output; got: ", failed.message(),
                                    "; what was there before is unchanged");
    copied.push_back(name);
  }
  return copied;
}

/// The template of a sum: the first part's. Where another part has been trained with another, a warning says so.
std::map<std::string, std::string> template_of(fs::path const& first,
                                               std::vector<std::pair<fs::path, double>> const& parts) {
  auto const text = [](fs::path const& folder) {
    auto const saved = graft::load_template(folder);
    return saved ? graft::template_text(*saved) : std::string();
  };
  std::string const own = text(first);
  for (auto const& [folder, weight] : parts)
    if (text(folder) != own)
      graft::warn("[", folder.string(), "] was trained with another template than ", first.string(),
                  ", or one of them does not say; got different ", graft::template_file,
                  "; the sum has that of the first");
  if (own.empty()) return {};
  return {{graft::template_file, own}};
}

/// The base that PEFT's and graft's folders name, as the adapter had it.
std::optional<std::string> base_name(fs::path const& adapter) {
  auto const folder = graft::AdapterFolder::open(adapter);
  auto const found = folder.config.find("base_model_name_or_path");
  if (found == folder.config.end() || !found->is_string()) return std::nullopt;
  return found->get<std::string>();
}

Json about_adapter(fs::path const& path) {
  auto const folder = graft::AdapterFolder::open(path);
  auto const file = folder.tensors();
  std::int64_t parameters = 0;
  for (auto const& entry : file.entries()) {
    std::int64_t values = 1;
    for (auto const extent : entry.shape) values *= extent;
    parameters += values;
  }
  return {{"kind", "adapter"},
          {"strategy", folder.kind()},
          {"format", folder.is_peft() ? "PEFT" : "graft"},
          {"parameters", parameters}};
}

Json convert(Settings const& s) {
  check(s);
  graft::AdapterOptions options;
  options.format = formats.at(s.format);
  if (is_array(s.output)) {
    graft::check_output_file(s.output);
    std::optional<graft::PathLock> lock;
    if (graft::detail::output_path(s.output).kind == graft::detail::OutputKind::file) lock.emplace(s.output);
    auto const prompt = graft::read_prompt(s.adapter);
    graft::write_prompt(s.output, prompt);
    return {{"kind", "array"}, {"shape", {prompt.rows(), prompt.width()}}};
  }
  if (!s.merge) support::check_holds_no_model(s.output);
  graft::check_output_folder(s.output, s.merge ? replaced_by_model : graft::is_adapter_file);
  graft::PathLock const lock(s.output);
  if (is_array(s.adapter)) {
    options.base_model = s.model;
    graft::save_prompt(graft::read_prompt(s.adapter), support::model_info(fs::path(s.model)), s.output, options);
    return about_adapter(s.output);
  }
  std::vector<std::pair<fs::path, double>> parts;
  for (auto const& part : s.combine) parts.push_back(folder_and_weight(part));
  fs::path const first = parts.empty() ? fs::path(s.adapter) : parts.front().first;
  options.base_model = base_name(first);
  if (parts.empty()) support::say_unread_files(s.model, first);
  for (auto const& [folder, weight] : parts) support::say_unread_files(s.model, folder);
  auto const base = graft::any::load_base(s.model);
  auto const model = parts.empty() ? base->load(first, {.any_base = s.any_base})
                                   : base->combine(parts, s.sum, {.any_base = s.any_base});
  options.files = template_of(first, parts);
  if (!s.merge) {
    model->save(s.output, options);
    return about_adapter(s.output);
  }
  graft::AtomicFolder files(s.output);
  model->save_merged(files.staging());
  Json const copied = copy_tokenizer(s.model, files.staging());
  for (auto const& [name, text] : options.files)
    graft::write_file_atomic(files.staging() / name,
                             text);  // generation with the merged model needs it as the adapter's did
  files.replace(belongs_to_model);
  files.commit();
  return {{"kind", "model"},
          {"architecture", model->config().architecture},
          {"parameters", base->info().parameters()},
          {"copied", copied}};
}

std::string in_words(Json const& done) {
  if (done.at("kind") == "array")
    return graft::cat("a soft prompt of ", done.at("shape")[0].get<graft::Index>(), " virtual tokens of width ",
                      done.at("shape")[1].get<graft::Index>());
  std::string const parameters = graft::grouped(done.at("parameters")) + " parameters";
  if (done.at("kind") == "model")
    return graft::cat("a ", done.at("architecture").get<std::string>(), " model of ", parameters, " and ",
                      done.at("copied").size(), " files of the base");
  return graft::cat("a ", done.at("strategy").get<std::string>(), " adapter of ", parameters, " in ",
                    done.at("format").get<std::string>(), "'s format");
}

}  // namespace

int main(int argc, char** argv) {
  Settings s;
  CLI::App app{
      "Goes between adapter layouts: graft's folders and PEFT's, soft prompts as .npy files and as folders. Writes the "
      "weighted sum of "
      "several adapters as one, and a base with an "
      "adapter merged into it. What is written appears as a whole or not at all.\nExit status: 0, 1 (failed), 2 "
      "(usage).",
      "convert"};
  add_options(app, s);
  return support::run_program(app, argc, argv, [&] {
    if (s.combination) s.sum.combination = combinations.at(*s.combination);
    Json done = convert(s);
    done["output"] = s.output;
    support::print(s.json ? done.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"
                          : "wrote " + in_words(done) + " to " + s.output + "\n");
  });
}
