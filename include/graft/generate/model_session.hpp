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
#include <graft/nn/common_beginnings.hpp>
#include <graft/nn/rows.hpp>
#include <graft/tensor/work_together.hpp>

namespace graft {

/// A decoding session of a model. Every token goes through the model once: the prompts in one packed batch (what
/// several of them begin with only once, where that pays), then each step's tokens in another. The keys and values of a
/// prompt, and of a common beginning, are stored once for all texts; texts that branch share their common past. In a
/// model with an encoder the prompts are its sources, and every text begins with the decoder's start token. The
/// adaptation is prepared once: its parameters must not change while the session lives. The model is read alone:
/// sessions of several threads may share one.
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
    place_prompts();
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
  /// Tokens of beginnings that several prompts have; each is computed once.
  [[nodiscard]] Index shared_tokens() const { return common_.tokens(); }

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

    /// @param position of the first token
    /// @param parent the row of this step that it goes on from; −1: none
    template <class Iterator>
    void add(Iterator first, Iterator last, Index position, Index parent, std::size_t prompt_length, std::size_t prompt,
             Index adapter, ContinuedRow row) {
      Rows& packed = batch.rows;
      for (; first != last; ++first, ++position) {
        batch.tokens.push_back(*first);
        packed.positions.push_back(position);
      }
      packed.offsets.push_back(static_cast<Index>(batch.tokens.size()));
      // as in training, the last source token is the first to see infix activations
      packed.insertion.push_back(static_cast<Index>(prompt_length) - 1);
      packed.examples.push_back(prompt);
      packed.adapter.push_back(adapter);
      detail::append_entry(packed.parent, parent, -1, packed.count() - 1);  // later steps have none
      rows.push_back(std::move(row));
    }
  };

  /// The common beginnings, and what each prompt adds to its own.
  [[nodiscard]] Step first_step() {
    Step step;
    for (auto const& shared : common_.shared) {
      auto const p = static_cast<std::size_t>(shared.sequence);
      auto const first = prompts_[p].begin();
      step.add(first + shared.begin, first + shared.end, shared.begin, shared.parent, prompts_[p].size(), p,
               adapters_[p], {{}, beginnings_[step.rows.size()].begin, 0, {}});
    }
    for (std::size_t p = 0; p < prompts_.size(); ++p) {
      Index const begin = common_.shared_of(p);
      step.add(prompts_[p].begin() + begin, prompts_[p].end(), begin, common_.longest[p], prompts_[p].size(), p,
               adapters_[p], {{}, extents_[p].back().begin, 0, source_of(p)});
      step.batch.rows.targets.at.push_back(step.batch.rows.tokens() - 1);
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
      step.add(token, token + 1, row.earlier, -1, prompts_[p].size(), p, adapters_[p], std::move(row));
      step.batch.rows.targets.at.push_back(step.batch.rows.tokens() - 1);
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

  /// Finds what prompts begin with in common, and gives every beginning and the rest of every prompt its rows of the
  /// cache. Never shared is a prompt's last token, which infix activations precede.
  void place_prompts() {
    constexpr Index worth_a_beginning = 64;  // saved tokens
    std::vector<ShareableSequence> sequences;
    for (std::size_t p = 0; p < prompts_.size(); ++p)
      sequences.push_back({prompts_[p], static_cast<Index>(prompts_[p].size()) - 1, adapters_[p]});
    common_ = common_beginnings(sequences, worth_a_beginning);
    auto const place = [this](Index rows) {
      return CacheExtent{std::exchange(first_block_row_, first_block_row_ + rows), rows};
    };
    Additions const additions = model_.additions();
    auto const virtual_tokens = [&](Place at, std::size_t prompt) {
      return additions.token_count(model_.info().main().stack, adapters_[prompt], at);
    };
    for (auto const& shared : common_.shared) {
      Index const front =
          shared.parent < 0 ? virtual_tokens(Place::front, static_cast<std::size_t>(shared.sequence)) : 0;
      beginnings_.push_back(place(front + shared.size()));
    }
    for (std::size_t p = 0; p < prompts_.size(); ++p) {
      for (Index b = common_.longest[p]; b >= 0; b = common_.shared[static_cast<std::size_t>(b)].parent)
        extents_[p].insert(extents_[p].begin(), beginnings_[static_cast<std::size_t>(b)]);
      Index const front = common_.longest[p] < 0 ? virtual_tokens(Place::front, p) : 0;
      extents_[p].push_back(place(front + static_cast<Index>(prompts_[p].size()) - common_.shared_of(p) +
                                  virtual_tokens(Place::infix, p)));
    }
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
  CommonBeginnings common_;              ///< of the prompts
  std::vector<CacheExtent> beginnings_;  ///< of the cache: each beginning, virtual tokens in front included
  Index first_block_row_ = 0;
};

}  // namespace graft
