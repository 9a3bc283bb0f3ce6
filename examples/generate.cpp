// Writes texts with a pretrained language model, with or without an adapter.
#include <algorithm>
#include <memory>
#include <optional>
#include <span>

#include <graft/data/text_file.hpp>
#include <graft/data/text_line.hpp>
#include <graft/generate/settings.hpp>
#include <graft/io/atomic_file.hpp>
#include <graft/text/stream_decoder.hpp>

#include "any_model/any_model.hpp"
#include "support/option_group.hpp"
#include "support/pair_tokens.hpp"
#include "support/program.hpp"
#include "support/signals.hpp"
#include "support/template_file.hpp"

namespace {

struct Settings {
  std::string model, adapter, sources, output;
  std::optional<std::string> prompt;
  support::TemplateOptions form;
  bool json = false, any_base = false, greedy = false, sample = false;
  std::optional<graft::Index> beams;
  graft::Sampling sampling;  // its limits serve all searches
  double length_penalty = 1.0;
  graft::Index batch = 32;
};

void add_search_options(CLI::App& app, Settings& s) {
  support::OptionGroup const option(app, "Search");
  auto const& positive = CLI::PositiveNumber;
  auto const& not_negative = CLI::NonNegativeNumber;
  auto& sampling = s.sampling;
  auto* const greedy = option.flag("--greedy", s.greedy, "Always the most probable token; the default");
  auto* const beams = option("--beams", s.beams, "Beam search with so many beams", positive)->excludes(greedy);
  auto* const sample = option.flag("--sample", s.sample, "Draw tokens at random")->excludes(greedy)->excludes(beams);
  option("--temperature", sampling.temperature, "Divides the logits when sampling", positive)->needs(sample);
  option("--top-k", sampling.top_k, "Sample from the k most probable tokens; 0: all", not_negative)->needs(sample);
  option("--top-p", sampling.top_p, "Sample from the most probable tokens of this mass", CLI::Range(0.0, 1.0))->needs(sample);
  option("--min-p", sampling.min_p, "Sample from tokens at least so probable, relative to the best", CLI::Range(0.0, 1.0))->needs(sample);
  option("--seed", sampling.seed, "Addresses the random numbers")->needs(sample);
  option("--sequences", sampling.sequences, "Texts for each prompt or source, with --sample or --beams: a line each", positive);
  option("--length-penalty", s.length_penalty, "Beam search: score = log-probability / length^penalty")->needs(beams);
  sampling.max_new_tokens = 60;
  option("--max-new", sampling.max_new_tokens, "Most new tokens", positive);
  option("--min-new", sampling.min_new_tokens, "No end before so many new tokens", not_negative);
  option("--repetition-penalty", sampling.repetition_penalty, "Above 1 discourages tokens that occurred", positive);
  option("--no-repeat-ngram", sampling.no_repeat_ngram, "N-grams of this size occur once; 0: no limit", not_negative);
  option("--batch", s.batch, "Texts written together; the result does not depend on it", positive);
  option("--max-source", s.form.max_source, "Longest source in tokens; 0: no limit (default: as the adapter was trained, else 0)", not_negative);
}

void add_options(CLI::App& app, Settings& s) {
  support::OptionGroup const option(app, "Options");
  option("--model", s.model, "Hugging Face folder or GGUF file")->required();
  auto* const adapter = option("--adapter", s.adapter, "Adapter folder, as finetune and PEFT write it (default: the model as it is)");
  option.flag("--any-base", s.any_base, "Use the adapter over other weights than it was made over, with a warning")->needs(adapter);
  auto* const prompt = option("--prompt", s.prompt, "Text to go on from");
  option("--sources", s.sources, "File with one source a line; gives one output a line: line breaks as \\n and \\r, a backslash as \\\\, which score reads back")
      ->excludes(prompt);
  option("--separator", s.form.separator, "Put after every source and prompt (default: what the adapter was trained with; nothing for a model as it is and for an adapter that does not say: PEFT's)");
  option.flag("--begin-token", s.form.begin_token, "Begin with the tokenizer's beginning token (default: as the adapter was trained, else as the tokenizer's own files have it)");
  option("--output", s.output, "File for the outputs (default: standard output)");
  option.flag("--json", s.json, "Print a JSON object a line for every text");
  add_search_options(app, s);
}

/// The limits that all searches share, copied from the settings that the options fill.
template <class Search>
Search with_limits(Settings const& s, Search search) {
  search.max_new_tokens = s.sampling.max_new_tokens, search.min_new_tokens = s.sampling.min_new_tokens,
  search.end_tokens = s.sampling.end_tokens;
  search.repetition_penalty = s.sampling.repetition_penalty, search.no_repeat_ngram = s.sampling.no_repeat_ngram;
  return search;
}

any_model::GenerationSettings search_of(Settings const& s) {
  if (s.sampling.sequences > 1 && !s.sample && !s.beams) throw support::UsageError("--sequences needs --sample or --beams");
  if (s.sample) return s.sampling;
  if (!s.beams) return with_limits(s, graft::Greedy{});
  if (s.sampling.sequences > *s.beams) throw support::UsageError("--sequences must not exceed --beams");
  graft::BeamSearch search;
  search.beams = *s.beams, search.length_penalty = s.length_penalty, search.sequences = s.sampling.sequences;
  return with_limits(s, search);
}

/// What one output's tokens stand for; of a prompt, with the white space that it goes on with.
std::string text_of(Settings const& s, support::PairTokens const& tokens, graft::Generated const& generated) {
  auto written = generated.tokens;
  if (generated.finished) written.pop_back();
  return s.prompt && tokens.tokenizer() ? tokens.tokenizer()->decode(written, true) : tokens.text(written);
}

class Writer {
 public:
  explicit Writer(std::string const& path) {
    if (!path.empty()) file_.emplace(path);
  }
  void line(std::string const& text) { file_ ? file_->write(text + "\n") : support::print(text + "\n"); }
  void finish() {
    if (file_) file_->commit();
  }

 private:
  std::optional<graft::AtomicFile> file_;
};

std::string json_line(Settings const& s, support::PairTokens const& tokens, std::string const& source, graft::Generated const& one) {
  nlohmann::ordered_json const line{{s.prompt ? "prompt" : "source", source},
                                    {"text", text_of(s, tokens, one)},
                                    {"tokens", one.tokens.size()},
                                    {"score", one.score},
                                    {"finished", one.finished}};
  return line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

/// One prompt on a terminal or a pipe: tokens appear as they are chosen.
void stream(Settings const& s, any_model::AnyModel& model, graft::Tokenizer const& tokenizer, std::vector<graft::Token> const& prompt,
            any_model::GenerationSettings search) {
  graft::StreamDecoder decoder(tokenizer, true);
  auto const show = [&](graft::Index, graft::Token token) {
    if (std::find(s.sampling.end_tokens.begin(), s.sampling.end_tokens.end(), token) == s.sampling.end_tokens.end())
      support::print(decoder.push(token));
  };
  if (auto* const greedy = std::get_if<graft::Greedy>(&search)) greedy->on_token = show;
  if (auto* const sampling = std::get_if<graft::Sampling>(&search)) sampling->on_token = show;
  static_cast<void>(model.generate({prompt}, search, s.batch));
  support::print(decoder.finish() + "\n");
}

std::vector<std::string> read_sources(Settings const& s) {
  if (s.prompt.has_value() == !s.sources.empty()) throw support::UsageError("expected --prompt or --sources");
  if (s.prompt) return {*s.prompt};
  std::vector<std::string> sources;
  std::string const text = graft::read_text_file(s.sources);
  for (auto const& line : graft::split_lines(text)) sources.emplace_back(graft::trim(line.text));
  if (sources.empty()) graft::fail<graft::FileError>("[", s.sources, "] got an empty file; expected one source a line");
  return sources;
}

/// The source or prompts as the model reads them.
std::unique_ptr<support::PairTokens> tokens_of(Settings const& s, any_model::AnyBase const& base) {
  auto const kind = support::text_kind(s.model, base.config(), base.info());
  if (kind == graft::TextKind::classes)
    graft::fail<graft::ConfigError>("[", s.model, "] is a ", base.config().architecture, " model, which classifies; expected one that writes text; hint: the program classify");
  return support::pair_tokens(s.model, support::template_to_use(s.model, s.adapter, kind, s.form));
}

void generate(Settings s) {
  if (!s.output.empty()) graft::check_output_file(s.output);
  auto const sources = read_sources(s);
  auto const base = any_model::load_base(s.model);
  auto const tokens = tokens_of(s, *base);
  s.sampling.end_tokens = {tokens->end_token()};
  auto const search = search_of(s);
  std::vector<std::vector<graft::Token>> prompts;
  for (auto const& source : sources) prompts.push_back(tokens->source(source));

  any_model::Method unadapted;
  unadapted.name = "none";
  auto const model = s.adapter.empty() ? base->adapt(unadapted) : base->load(s.adapter, {.any_base = s.any_base});
  bool const one_text = s.sampling.sequences == 1 && !s.beams;
  if (s.prompt && one_text && !s.json && s.output.empty() && tokens->tokenizer()) return stream(s, *model, *tokens->tokenizer(), prompts.front(), search);

  Writer writer(s.output);
  support::SignalWatch const signals;
  auto const per_prompt = s.beams ? *s.beams : s.sampling.sequences;
  auto const step = static_cast<std::size_t>(std::max<graft::Index>(1, s.batch / per_prompt));
  for (std::size_t first = 0; first < prompts.size() && support::SignalWatch::caught() == 0; first += step) {
    std::size_t const last = std::min(prompts.size(), first + step);
    auto piece = search;
    std::visit([&](auto& chosen) { chosen.first_prompt = static_cast<graft::Index>(first); }, piece);
    auto const texts = model->generate(
        {prompts.begin() + static_cast<std::ptrdiff_t>(first), prompts.begin() + static_cast<std::ptrdiff_t>(last)}, piece, s.batch);
    for (std::size_t i = first; i < last; ++i)
      for (auto const& one : texts[i - first]) {
        std::string const text = text_of(s, *tokens, one);
        writer.line(s.json ? json_line(s, *tokens, sources[i], one) : s.prompt && s.sampling.sequences == 1 ? text : graft::escape_line(text));
      }
    if (prompts.size() > step) std::fprintf(stderr, "%zu of %zu\n", last, prompts.size());
  }
  writer.finish();
  if (int const signal = support::SignalWatch::caught()) throw support::Interrupted(signal, graft::cat("[generate] was ended by signal ", signal, "; what was written until then is kept"));
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  CLI::App app{
      "Writes texts with a pretrained language model, with or without an adapter. One prompt's text appears as it is written.\n"
      "Exit status: 0, 1 (failed), 2 (usage), 130 and 143 (ended by SIGINT, SIGTERM: what was written is kept).",
      "generate"};
  add_options(app, settings);
  return support::run_program(app, argc, argv, [&] { generate(settings); });
}
