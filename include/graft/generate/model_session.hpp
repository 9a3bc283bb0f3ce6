/// @file
/// @brief Decoding with a transformer and its key-value cache.
#pragma once

#include <algorithm>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <graft/adaptation/hooks.hpp>
#include <graft/autograd/tape.hpp>
#include <graft/generate/cache_blocks.hpp>
#include <graft/generate/drawn_tokens.hpp>
#include <graft/generate/session.hpp>
#include <graft/generate/top_tokens.hpp>
#include <graft/kernels/elementwise.hpp>
#include <graft/nn/rows.hpp>
#include <graft/tensor/work_together.hpp>

namespace graft {

/// A decoding session of a model. Every token goes through the model once: the prompts in one packed batch (what all of
/// them begin with only once, where that pays), then each step's tokens in another. A prompt's keys and values are
/// stored once for all its texts; texts that branch share their common past. In a model with an encoder the prompts are
/// its sources, and every text begins with the decoder's start token. The adaptation is prepared once: its parameters
/// must not change while the session lives. The model is read alone: sessions of several threads may share one.
template <class Model>
class ModelSession {
 public:
  using scalar_type = typename Model::scalar_type;
  using device_type = typename Model::device_type;

  /// @param expected_texts texts that will be written at a time, for all prompts together
  /// @param expected_tokens tokens of each; both only size the cache, which grows when they are exceeded
  /// @param adapters which adapter of an `AdapterTable` each prompt has; empty for 0 in all
  ModelSession(Model const& model, std::vector<std::vector<Token>> prompts, Index expected_texts = 0,
               Index expected_tokens = 0, std::vector<Index> adapters = {})
      : model_(model),
        prepared_(prepared(model, adapters)),
        prompts_(std::move(prompts)),
        adapters_(std::move(adapters)),
        extents_(prompts_.size()) {
    if (adapters_.empty()) adapters_.resize(prompts_.size(), 0);
    if (adapters_.size() != prompts_.size())
      fail<ConfigError>("[generate] got adapters of ", adapters_.size(), " prompts; expected ", prompts_.size(),
                        ", or none for 0 in all");
    for (std::size_t p = 0; p < prompts_.size(); ++p)
      if (prompts_[p].empty())
        fail<ConfigError>("[generate] prompt ", p + 1, " is empty; expected at least one token; hint: a start token");
    if constexpr (has_encoder) encode_sources();
    Additions const additions = model_.additions();
    for (Index adapter : adapters_)
      virtual_tokens_.push_back(additions.token_count(model_.info().main().stack, adapter));
    shared_ = shared_length();
    first_block_row_ = shared_;
    for (std::size_t p = 0; p < prompts_.size(); ++p)
      first_block_row_ += static_cast<Index>(prompts_[p].size()) - shared_ + virtual_tokens_[p];
    Index const blocks = expected_texts * ((expected_tokens + detail::BlockPool::rows - 1) / detail::BlockPool::rows);
    auto const& config = model_.config();
    cache_ = Cache(config.layers, first_block_row_ + blocks * detail::BlockPool::rows, config.kv_width());
  }
  ModelSession(ModelSession const&) = delete;
  ModelSession& operator=(ModelSession const&) = delete;

  [[nodiscard]] std::vector<std::vector<Token>> const& prompts() const { return prompts_; }

  /// Logits after each prompt: `[prompts, vocabulary]`.
  [[nodiscard]] Tensor<scalar_type> start() { return downloaded(run(first_step())); }
  /// Logits after `tokens[i]`, which continues text `parents[i]` of the call before: `[tokens, vocabulary]`.
  [[nodiscard]] Tensor<scalar_type> advance(std::vector<Index> const& parents, std::vector<Token> const& tokens) {
    return downloaded(run(next_step(parents, tokens)));
  }

  /// On a GPU the most probable tokens are found there.
  [[nodiscard]] bool finds_top(Index count) const {
    auto const vocabulary = model_.config().vocabulary;
    return !std::is_same_v<device_type, Cpu> && count <= most_found &&
           vocabulary <= TopTokens<scalar_type>::most_tokens;
  }
  [[nodiscard]] TopTokens<scalar_type> start_top(Index count) { return {run(first_step()), count}; }
  [[nodiscard]] TopTokens<scalar_type> advance_top(std::vector<Index> const& parents, std::vector<Token> const& tokens,
                                                   Index count) {
    return {run(next_step(parents, tokens)), count};
  }

  /// On a GPU tokens are drawn there.
  [[nodiscard]] bool draws() const { return !std::is_same_v<device_type, Cpu>; }
  [[nodiscard]] DrawnTokens start_drawn(Draws const& draws) { return {run(first_step()), draws}; }
  [[nodiscard]] DrawnTokens advance_drawn(std::vector<Index> const& parents, std::vector<Token> const& tokens,
                                          Draws const& draws) {
    return {run(next_step(parents, tokens)), draws};
  }

  /// Cache rows that are in use, and that there are.
  [[nodiscard]] Index rows_in_use() const {
    return first_block_row_ + (pool_.size() - pool_.unused()) * detail::BlockPool::rows;
  }
  [[nodiscard]] Index capacity() const { return cache_.capacity(); }
  /// Tokens that all prompts begin with and that were computed once.
  [[nodiscard]] Index shared_tokens() const { return shared_; }

 private:
  static constexpr Index most_found = 64;  ///< each takes a pass over the logits
  static constexpr bool has_encoder = requires { requires Model::has_encoder; };
  using activation_type = typename Model::activation_type;
  using Cache = KeyValueCache<activation_type, device_type>;
  using Values = Tensor<activation_type, device_type>;

  using Prepared = typename Model::Prepared;

  /// The step of all passes: with the parameters as they are, nothing recorded.
  [[nodiscard]] static Prepared prepared(Model const& model, std::vector<Index> adapters) {
    NoGrad no_grad;
    std::sort(adapters.begin(), adapters.end());
    adapters.erase(std::unique(adapters.begin(), adapters.end()), adapters.end());
    if (adapters.empty()) adapters.push_back(0);
    for (Index adapter : adapters)
      if (!model.has_adapter(adapter))
        fail<ConfigError>("[generate] got a prompt for adapter ", adapter,
                          "; expected one of the table, or −1 for none");
    return model.prepare({.adapters = std::move(adapters)});
  }

  /// The new tokens of every text, and where their past is.
  struct Step {
    Batch batch;
    std::vector<ContinuedRow> rows;

    template <class Iterator>
    void add(Iterator first, Iterator last, std::size_t prompt_length, std::size_t prompt, Index adapter,
             ContinuedRow row) {
      Rows& packed = batch.rows;
      for (Index position = row.earlier; first != last; ++first, ++position) {
        batch.tokens.push_back(*first);
        packed.positions.push_back(position);
      }
      packed.offsets.push_back(static_cast<Index>(batch.tokens.size()));
      // as in training, the last source token is the first to see infix activations
      packed.insertion.push_back(static_cast<Index>(prompt_length) - 1);
      packed.examples.push_back(prompt);
      packed.adapter.push_back(adapter);
      packed.targets.at.push_back(packed.tokens() - 1);
      rows.push_back(std::move(row));
    }
  };

  [[nodiscard]] Step first_step() {
    if (shared_ > 0) run_shared_beginning();
    Step step;
    Index free_row = shared_;
    for (std::size_t p = 0; p < prompts_.size(); ++p) {
      Index const length = static_cast<Index>(prompts_[p].size()) - shared_;
      ContinuedRow row{{}, free_row, shared_, source_of(p)};
      if (shared_ > 0) row.past.push_back({0, shared_});
      extents_[p] = row.past;
      extents_[p].push_back({free_row, length + virtual_tokens_[p]});
      free_row += length + virtual_tokens_[p];
      step.add(prompts_[p].begin() + shared_, prompts_[p].end(), prompts_[p].size(), p, adapters_[p], std::move(row));
      texts_.push_back({static_cast<Index>(p)});
    }
    return step;
  }
  [[nodiscard]] Step next_step(std::vector<Index> const& parents, std::vector<Token> const& tokens) {
    branch(parents);
    Step step;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      auto const& text = texts_[i];
      auto const p = static_cast<std::size_t>(text.prompt);
      Index const before = text.generated - 1;
      ContinuedRow row{extents_[p], text.last_row(first_block_row_), static_cast<Index>(prompts_[p].size()) + before,
                       source_of(p)};
      text.append_extents(before, first_block_row_, row.past);
      auto const token = tokens.begin() + static_cast<Index>(i);
      step.add(token, token + 1, prompts_[p].size(), p, adapters_[p], std::move(row));
    }
    return step;
  }

  [[nodiscard]] Tensor<scalar_type, device_type> run(Step step) {
    NoGrad no_grad;
    WorkTogether<device_type> const together;
    CacheView<activation_type, device_type> const view{&cache_, std::move(step.rows),
                                                       has_encoder ? &sources_ : nullptr};
    return model_.logits(step.batch, prepared_, &view).value();
  }

  /// Runs the encoder over the prompts, which are its sources, once; the decoder begins with its start token.
  void encode_sources() {
    Batch batch;
    auto const& config = model_.config();
    for (std::size_t p = 0; p < prompts_.size(); ++p) {
      model_.append(batch, {.source = prompts_[p], .target = {}, .id = p, .adapter = adapters_[p]});
      prompts_[p] = {config.generation_start >= 0 ? config.generation_start : config.decoder_start};
    }
    std::tie(sources_, source_extents_) = model_.encode_sources(batch, prepared_);
  }
  [[nodiscard]] CacheExtent source_of(std::size_t prompt) const {
    return has_encoder ? source_extents_[prompt] : CacheExtent{};
  }

  /// How many first tokens are worth computing once for all prompts: few-shot examples, instructions. Never a prompt's
  /// last token, which infix activations precede.
  [[nodiscard]] Index shared_length() const {
    constexpr Index worth_a_pass = 64;  // saved tokens that outweigh reading the weights once more
    auto const differs = [&](Index adapter) { return adapter != adapters_[0]; };
    if (prompts_.size() < 2 || virtual_tokens_[0] > 0 || std::any_of(adapters_.begin(), adapters_.end(), differs))
      return 0;
    std::size_t length = prompts_[0].size() - 1;
    for (auto const& prompt : prompts_) {
      length = std::min(length, prompt.size() - 1);
      length = static_cast<std::size_t>(
          std::mismatch(prompt.begin(), prompt.begin() + static_cast<Index>(length), prompts_[0].begin()).first -
          prompt.begin());
    }
    auto const common = static_cast<Index>(length);
    return common * (static_cast<Index>(prompts_.size()) - 1) >= worth_a_pass ? common : 0;
  }
  void run_shared_beginning() {
    NoGrad no_grad;
    Step step;
    step.add(prompts_[0].begin(), prompts_[0].begin() + shared_, prompts_[0].size(), 0, adapters_[0], {});
    CacheView<activation_type, device_type> const view{&cache_, std::move(step.rows)};
    (void)model_.hidden_states(step.batch, prepared_, &view);
  }

  /// Lets text i go on from the present text `parents[i]`, with room for one more token.
  void branch(std::vector<Index> const& parents) {
    std::vector<detail::CachedText> next;
    next.reserve(parents.size());
    for (Index parent : parents) {
      next.push_back(texts_[static_cast<std::size_t>(parent)]);
      pool_.share(next.back().blocks);
    }
    for (auto const& text : texts_)
      for (Index block : text.blocks) pool_.release(block);
    texts_ = std::move(next);
    std::vector<detail::RowCopy> copies;
    for (auto& text : texts_) text.grow(pool_, first_block_row_, copies);
    reserve(first_block_row_ + pool_.size() * detail::BlockPool::rows);
    if (copies.empty()) return;
    using Copies = kernels::On<device_type, kernels::Elementwise, activation_type>;
    std::vector<typename kernels::Elementwise<device_type, activation_type>::Copy> all;
    for (auto& layer : cache_.layers)
      for (Values* values : {&layer.keys, &layer.values})
        for (auto const& copy : copies)
          all.push_back({std::as_const(*values).row(copy.from), values->row(copy.to), copy.count * values->width()});
    Copies::copy(all);
  }
  /// Grows the cache, layer by layer, so that only one layer exists twice at a time.
  void reserve(Index rows) {
    Index const before = cache_.capacity();
    if (rows <= before) return;
    Index const capacity = std::max(rows, before + before / 2);
    for (auto& layer : cache_.layers)
      for (Values* values : {&layer.keys, &layer.values}) {
        Values larger(Shape{capacity, values->width()});
        Values beginning = larger.slice(0, before);
        copy_async(*values, beginning);
        *values = std::move(larger);
      }
  }

  Model const& model_;
  Prepared prepared_;
  std::vector<std::vector<Token>> prompts_;
  std::vector<Index> adapters_;                    ///< of every prompt
  std::vector<std::vector<CacheExtent>> extents_;  ///< of every prompt, its virtual tokens included
  std::vector<detail::CachedText> texts_;          ///< in the order of the last logits
  detail::BlockPool pool_;
  Cache cache_;
  Cache sources_;  ///< of cross-attention
  std::vector<CacheExtent> source_extents_;
  std::vector<Index> virtual_tokens_;  ///< of every prompt
  Index shared_ = 0, first_block_row_ = 0;
};

}  // namespace graft
