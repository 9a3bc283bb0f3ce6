// Writes texts with a pretrained language model, with or without an adapter.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include <graft/any/any_model.hpp>
#include <graft/data/text_file.hpp>
#include <graft/data/text_line.hpp>
#include <graft/io/atomic_file.hpp>
#include <graft/text/stream_decoder.hpp>

#include "support/device_options.hpp"
#include "support/lengths.hpp"
#include "support/option_group.hpp"
#include "support/option_rules.hpp"
#include "support/outputs.hpp"
#include "support/pair_tokens.hpp"
#include "support/profiling.hpp"
#include "support/program.hpp"
#include "support/search_options.hpp"
#include "support/signals.hpp"
#include "support/template_file.hpp"
#include "support/unfinished.hpp"

namespace {

struct Settings {
  std::string model, adapter, sources, output;
  std::optional<std::string> prompt;
  support::TemplateOptions form;
  support::DeviceOptions device;
  bool json = false, any_base = false;
  support::SearchOptions search;
  graft::Index batch = 32;
  support::Lengths lengths;
};

void add_search_options(CLI::App& app, Settings& s) {
  s.search.add_to(app, "Search");
  s.search.add_sampling_to(app, "Search");
  support::OptionGroup const option(app, "Search");
  option("--batch", s.batch,
         "Texts written together; the texts do not depend on it, the scores but for their last digits",
         support::positive_number());
  option("--max-source", s.form.max_source,
         "Longest source in tokens; 0: no limit (default: as the adapter was trained, else 0)",
         support::number_from_zero());
  s.lengths.add_to(option, "; a line that is skipped gives an empty one");
}

void add_options(CLI::App& app, Settings& s) {
  support::OptionGroup const option(app, "Options");
  option("--model", s.model, "Hugging Face folder or GGUF file")->required();
  auto* const adapter =
      option("--adapter", s.adapter, "Adapter folder, as finetune and PEFT write it (default: the model as it is)");
  option.flag("--any-base", s.any_base, "Use the adapter over another base than it was made over, with a warning")
      ->needs(adapter);
  auto* const prompt = option("--prompt", s.prompt, "Text to go on from");
  option("--sources", s.sources,
         "File with one source a line; gives one output a line: line breaks as \\n and \\r, a backslash as \\\\, which "
         "score reads back")
      ->excludes(prompt);
  option("--separator", s.form.separator,
         "Put after every source and prompt (default: what the adapter was trained with; nothing for a model as it is "
         "and for an adapter "
         "that does not say: PEFT's)");
  option.flag("--begin-token", s.form.begin_token,
              "Begin with the tokenizer's beginning token (default: as the adapter was trained, else as the "
              "tokenizer's own files have it)");
  option("--output", s.output, "File for the outputs (default: standard output)");
  s.device.add_to(option);
  option.flag("--json", s.json, "Print a JSON object a line for every text");
  add_search_options(app, s);
}

/// What one output's tokens stand for; of a prompt, with the white space that it goes on with.
std::string text_of(Settings const& s, support::PairTokens const& tokens, graft::Generated const& generated) {
  auto written = generated.tokens;
  if (generated.finished) written.pop_back();
  return s.prompt && tokens.tokenizer() ? tokens.tokenizer()->decode(written, true) : tokens.text(written);
}

/// Keeps the outputs in order. A file appears when all are written, or when a failure or a signal ends the writing:
/// with those before it, beside an earlier file of its name.
class Writer {
 public:
  explicit Writer(std::string const& path) : path_(path) {
    if (!path.empty()) file_.emplace(path);
  }
  /// The output of one more source.
  void done() { ++sources_, whole_ = written_; }
  [[nodiscard]] std::size_t sources() const { return sources_; }
  void line(std::string const& text) {
    if (!file_) return support::print(text + "\n");
    file_->write(text + "\n");
    written_ += text.size() + 1;
  }
  void finish() {
    if (file_) file_->commit();
  }

  /// In place of `finish`, when not all are written; says what is kept.
  void keep(std::size_t of) {
    if (!file_ || sources_ == 0) return;
    try {
      file_->shorten(whole_);  // a line that a full disk has broken off
      support::keep_unfinished_outputs(
          path_, "outputs", sources_, of, "sources",
          [&](std::string const& place, bool beside) { beside ? file_->commit_as(place) : file_->commit(); });
    } catch (graft::FileError const& error) {
      std::fprintf(stderr, "the outputs of the first %zu of %zu sources are lost: %s\n", sources_, of, error.what());
    }
  }

 private:
  std::string path_;
  std::optional<graft::AtomicFile> file_;
  std::size_t sources_ = 0;
  std::uint64_t written_ = 0, whole_ = 0;  ///< bytes, and those of whole sources
};

std::string json_line(Settings const& s, support::PairTokens const& tokens, std::string const& source,
                      graft::Generated const& one) {
  nlohmann::ordered_json const line{{s.prompt ? "prompt" : "source", source},
                                    {"text", text_of(s, tokens, one)},
                                    {"tokens", one.tokens.size()},
                                    {"score", one.score},
                                    {"finished", one.finished}};
  return line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

/// One prompt on a terminal or a pipe: tokens appear as they are chosen.
void stream(Settings const& s, graft::any::AnyModel& model, graft::Tokenizer const& tokenizer,
            std::vector<graft::Token> const& prompt, graft::any::GenerationSettings search,
            std::vector<graft::Token> const& ends) {
  graft::StreamDecoder decoder(tokenizer, true);
  auto const show = [&](graft::Index, graft::Token token) {
    if (std::find(ends.begin(), ends.end(), token) == ends.end()) support::print(decoder.push(token));
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
  if (sources.texts.empty())
    graft::fail<graft::FileError>("[", s.sources, "] got an empty file; expected one source a line");
  return sources;
}

void check_options(CLI::App const& app, Settings const& s) {
  if (s.prompt.has_value() == !s.sources.empty()) throw support::UsageError("expected --prompt or --sources");
  if (s.prompt && s.search.sequences.value_or(1) == 1) support::refuse_given(app, {"--batch"}, "on a single text");
}

/// The source or prompts as the model reads them.
std::unique_ptr<support::PairTokens> tokens_of(Settings const& s, graft::any::AnyBase const& base) {
  auto const kind = support::text_kind(s.model, base.config(), base.info());
  if (kind == graft::TextKind::classes)
    graft::fail<graft::ConfigError>(
        "[", s.model, "] is a ", base.config().architecture,
        " model, which classifies; expected one that writes text; hint: the program classify");
  return support::pair_tokens(s.model, support::template_to_use(s.model, s.adapter, kind, s.form), 0, true);
}

/// Writes the outputs of all prompts, in pieces; `kept` are the numbers of their sources, of which others were skipped.
void write_all(Settings const& s, graft::any::AnyModel& model, support::PairTokens const& tokens,
               Sources const& sources, std::vector<std::vector<graft::Token>> const& prompts,
               std::vector<std::size_t> const& kept, support::Search const& search, Writer& writer) {
  auto const skip_to = [&](std::size_t source) {
    for (; writer.sources() < source; writer.done())
      writer.line(s.json ? nlohmann::ordered_json{{s.prompt ? "prompt" : "source", sources.texts[writer.sources()]},
                                                  {"text", nullptr},
                                                  {"skipped", true}}
                               .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)
                         : "");
  };
  std::vector<graft::any::GenerationSettings> each;
  for (auto const& prompt : prompts) each.push_back(search.for_prompt(static_cast<graft::Index>(prompt.size())));
  auto const step = static_cast<std::size_t>(std::max<graft::Index>(1, s.batch / search.texts_per_prompt()));
  std::size_t first = 0;
  for (std::size_t last = 0; first < prompts.size() && support::SignalWatch::caught() == 0; first = last) {
    auto piece = each[first];
    support::ask_for_signals(piece);
    last = first + 1;  // prompts that may have equally many new tokens are written together
    while (last < std::min(prompts.size(), first + step) &&
           support::max_new_of(each[last]) == support::max_new_of(piece) &&
           support::min_new_of(each[last]) == support::min_new_of(piece))
      ++last;
    std::visit([&](auto& chosen) { chosen.first_prompt = static_cast<graft::Index>(first); }, piece);
    auto const texts = model.generate(
        {prompts.begin() + static_cast<std::ptrdiff_t>(first), prompts.begin() + static_cast<std::ptrdiff_t>(last)},
        piece, s.batch);
    for (std::size_t i = first; i < last; ++i) {
      skip_to(kept[i]);
      for (auto const& one : texts[i - first]) {
        std::string const text = text_of(s, tokens, one);
        writer.line(s.json                                ? json_line(s, tokens, sources.texts[kept[i]], one)
                    : s.prompt && search.sequences() == 1 ? text
                                                          : graft::escape_line(text));
      }
      writer.done();
    }
    if (prompts.size() > step) std::fprintf(stderr, "%zu of %zu\n", last, prompts.size());
  }
  if (first >= prompts.size()) skip_to(sources.texts.size());
}

void generate(CLI::App const& app, Settings s) {
  check_options(app, s);
  s.device.check();
  support::Outputs const outputs({{"--sources", s.sources}, {"--model", s.model}, {"--adapter", s.adapter}}, {"", ""},
                                 {{"--output", s.output}});
  auto const sources = read_sources(s);
  auto search = s.search.search(graft::generation_config(s.model));
  auto const base = graft::any::load_base(s.model, s.device.placement());
  auto const tokens = tokens_of(s, *base);
  std::vector<std::vector<graft::Token>> prompts;
  graft::Truncation cut;
  for (auto const& source : sources.texts) prompts.push_back(tokens->source(source, cut));
  support::say_cut(cut);

  graft::any::Choice const unadapted{.strategy = "none"};
  auto const model = s.adapter.empty() ? base->adapt(unadapted) : base->load(s.adapter, {.any_base = s.any_base});
  search.complete(model->config(), tokens->end_token(), !s.adapter.empty(), model->row_limits());
  support::say_taken("generate", search);
  auto const kept = s.lengths
                        .fit_prompts(prompts, sources.lines, s.prompt ? "--prompt" : s.sources, model->row_limits(),
                                     search.least_room(), tokens->kept_end())
                        .kept;
  s.lengths.say();
  bool const one_text = search.texts_per_prompt() == 1 && !search.beams();
  if (s.prompt && one_text && !s.json && s.output.empty() && !prompts.empty() && tokens->tokenizer())
    return stream(s, *model, *tokens->tokenizer(), prompts.front(),
                  search.for_prompt(static_cast<graft::Index>(prompts.front().size())), search.end_tokens());

  Writer writer(s.output);
  support::SignalWatch const signals;
  try {
    write_all(s, *model, *tokens, sources, prompts, kept, search, writer);
  } catch (support::EndedBySignal const&) {  // said below
  } catch (std::exception const&) {
    writer.keep(sources.texts.size());
    throw;
  }
  int const signal = support::SignalWatch::caught();
  if (signal == 0 || writer.sources() == sources.texts.size()) return writer.finish();
  writer.keep(sources.texts.size());
  throw support::Interrupted(signal,
                             graft::cat("[generate] was ended by signal ", signal, " after ", writer.sources(), " of ",
                                        sources.texts.size(), " sources; what was written until then is kept"));
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  CLI::App app{
      "Writes texts with a pretrained language model, with or without an adapter. One prompt's text appears as it is "
      "written.\n"
      "Exit status: 0, 1 (failed), 2 (usage), 130 and 143 (ended by SIGINT, SIGTERM: what was written is kept).",
      "generate"};
  add_options(app, settings);
  support::Profiling const profiling(app);
  return support::run_program(app, argc, argv, [&] { generate(app, settings); });
}
