// Shows what an adapter does inside a model, on one text: the words nearest to its virtual tokens, what attention looks
// at, and how far it moves the states.
#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>

#include <graft/io/adapter_folder.hpp>
#include <graft/io/atomic_file.hpp>
#include <graft/text/printable.hpp>
#include <graft/text/utf8.hpp>

#include <graft/any/any_model.hpp>
#include "explanation.hpp"
#include "support/lengths.hpp"
#include "support/option_group.hpp"
#include "support/outputs.hpp"
#include "support/pair_tokens.hpp"
#include "support/profiling.hpp"
#include "support/program.hpp"
#include "support/template_file.hpp"

namespace {

using graft::Index, graft::SeenKind, graft::Stack, graft::Token;

struct Settings {
  std::string model, adapter, output;
  std::string source;
  std::optional<std::string> target;
  support::TemplateOptions form;
  bool json = false, weights = false, any_base = false;
  Index words = 8, max_new = 24;
};

void add_options(CLI::App& app, Settings& s) {
  support::OptionGroup const option(app, "Options");
  option("--model", s.model, "Hugging Face folder or GGUF file")->required();
  option("--adapter", s.adapter, "Adapter folder, as finetune and PEFT write it")->required();
  option.flag("--any-base", s.any_base, "Use the adapter over another base than it was made over, with a warning");
  option("--source", s.source, "The text that the model reads", support::utf8_text())->required();
  auto* const target = option("--target", s.target,
                              "The text that it writes (default: what it writes by greedy search); not of a classifier",
                              support::utf8_text());
  option("--max-new", s.max_new, "Most tokens that it writes", support::positive_number())->excludes(target);
  option("--words", s.words, "Nearest words of each virtual token", support::positive_number());
  option(
      "--separator", s.form.separator,
      "Put after the source (default: what the adapter was trained with; nothing for one that does not say: PEFT's)");
  option.flag("--begin-token", s.form.begin_token,
              "Begin with the tokenizer's beginning token (default: as the adapter was trained, else as the "
              "tokenizer's own files have it)");
  option("--max-source", s.form.max_source,
         "Longest source in tokens; 0: no limit (default: as the adapter was trained, else 0)",
         support::number_from_zero());
  option("--output", s.output, "File for a page (HTML, one file) of everything");
  auto* const json = option.flag("--json", s.json, "Print one JSON object");
  option.flag("--weights", s.weights, "With every single attention weight in it")->needs(json);
}

/// A token as people read it; a space is ␣, a line feed ↵.
std::string word_of(support::PairTokens const& tokens, Token token, bool of_target) {
  std::string text;
  auto const* const tokenizer = tokens.tokenizer();
  if (tokenizer && tokenizer->id_to_token(token)) {  // a model may have more embeddings than its tokenizer has tokens
    text = tokenizer->decode(std::vector<Token>{token});
    if (text.empty() || graft::replace_invalid_utf8(text) != text || text.find("\xEF\xBF\xBD") != std::string::npos)
      text = tokenizer->id_to_token(token).value_or("");
  } else if (!tokenizer && of_target) {
    text = tokens.text({token});
  }
  std::string shown;
  for (char c : text) shown += c == ' ' ? "␣" : c == '\n' ? "↵" : c == '\t' ? "⇥" : std::string(1, c);
  return shown.empty() ? "#" + std::to_string(token) : graft::replace_invalid_utf8(shown);
}

std::vector<std::string> words_of(support::PairTokens const& tokens, std::vector<Token> const& ids, bool of_target) {
  std::vector<std::string> words;
  for (Token id : ids) words.push_back(word_of(tokens, id, of_target));
  return words;
}

/// The example that is looked at: source and target as training has them.
graft::TokenizedExample example_of(Settings const& s, graft::any::AnyModel& model, support::PairTokens const& tokens,
                                   bool classifies, explain::Explanation& found) {
  graft::Truncation cut;
  graft::TokenizedExample example;
  if (s.target) {
    example = tokens.encode({{s.source, *s.target, {}, "", 0}}, cut).front();
    found.target = *s.target;
  } else {
    example.source = tokens.source(s.source, cut);
  }
  support::say_cut(cut);
  std::vector<graft::TokenizedExample> rows{example};
  support::Lengths lengths;
  static_cast<void>(lengths.fit(rows, std::vector<std::size_t>{0}, "--source", model.row_limits(), tokens.kept_end()));
  if (s.target || classifies) return example;
  Index const room = model.row_limits().longest_target(static_cast<Index>(example.source.size()));
  graft::Greedy search{.max_new_tokens = std::min(s.max_new, room)};
  if (auto const end = tokens.end_token()) search.end_tokens = {*end};
  for (Token end : model.config().ends) search.end_tokens.push_back(end);
  example.target = model.generate({example.source}, search).front().front().tokens;
  auto shown = example.target;
  if (!shown.empty() &&
      std::find(search.end_tokens.begin(), search.end_tokens.end(), shown.back()) != search.end_tokens.end())
    shown.pop_back();
  found.written = true;
  found.target = tokens.text(shown);
  return example;
}

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  auto const middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// Both passes have the text's own tokens in the same order; virtual ones are left out.
std::vector<explain::LayerNorms> compare_states(std::vector<graft::LayerStates> const& adapted,
                                                std::vector<graft::LayerStates> const& base) {
  auto const own = [](graft::LayerStates const& layer) {
    std::vector<Index> rows;
    for (std::size_t i = 0; i < layer.tokens.size(); ++i)
      if (layer.tokens[i].kind == SeenKind::source || layer.tokens[i].kind == SeenKind::target)
        rows.push_back(static_cast<Index>(i));
    return rows;
  };
  std::vector<explain::LayerNorms> all;
  for (std::size_t l = 0; l < adapted.size(); ++l) {
    auto const a = own(adapted[l]), b = own(base[l]);
    auto const norms = graft::state_norms(adapted[l]), base_norms = graft::state_norms(base[l]);
    std::vector<double> with, without, changes;
    for (std::size_t i = 0; i < a.size(); ++i) {
      double squares = 0;
      for (Index k = 0; k < adapted[l].states.width(); ++k) {
        double const difference = adapted[l].states.row(a[i])[k] - base[l].states.row(b[i])[k];
        squares += difference * difference;
      }
      with.push_back(norms[static_cast<std::size_t>(a[i])]);
      without.push_back(base_norms[static_cast<std::size_t>(b[i])]);
      if (without.back() > 0) changes.push_back(std::sqrt(squares) / without.back());
    }
    all.push_back({adapted[l].at, median(with), median(without), median(changes)});
  }
  return all;
}

explain::Explanation look(Settings const& s) {
  explain::Explanation found;
  auto const base = graft::any::load_base(s.model);
  auto const& info = base->info();
  auto const kind = support::text_kind(s.model, base->config(), info);
  if (info.classifies && s.target)
    graft::fail<graft::ConfigError>("[", s.model, "] is a ", base->config().architecture,
                                    " model, which classifies and writes no text; expected no --target");
  auto const form = support::template_to_use(s.model, s.adapter, kind, s.form);
  auto const tokens = support::pair_tokens(s.model, form, 0, !s.target);
  auto const adapted = base->load(s.adapter, {.any_base = s.any_base});
  graft::any::Choice unadapted;
  unadapted.strategy = "none";
  auto const plain = base->adapt(unadapted);

  found.model = s.model, found.adapter = s.adapter, found.source = s.source;
  found.architecture = base->config().architecture;
  found.strategy = graft::AdapterFolder::open(s.adapter).kind();
  auto const example = example_of(s, *adapted, *tokens, info.classifies, found);

  auto inspection = adapted->inspect(example);
  auto const before = plain->inspect(example, {.attention = false});
  found.norms = compare_states(inspection.states, before.states);
  found.attention = std::move(inspection.attention);
  if (info.classifies)
    found.label = adapted->classify({example}).front();
  else if (!example.target.empty())
    found.loss = adapted->loss({example}), found.base_loss = plain->loss({example});
  bool const two_stacks = base->config().encoder.has_value();
  found.source_words = words_of(*tokens, example.source, false);
  if (two_stacks) {
    auto read = example.target;
    read.insert(read.begin(), base->config().decoder_start);
    found.target_words = words_of(*tokens, read, true);
  } else {
    found.target_words = found.source_words;
    for (auto const& word : words_of(*tokens, example.target, true)) found.target_words.push_back(word);
  }
  for (auto& token : adapted->nearest_words(s.words)) {
    explain::VirtualToken shown{std::move(token), {}, {}};
    bool const of_target = shown.place.stack == Stack::decoder;
    for (auto const& near : shown.place.words.by_cosine)
      shown.by_cosine.push_back({near, word_of(*tokens, near.token, of_target)});
    for (auto const& near : shown.place.words.by_distance)
      shown.by_distance.push_back({near, word_of(*tokens, near.token, of_target)});
    found.virtual_tokens.push_back(std::move(shown));
  }
  return found;
}

/// @throws NumericError where a state, an attention weight or the loss is not finite: a picture of it would show
/// nothing
void check_finite(explain::Explanation const& found) {
  auto const finite = [](double value) { return std::isfinite(value); };
  bool good = finite(found.loss.value_or(0)) && finite(found.base_loss.value_or(0));
  for (auto const& layer : found.norms) good = good && finite(layer.adapted) && finite(layer.base);
  for (auto const& map : found.attention)
    good = good && std::all_of(map.weights.data(), map.weights.data() + map.weights.size(), finite);
  if (!good)
    graft::fail<graft::NumericError>("[", found.adapter,
                                     "] gives states or a loss that are not finite on this text; expected numbers; "
                                     "hint: the model's weights or the adapter's parameters are broken");
}

void run(Settings const& s) {
  support::Outputs const outputs({{"--model", s.model}, {"--adapter", s.adapter}}, {"", ""}, {{"--output", s.output}});
  auto const found = look(s);
  check_finite(found);
  if (!s.output.empty()) {
    graft::AtomicFile page(s.output);
    page.write(explain::to_html(found));
    page.commit();
  }
  support::print(
      s.json ? explain::to_json(found, s.weights).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n"
             : explain::to_text(found));
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  CLI::App app{
      "Shows what an adapter does inside a model, on one text: the words nearest to its virtual tokens (by cosine and "
      "by "
      "distance), how much attention goes to prefix, source and target in every layer and head, and how far it moves "
      "the states.\nExit status: 0, 1 (failed), 2 (usage).",
      "explain"};
  add_options(app, settings);
  support::Profiling const profiling(app);
  return support::run_program(app, argc, argv, [&] { run(settings); });
}
