/// @file
/// @brief What a model asks of a batch, of the cache that its rows go on from and of a prepared step, before anything
/// is computed.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include <graft/models/cache.hpp>
#include <graft/models/prepared_step.hpp>
#include <graft/models/row_checks.hpp>

namespace graft {
namespace detail {

/// The layers of a cache are there. @param kind "" or "source "
template <class Scalar, class Device>
void check_layers(KeyValueCache<Scalar, Device> const* cache, ModelConfig const& config, char const* kind) {
  if (!cache) fail<ShapeError>("[transformer] got a cache view without a ", kind, "cache; expected one");
  if (static_cast<Index>(cache->layers.size()) < config.layers)
    fail<ShapeError>("[transformer] got a ", kind, "cache of ", cache->layers.size(), " layers; expected the model's ",
                     config.layers);
  Index const width = config.kv_width();
  for (auto const& layer : cache->layers)
    for (auto const* stored : {&layer.keys, &layer.values})
      if (stored->shape().rank() != 2 || stored->width() != width)
        fail<ShapeError>("[transformer] got a ", kind, "cache with keys or values of shape ", stored->shape(),
                         "; expected [capacity, ", width, "]");
}
/// Whatever a row reads of a cache, attention checks: this is about what it writes there, and where it stands.
template <class Scalar, class Device>
void check_cache(CacheView<Scalar, Device> const& cache, Rows const& rows, ModelConfig const& config) {
  if (static_cast<Index>(cache.rows.size()) != rows.count())
    fail<ShapeError>("[transformer] got cache entries for ", cache.rows.size(), " rows; expected ", rows.count());
  check_layers(cache.cache, config, "");
  for (std::size_t r = 0; r < cache.rows.size(); ++r)
    if (Index const earlier = cache.rows[r].earlier,
        most = rows.parent_of(static_cast<Index>(r)) < 0 ? config.positions : 0;
        earlier < 0 || earlier > most)
      fail("[transformer] got ", earlier, " earlier tokens of row ", r, "; expected 0",
           most > 0 ? cat(" to ", most, ", the model's positions") : ", since it goes on from its parent");
}
/// The new tokens of every row, virtual ones included, have room in the cache.
template <class Scalar, class Device>
void check_room(CacheView<Scalar, Device> const& cache, Rows const& rows) {
  Index capacity = cache.cache->capacity();
  for (auto const& layer : cache.cache->layers) capacity = std::min(capacity, layer.keys.rows());
  for (Index r = 0; r < rows.count(); ++r)
    if (Index const append = cache.rows[static_cast<std::size_t>(r)].append;
        append < 0 || append > capacity - rows.length(r))
      fail<ShapeError>("[transformer] got row ", r, " to append at row ", append, " of the cache; expected 0 to ",
                       capacity - rows.length(r), ", as it has ", rows.length(r), " new tokens and the cache ",
                       capacity, " rows");
  std::vector<std::pair<Index, Index>> written;  // begin and end of each row's
  for (Index r = 0; r < rows.count(); ++r)
    if (Index const append = cache.rows[static_cast<std::size_t>(r)].append; rows.length(r) > 0)
      written.emplace_back(append, append + rows.length(r));
  std::sort(written.begin(), written.end());
  for (std::size_t i = 1; i < written.size(); ++i)
    if (written[i].first < written[i - 1].second)
      fail<ShapeError>("[transformer] got two rows that append at row ", written[i].first,
                       " of the cache; expected a place for each");
}
/// What a row reads of the cache is as long as what it goes on from. @param earlier `[rows]`: its tokens there, virtual
/// ones included
template <class Scalar, class Device>
void check_past(CacheView<Scalar, Device> const& cache, Rows const& rows, std::vector<Index> const& earlier) {
  for (std::size_t r = 0; r < cache.rows.size(); ++r) {
    Index held = 0;
    for (auto const& extent : cache.rows[r].past) {
      if (extent.length < 0)
        fail<ShapeError>("[transformer] got ", extent.length, " tokens in a past extent of row ", r,
                         "; expected 0 or more");
      held += extent.length;
    }
    bool const child = rows.parent_of(static_cast<Index>(r)) >= 0;
    if (Index const expected = child ? 0 : earlier[r]; held != expected)
      fail<ShapeError>(
          "[transformer] got ", held, " tokens of row ", r, " in the cache; expected ", expected,
          child ? ", since it goes on from its parent" : ", its earlier tokens with the virtual ones among them");
  }
}

/// A batch, and what its rows go on from. Throws unless every entry of both is one that a pass may read.
template <Architecture A, class Scalar, class Device>
void check_batch(Batch const& batch, ModelConfig const& config, CacheView<Scalar, Device> const* cache) {
  Rows const& rows = batch.rows;
  check_rows<A>({rows, batch.tokens, config, main_stack<A>, cache != nullptr});
  if (cache) check_cache(*cache, rows, config);
  if constexpr (A::stacks == StackKind::encoder_decoder) {
    if (cache) {
      for (Index r = 0; r < rows.count(); ++r)
        if (Index const parent = rows.parent_of(r); parent >= 0) {
          auto const& own = cache->rows[static_cast<std::size_t>(r)].source;
          auto const& its = cache->rows[static_cast<std::size_t>(parent)].source;
          if (own.begin != its.begin || own.length != its.length)
            fail("[transformer] got another source for row ", r, " than for its parent, row ", parent,
                 "; expected the same");
        }
      return check_layers(cache->source, config, "source ");
    }
    check_source_rows<A>(batch, config);
    Rows const& source = batch.source;
    auto const& of = batch.source_of;
    if (of.empty() && source.count() != rows.count())
      fail<ShapeError>("[transformer] got ", source.count(), " sources for ", rows.count(),
                       " rows; expected one for each; hint: pack with the model's append");
    if (!of.empty() && static_cast<Index>(of.size()) != rows.count())
      fail<ShapeError>("[transformer] got ", of.size(), " entries of source_of for ", rows.count(),
                       " rows; expected one for each, or none");
    for (Index r = 0; r < rows.count(); ++r) {
      Index const own = batch.source_row(r);
      if (own < 0 || own >= source.count())
        fail("[transformer] got source ", own, " of row ", r, "; expected 0 to ", source.count() - 1);
      if (Index const parent = rows.parent_of(r); parent >= 0 && own != batch.source_row(parent))
        fail("[transformer] got source ", own, " of row ", r, "; expected that of its parent, row ", parent);
      if (source.adapter_of(own) != rows.adapter_of(r))
        fail("[transformer] got adapter ", source.adapter_of(own), " for the source of row ", r, "; expected ",
             rows.adapter_of(r), ", the row's");
    }
  }
}

/// Every target of a batch that was checked has a label, which the head can score.
/// @param classes the vocabulary's size, or a classifier's labels
inline void check_labels(Targets const& targets, Index classes) {
  auto const& labels = targets.labels;
  if (labels.empty() && targets.size() > 0)
    fail<ShapeError>("[scores] got no labels for ", targets.size(), " targets; expected one for each");
  for (std::size_t i = 0; i < labels.size(); ++i)
    if (labels[i] < 0 || labels[i] >= classes)
      fail<ShapeError>("[scores] got label ", labels[i], " of target ", i, "; expected 0 to ", classes - 1);
}

/// Every row names an adapter that is there. @param has whether one is
template <class Has>
void check_adapters(Rows const& rows, Has const& has) {
  for (Index r = 0; r < rows.count(); ++r)
    if (!has(rows.adapter_of(r)))
      fail("[transformer] got adapter ", rows.adapter_of(r), " in row ", r,
           "; expected one of the table, or −1 for none");
}

/// Whether a step has what an adapter prepared; a step that cannot be asked has it of all.
template <class Step>
[[nodiscard]] bool has_step(Step const& step, Index adapter) {
  if constexpr (requires { static_cast<bool>(step.find(adapter)); })
    return static_cast<bool>(step.find(adapter));
  else
    return true;
}
/// A step is one of the model's own, and has what the rows name, whatever became of the table.
/// @param own the model's state, null while it is disabled
template <class State, class Scalar, class Device>
void check_prepared(Rows const& rows, PreparedStep<State, Scalar, Device> const& prepared, State const* own) {
  if (prepared.state.get() != own)
    fail("[transformer] got a step that ",
         !prepared.state ? "a disabled model"
         : own           ? "another model"
                         : "an enabled model",
         " prepared; expected one of this model, which is ", own ? "enabled" : "disabled", "; hint: prepare it again");
  if constexpr (HasAdapters<State>) {
    auto const& known = prepared.adapters;
    auto const serves = [&](Index adapter) {
      if (adapter != -1 && !has_step(prepared.step, adapter)) return false;
      return known.empty() || std::binary_search(known.begin(), known.end(), adapter);
    };
    for (Index r = 0; own && r < rows.count(); ++r)
      if (Index const adapter = rows.adapter_of(r); !serves(adapter))
        fail("[transformer] got rows of adapter ", adapter,
             " in a step that was prepared for others; expected it among ",
             "StepContext::adapters, or none there for all");
  }
}

}  // namespace detail
}  // namespace graft
