// Writes texts with a pretrained language model, with or without an adapter.
#include <algorithm>
#include <memory>
#include <optional>
#include <span>

#include <graft/data/template.hpp>
#include <graft/generate/settings.hpp>
#include <graft/io/atomic_file.hpp>
#include <graft/io/load_tokenizer.hpp>
#include <graft/text/stream_decoder.hpp>

#include "any_model/any_model.hpp"
#include "support/lengths.hpp"
#include "support/option_group.hpp"
#include "support/option_rules.hpp"
#include "support/program.hpp"
#include "support/template_file.hpp"
#include "support/text.hpp"

namespace {

struct Settings {
  std::string model, adapter, sources, output;
  std::optional<std::string> prompt, separator;
  bool json = false, greedy = false, sample = false, begin_token = false;
  std::optional<graft::Index> beams;
  graft::Sampling sampling;  // its limits serve all searches
  double length_penalty = 1.0;
  graft::Index batch = 32, max_source = 0;
  support::Lengths lengths;
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
  option("--sequences", sampling.sequences, "Texts for each prompt, with --sample or --beams", positive);
  option("--length-penalty", s.length_penalty, "Beam search: score = log-probability / length^penalty")->needs(beams);
  sampling.max_new_tokens = 60;
  option("--max-new", sampling.max_new_tokens, "Most new tokens", positive);
  option("--min-new", sampling.min_new_tokens, "No end before so many new tokens", not_negative);
  option("--repetition-penalty", sampling.repetition_penalty, "Above 1 discourages tokens that occurred", positive);
  option("--no-repeat-ngram", sampling.no_repeat_ngram, "N-grams of this size occur once; 0: no limit", not_negative);
  option("--batch", s.batch, "Texts written together; the result does not depend on it", positive);
  option("--max-source", s.max_source, "Longest source in tokens; 0: no limit", not_negative);
  s.lengths.add_to(option, "; a line that is skipped gives an empty one");
}

void add_options(CLI::App& app, Settings& s) {
  support::OptionGroup const option(app, "Options");
  option("--model", s.model, "Hugging Face folder or GGUF file")->required();
  option("--adapter", s.adapter, "Adapter folder, as finetune and PEFT write it (default: the model as it is)");
  auto* const prompt = option("--prompt", s.prompt, "Text to go on from");
  option("--sources", s.sources, "File with one source a line; gives one output a line (the first line of what the model writes)")
      ->excludes(prompt);
  option("--separator", s.separator,
         "Put after every source (default: what the adapter was trained with; else ' ->' for --sources, nothing for --prompt)");
  option.flag("--begin-token", s.begin_token, "Begin with the tokenizer's beginning token (default: as the adapter was trained)");
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

graft::Template template_of(Settings const& s) {
  graft::Template form;
  form.separator = s.prompt ? "" : form.separator;
  if (!s.adapter.empty())
    if (auto const saved = support::load_template(s.adapter)) form = *saved;
  form.separator = s.separator.value_or(form.separator);
  form.begin_token = form.begin_token || s.begin_token;
  return form;
}

/// Text and tokens of one output.
std::string text_of(graft::Tokenizer const& tokenizer, graft::Generated const& generated) {
  std::span<graft::Token const> tokens = generated.tokens;
  return tokenizer.decode(generated.finished ? tokens.first(tokens.size() - 1) : tokens, true);
}

/// Keeps the outputs in order. A file appears when all are written, or when a failure ends the writing: with those before it.
class Writer {
 public:
  explicit Writer(std::string const& path) {
    if (!path.empty()) file_.emplace(path);
  }
  /// The output of one more source.
  void done() { ++sources_; }
  [[nodiscard]] std::size_t sources() const { return sources_; }
  void line(std::string const& text) { file_ ? file_->write(text + "\n") : support::print(text + "\n"); }
  void finish() {
    if (file_) file_->commit();
  }

  /// After a failure; says what is kept.
  void keep(std::string const& path, std::size_t of) {
    if (!file_ || sources_ == 0) return;
    file_->commit();
    std::fprintf(stderr, "kept the outputs of the first %zu of %zu sources in %s\n", sources_, of, path.c_str());
  }

 private:
  std::optional<graft::AtomicFile> file_;
  std::size_t sources_ = 0;
};

std::string json_line(Settings const& s, graft::Tokenizer const& tokenizer, std::string const& source, graft::Generated const& one) {
  std::string const text = text_of(tokenizer, one);
  nlohmann::ordered_json const line{{s.prompt ? "prompt" : "source", source},
                                    {"text", s.prompt ? text : support::first_line(text)},
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

struct Sources {
  std::vector<std::string> texts;
  std::vector<std::size_t> lines;  ///< of the file; 0 for --prompt
};

Sources read_sources(Settings const& s) {
  if (s.prompt) return {{*s.prompt}, {0}};
  Sources sources;
  std::string const text = graft::read_text_file(s.sources);
  for (auto const& line : graft::split_lines(text)) {
    sources.texts.emplace_back(graft::trim(line.text));
    sources.lines.push_back(line.number);
  }
  if (sources.texts.empty()) graft::fail<graft::FileError>("[", s.sources, "] got an empty file; expected one source a line");
  return sources;
}

void check_options(CLI::App const& app, Settings const& s) {
  if (s.prompt.has_value() == !s.sources.empty()) throw support::UsageError("expected --prompt or --sources");
  if (s.prompt && s.sampling.sequences == 1) support::refuse_given(app, {"--batch"}, "on a single text");
}

/// Writes the outputs of all prompts, in pieces; `kept` are the numbers of their sources, of which others were skipped.
void write_all(Settings const& s, any_model::AnyModel& model, graft::Tokenizer const& tokenizer, Sources const& sources, std::vector<std::vector<graft::Token>> const& prompts,
               std::vector<std::size_t> const& kept, any_model::GenerationSettings const& search, Writer& writer) {
  auto const skip_to = [&](std::size_t source) {
    for (; writer.sources() < source; writer.done())
      writer.line(s.json ? nlohmann::ordered_json{{s.prompt ? "prompt" : "source", sources.texts[writer.sources()]}, {"text", nullptr}, {"skipped", true}}.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)
                         : "");
  };
  auto const per_prompt = s.beams ? *s.beams : s.sampling.sequences;
  auto const step = static_cast<std::size_t>(std::max<graft::Index>(1, s.batch / per_prompt));
  for (std::size_t first = 0; first < prompts.size(); first += step) {
    std::size_t const last = std::min(prompts.size(), first + step);
    auto piece = search;
    std::visit([&](auto& chosen) { chosen.first_prompt = static_cast<graft::Index>(first); }, piece);
    auto const texts = model.generate(
        {prompts.begin() + static_cast<std::ptrdiff_t>(first), prompts.begin() + static_cast<std::ptrdiff_t>(last)}, piece, s.batch);
    for (std::size_t i = first; i < last; ++i) {
      skip_to(kept[i]);
      for (auto const& one : texts[i - first]) {
        std::string const text = text_of(tokenizer, one);
        writer.line(s.json ? json_line(s, tokenizer, sources.texts[kept[i]], one) : s.prompt ? text : support::first_line(text));
      }
      writer.done();
    }
    if (prompts.size() > step) std::fprintf(stderr, "%zu of %zu\n", last, prompts.size());
  }
  skip_to(sources.texts.size());
}

void generate(CLI::App const& app, Settings s) {
  check_options(app, s);
  auto const sources = read_sources(s);
  auto const form = template_of(s);
  auto const tokenizer = graft::load_tokenizer(s.model);
  graft::TemplateEncoder const encoder(tokenizer, form, {s.max_source, 0});
  s.sampling.end_tokens = {encoder.end_token()};
  auto const search = search_of(s);
  std::vector<std::vector<graft::Token>> prompts;
  for (auto const& source : sources.texts) prompts.push_back(encoder.source(source));

  any_model::Method unadapted;
  unadapted.name = "none";
  auto const base = any_model::load_base(s.model);
  auto const model = s.adapter.empty() ? base->adapt(unadapted) : base->load(s.adapter);
  if (base->info().classifies) graft::fail<graft::ConfigError>("[generate] got a ", base->config().architecture, " model, which classifies; expected one that writes text; hint: the program classify");
  auto const kept = s.lengths.fit_prompts(prompts, sources.lines, s.prompt ? "--prompt" : s.sources, model->row_limits(), s.sampling.max_new_tokens, encoder.kept_end()).kept;
  s.lengths.say();
  bool const one_text = s.sampling.sequences == 1 && !s.beams;
  if (s.prompt && one_text && !s.json && s.output.empty() && !prompts.empty()) return stream(s, *model, tokenizer, prompts.front(), search);

  Writer writer(s.output);
  try {
    write_all(s, *model, tokenizer, sources, prompts, kept, search, writer);
  } catch (std::exception const&) {
    writer.keep(s.output, sources.texts.size());
    throw;
  }
  writer.finish();
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  CLI::App app{
      "Writes texts with a pretrained language model, with or without an adapter. One prompt's text appears as it is written.\n"
      "Exit status: 0, 1 (failed), 2 (usage).",
      "generate"};
  add_options(app, settings);
  return support::run_program(app, argc, argv, [&] { generate(app, settings); });
}
