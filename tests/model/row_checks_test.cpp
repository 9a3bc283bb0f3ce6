// Batches, caches and prepared steps that do not fit: one sentence each before anything is computed, and what fits
// still works.
#include <graft/adaptation/classification_head.hpp>
#include <graft/adaptation/compose.hpp>
#include <graft/adaptation/lora.hpp>
#include <graft/adaptation/prefix_tuning.hpp>
#include <graft/adaptation/prompt_tuning.hpp>
#include <graft/models/add_adapter.hpp>
#include <graft/models/bart.hpp>
#include <graft/models/bert.hpp>
#include <graft/models/gpt2.hpp>

#include <limits>
#include <memory>
#include <type_traits>
#include <utility>

#include "invariants.hpp"
#include "support/refusals.hpp"

namespace {

using graft::Bart, graft::Batch, graft::Bert, graft::Gpt2, graft::Index, graft::Token;
using graft::LoRA, graft::NoAdaptation, graft::PromptTuning;
using graft::testing::message_of;

/// What scores, logits and hidden states say of a batch, which is the same.
template <class Model>
std::string refused(Model const& model, Batch const& batch) {
  auto const said = message_of<graft::Error>([&] { (void)model.logits(batch); });
  EXPECT_EQ(message_of<graft::Error>([&] { (void)model.hidden_states(batch); }), said);
  EXPECT_EQ(message_of<graft::Error>([&] { (void)model.logits(batch, model.prepare()); }), said);
  EXPECT_EQ(message_of<graft::Error>([&] { (void)model.scores(batch); }), said);
  return said;
}
/// What a model says of a good batch after a change.
template <class Model>
class After {
 public:
  After(Model const& model, Batch good) : model_(model), good_(std::move(good)) {}
  template <class Change>
  std::string operator()(Change const& change) const {
    Batch batch = good_;
    change(batch);
    return refused(model_, batch);
  }

 private:
  Model const& model_;
  Batch good_;
};

std::vector<graft::TokenizedExample> classes() { return {{{3, 4, 5}, {1}, 0, {0, 0, 1}}, {{6, 7}, {2}, 1, {0, 1}}}; }

/// Rows of 6, 5, 10, 6 and 7 tokens with 17 targets.
TEST(Rows, WithListsOfTheWrongLengthAreRefused) {
  auto const model = graft::adapt(small::base<Gpt2, float>(), NoAdaptation{});
  After const after(model, model.pack(small::examples()));
  EXPECT_EQ(after([](Batch& b) { b.rows.offsets.clear(); }),
            "[transformer] got no row offsets; expected 0, and the end of every row");
  EXPECT_EQ(after([](Batch& b) { b.rows.offsets[0] = 2; }),
            "[transformer] got row offsets that begin with 2; expected 0");
  EXPECT_EQ(after([](Batch& b) { b.rows.offsets[2] = 4; }),
            "[transformer] got row offset 4 after 6; expected offsets that never fall");
  EXPECT_EQ(after([](Batch& b) { b.rows.offsets[1] = -1; }),
            "[transformer] got row offset -1 after 0; expected offsets that never fall");
  EXPECT_EQ(after([](Batch& b) { b.rows.positions.pop_back(); }),
            "[transformer] got 33 positions for 34 tokens; expected one for each");
  EXPECT_EQ(after([](Batch& b) { b.rows.positions.clear(); }),
            "[transformer] got 0 positions for 34 tokens; expected one for each");
  EXPECT_EQ(after([](Batch& b) { b.rows.insertion.pop_back(); }),
            "[transformer] got 4 insertion points for 5 rows; expected one for each");
  EXPECT_EQ(after([](Batch& b) { b.rows.token_types = {0, 0}; }),
            "[transformer] got 2 token types for 34 tokens; expected one for each, or none");
  EXPECT_EQ(after([](Batch& b) { b.rows.examples.pop_back(); }),
            "[transformer] got 4 examples for 5 rows; expected one for each, or none");
  EXPECT_EQ(after([](Batch& b) { b.rows.adapter = {0, 0}; }),
            "[transformer] got 2 adapters for 5 rows; expected one for each, or none");
  EXPECT_EQ(after([](Batch& b) { b.rows.targets.labels.pop_back(); }),
            "[transformer] got 16 labels for 17 targets; expected one for each, or none");
  EXPECT_EQ(after([](Batch& b) { b.rows.targets.weights.push_back(1); }),
            "[transformer] got 18 weights for 17 targets; expected one for each, or none");
}

TEST(Rows, WithNumbersOutOfRangeAreRefused) {
  auto const model = graft::adapt(small::base<Gpt2, float>(), PromptTuning{.length = 6});
  After const after(model, model.pack(small::examples()));
  EXPECT_EQ(after([](Batch& b) { b.rows.insertion[1] = -1; }),
            "[transformer] got insertion point -1 in row 1; expected 0 to 5, the row's length");
  EXPECT_EQ(after([](Batch& b) { b.rows.insertion[1] = 6; }),
            "[transformer] got insertion point 6 in row 1; expected 0 to 5, the row's length");
  EXPECT_EQ(after([](Batch& b) { b.rows.targets.at[0] = -1; }),
            "[transformer] got target 0 at token -1; expected 0 to 33, the batch's last");
  EXPECT_EQ(after([](Batch& b) { b.rows.targets.at.back() = 34; }),
            "[transformer] got target 16 at token 34; expected 0 to 33, the batch's last");
  EXPECT_EQ(after([](Batch& b) { std::swap(b.rows.targets.at[1], b.rows.targets.at[2]); }),
            "[transformer] got target 2 at token 4 after one at token 5; expected them to ascend");
  EXPECT_EQ(after([](Batch& b) { b.rows.positions[2] = -1; }),
            "[transformer] got position -1 at place 2 of the batch; expected at least 0");
  EXPECT_EQ(after([](Batch& b) { b.rows.positions[2] = std::numeric_limits<Index>::max(); }),
            "[transformer] got a row that reaches position 9223372036854775807; expected at most 39, the model's last; "
            "hint: shorten the "
            "prompt, or the virtual tokens");
}

TEST(Rows, LabelsThatTheHeadCannotScoreAreRefused) {
  auto const said = [](auto const& model, Batch const& batch) {
    return message_of<graft::ShapeError>([&] { (void)model.scores(batch); });
  };
  auto const model = graft::adapt(small::base<Gpt2, float>(), LoRA{.rank = 2});
  auto const good = model.pack(small::examples());
  Batch bad = good;
  bad.rows.targets.labels[3] = 31;
  EXPECT_EQ(said(model, bad), "[scores] got label 31 of target 3; expected 0 to 30");
  bad.rows.targets.labels[3] = -100;
  EXPECT_EQ(said(model, bad), "[scores] got label -100 of target 3; expected 0 to 30");
  bad.rows.targets.labels.clear();
  EXPECT_EQ(said(model, bad), "[scores] got no labels for 17 targets; expected one for each");

  auto const base = small::base<Bert, float>();  // of three labels
  auto const classifier = graft::adapt(base, NoAdaptation{});
  auto of_classes = classifier.pack(classes());
  of_classes.rows.targets.labels[1] = 3;
  EXPECT_EQ(said(classifier, of_classes), "[scores] got label 3 of target 1; expected 0 to 2");
  auto const five = graft::adapt(base, graft::compose(LoRA{.rank = 2}, graft::ClassificationHead{.labels = 5}));
  graft::NoGrad const no_grad;
  EXPECT_EQ(five.scores(of_classes).log_probability.value().size(), 2) << "a head of the adapter's own counts";
}

TEST(Rows, TokenTypesOfAnEncoderAreItsOwn) {
  auto const model = graft::adapt(small::base<Bert, float>(), NoAdaptation{});
  After const after(model, model.pack(classes()));
  EXPECT_EQ(after([](Batch& b) { b.rows.token_types[4] = 3; }), "[transformer] got token type 3; expected 0 to 2");
  EXPECT_EQ(after([](Batch& b) { b.rows.token_types[0] = -1; }), "[transformer] got token type -1; expected 0 to 2");
}

TEST(Rows, OfSourcesAreHeldAgainstTheSame) {
  auto const model = graft::adapt(small::base<Bart, float>(), LoRA{.rank = 2});
  auto const good = model.pack(small::examples());  // sources of 4, 1, 9, 6 and 2 tokens
  After const after(model, good);
  auto const both = [&](auto const& change) {
    Batch batch = good;
    change(batch);
    auto const said = after(change);
    EXPECT_EQ(message_of<graft::Error>([&] { (void)model.encode_sources(batch); }), said);
    EXPECT_EQ(message_of<graft::Error>([&] { (void)model.encode_sources(batch, model.prepare()); }), said);
    return said;
  };
  EXPECT_EQ(both([](Batch& b) { b.source.offsets.clear(); }),
            "[transformer] got no source row offsets; expected 0, and the end of every row");
  EXPECT_EQ(both([](Batch& b) { b.source_tokens.pop_back(); }),
            "[transformer] got 21 source tokens; expected 22 as the rows' offsets say");
  EXPECT_EQ(both([](Batch& b) { b.source_tokens[3] = 31; }),
            "[transformer] got source token 31 at place 3 of the batch; expected 0 to 30; hint: does the tokenizer "
            "belong to the model?");
  EXPECT_EQ(both([](Batch& b) { b.source.positions.clear(); }),
            "[transformer] got 0 source positions for 22 tokens; expected one for each");
  EXPECT_EQ(both([](Batch& b) { b.source.positions[0] = -3; }),
            "[transformer] got source position -3 at place 0 of the batch; expected at least -2");
  EXPECT_EQ(both([](Batch& b) { b.source.insertion.clear(); }),
            "[transformer] got 0 source insertion points for 5 rows; expected one for each");
  EXPECT_EQ(both([](Batch& b) { b.source.insertion[1] = 2; }),
            "[transformer] got source insertion point 2 in row 1; expected 0 to 1, the row's length");
  EXPECT_EQ(both([](Batch& b) { b.source.examples.pop_back(); }),
            "[transformer] got 4 source examples for 5 rows; expected one for each, or none");
  EXPECT_EQ(both([](Batch& b) { b.source.adapter = {0}; }),
            "[transformer] got 1 source adapters for 5 rows; expected one for each, or none");
  EXPECT_EQ(both([](Batch& b) { b.source.targets.at = {22}; }),
            "[transformer] got source target 0 at token 22; expected 0 to 21, the batch's last");
  EXPECT_EQ(after([](Batch& b) { b.source = {}, b.source_tokens.clear(); }),
            "[transformer] got 0 sources for 5 rows; expected one for each; hint: pack with the model's append");
  EXPECT_EQ(after([](Batch& b) { b.source.adapter = {0, 0, 1, 0, 0}; }),
            "[transformer] got adapter 1 for the source of row 2; expected 0, the row's");
  EXPECT_EQ(after([](Batch& b) { b.source_of = {0, 1}; }),
            "[transformer] got 2 entries of source_of for 5 rows; expected one for each, or none");
  EXPECT_EQ(after([](Batch& b) { b.source_of = {0, 1, 5, 0, 0}; }),
            "[transformer] got source 5 of row 2; expected 0 to 4");
  EXPECT_EQ(after([](Batch& b) { b.rows.parent = {-1, 0, -1, -1, -1}, b.source_of = {0, 1, 2, 3, 4}; }),
            "[transformer] got position 0 of the first token of row 1; expected more than 2, the last of its parent");
  EXPECT_EQ(after([](Batch& b) {
              b.rows.parent = {-1, 0, -1, -1, -1}, b.source_of = {0, 1, 2, 3, 4};
              for (Index i = 3; i < 8; ++i) b.rows.positions[static_cast<std::size_t>(i)] = i;
              b.rows.insertion[1] = 0;
            }),
            "[transformer] got source 1 of row 1; expected that of its parent, row 0");
  EXPECT_EQ(both([](Batch& b) { b.source.parent = {-1, 0, -1, -1, -1}; }),
            "[transformer] got source parent 0 of row 1 in an encoder; expected −1: what an encoder makes of a "
            "beginning depends on what follows it");
}
TEST(Rows, GoOnFromRowsBeforeThem) {
  auto const model = graft::adapt(small::base<Gpt2, double>(), LoRA{.rank = 2});
  Batch const good = model.pack(small::examples());
  After const after(model, good);
  EXPECT_EQ(after([](Batch& b) { b.rows.parent = {-1, 0}; }),
            "[transformer] got 2 parents for 5 rows; expected one for each, or none");
  EXPECT_EQ(after([](Batch& b) { b.rows.parent = {-1, 1, -1, -1, -1}; }),
            "[transformer] got parent 1 of row 1; expected a row before it, or −1 for none");
  EXPECT_EQ(after([](Batch& b) { b.rows.parent = {-1, -1, -2, -1, -1}; }),
            "[transformer] got parent -2 of row 2; expected a row before it, or −1 for none");
  EXPECT_EQ(after([](Batch& b) { b.rows.parent = {-1, 0, -1, -1, -1}, b.rows.adapter = {0, 1, 0, 0, 0}; }),
            "[transformer] got adapter 1 in row 1; expected 0, that of its parent");
  Batch const family = model.pack_shared(sharing::references());
  After const after_sharing(model, family);  // rows 0 and 1 hold beginnings of 9 and 5 tokens, row 2 goes on from row 1
  EXPECT_EQ(after_sharing([](Batch& b) { b.rows.insertion[0] = 4; }),
            "[transformer] got insertion point 14 in row 1; expected 4, that of its parent");
  EXPECT_EQ(after_sharing([](Batch& b) { b.rows.insertion[2] = 13; }),
            "[transformer] got insertion point 13 in row 2; expected at least 14, the end of its parent");
  EXPECT_EQ(after_sharing([](Batch& b) { b.rows.insertion[2] = 30; }),
            "[transformer] got insertion point 30 in row 2; expected 0 to 17, the row's length with its ancestors");
  EXPECT_EQ(after_sharing([](Batch& b) { b.rows.positions[14] = 0; }),
            "[transformer] got position 0 of the first token of row 2; expected more than 13, the last of its parent");
}
TEST(Rows, SourcesOfATableNameTheAdaptersOfTheirRows) {
  graft::TableModel<Bart, float> table = graft::adapt(small::base<Bart, float>(), graft::AdapterTable{});
  graft::add_adapter(table, LoRA{.rank = 2});
  auto batch = table.pack(small::examples());
  batch.source.adapter = {0, 0};
  EXPECT_EQ(message_of<graft::ShapeError>([&] { (void)table.encode_sources(batch); }),
            "[transformer] got 2 source adapters for 5 rows; expected one for each, or none");
  batch.source.adapter = {0, 0, 0, 1, 0};
  EXPECT_EQ(message_of<graft::Error>([&] { (void)table.encode_sources(batch); }),
            "[transformer] got adapter 1 in row 3; expected one of the table, or −1 for none");
}

TEST(Rows, ThatLackWhatNobodyReadsWork) {
  graft::NoGrad const no_grad;
  auto const model = graft::adapt(small::base<Gpt2, double>(), LoRA{.rank = 2});
  auto const good = model.pack(small::examples());
  Batch lean = good;
  lean.rows.examples.clear();
  lean.rows.targets.weights.clear();
  EXPECT_TRUE(
      invariants::same_bits(model.scores(lean).log_probability.value(), model.scores(good).log_probability.value()));
  lean.rows.targets.labels.clear();
  EXPECT_TRUE(invariants::same_bits(model.logits(lean).value(), model.logits(good).value()));
  lean.rows.offsets.insert(lean.rows.offsets.begin() + 2, lean.rows.offsets[2]);  // a row without tokens
  lean.rows.insertion.insert(lean.rows.insertion.begin() + 2, 0);
  EXPECT_TRUE(invariants::same_bits(model.logits(lean).value(), model.logits(good).value()));
}
TEST(Rows, MayHaveATargetTwice) {
  graft::NoGrad const no_grad;
  auto const model = graft::adapt(small::base<Gpt2, double>(), NoAdaptation{});
  Batch batch = graft::pack({{{3, 4, 5}, {}, 0}});
  auto const every = model.logits(small::every_token(batch)).value();
  batch.rows.targets.at = {0, 0, 2};  // three of a range of three tokens
  auto const some = model.logits(batch).value();
  for (Index i : {0, 1, 2})
    EXPECT_TRUE(std::equal(some.row(i), some.row(i) + some.width(),
                           every.row(batch.rows.targets.at[static_cast<std::size_t>(i)])))
        << i;
}

TEST(Caches, ThatHaveNoRoomOrLayersAreRefused) {
  graft::NoGrad const no_grad;
  auto const model = graft::adapt(small::base<Gpt2, float>(), PromptTuning{.length = 2});
  Batch const batch = model.pack({{{3, 4, 5}, {6}, 0}});
  graft::KeyValueCache<float> cache(3, 6, 12), shallow(2, 6, 12);
  auto const with = [&](graft::CacheView<float> const& view) {
    return message_of<graft::Error>([&] { (void)model.logits(batch, &view); });
  };
  EXPECT_EQ(with({nullptr, {{}}}), "[transformer] got a cache view without a cache; expected one");
  EXPECT_EQ(with({&shallow, {{}}}), "[transformer] got a cache of 2 layers; expected the model's 3");
  EXPECT_EQ(with({&cache, {{}, {}}}), "[transformer] got cache entries for 2 rows; expected 1");
  std::string const room = " of the cache; expected 0 to 1, as it has 5 new tokens and the cache 6 rows";
  EXPECT_EQ(with({&cache, {{.past = {}, .append = 2}}}), "[transformer] got row 0 to append at row 2" + room);
  EXPECT_EQ(with({&cache, {{.past = {}, .append = -1}}}), "[transformer] got row 0 to append at row -1" + room);
  graft::KeyValueCache<float> wide(3, 6, 16);
  EXPECT_EQ(with({&wide, {{}}}),
            "[transformer] got a cache with keys or values of shape [6, 16]; expected [capacity, 12]");
  std::string const read = " of row 0 in the cache; expected 0, its earlier tokens with the virtual ones among them";
  EXPECT_EQ(with({&cache, {{.past = {{0, 2}}}}}), "[transformer] got 2 tokens" + read);
  EXPECT_EQ(with({&cache, {{.past = {{0, 2}, {2, -2}}}}}),
            "[transformer] got -2 tokens in a past extent of row 0; expected 0 or more");
  EXPECT_EQ(with({&cache, {{.past = {}, .earlier = -1}}}),
            "[transformer] got -1 earlier tokens of row 0; expected 0 to 40, the model's positions");
  graft::CacheView<float> const fits{&cache, {{.past = {}, .append = 1}}};
  EXPECT_TRUE(invariants::same_bits(model.logits(batch, &fits).value(), model.logits(batch).value()));

  Batch behind = batch;  // the insertion is among the earlier tokens
  behind.rows.insertion = {41};
  EXPECT_EQ(message_of<graft::Error>([&] { (void)model.logits(behind, &fits); }),
            "[transformer] got insertion point 41 in row 0; expected 0 to 40, the model's positions");
}
TEST(Caches, HaveAPlaceForEachRow) {
  graft::NoGrad const no_grad;
  auto const model = graft::adapt(small::base<Gpt2, float>(), NoAdaptation{});
  Batch const batch = model.pack({{{3, 4}, {6}, 0}, {{5, 6}, {7}, 1}});
  graft::KeyValueCache<float> cache(3, 6, 12);
  auto const logits = [&](Index second) {
    graft::CacheView<float> const view{&cache, {{.past = {}, .append = 1}, {.past = {}, .append = second}}};
    return model.logits(batch, &view).value();
  };
  auto const said = [&](Index second) { return message_of<graft::Error>([&] { (void)logits(second); }); };
  EXPECT_EQ(said(2), "[transformer] got two rows that append at row 2 of the cache; expected a place for each");
  EXPECT_EQ(said(0), "[transformer] got two rows that append at row 1 of the cache; expected a place for each");
  EXPECT_TRUE(invariants::same_bits(logits(3), model.logits(batch).value()));
}

TEST(Caches, OfADecoderBesideAnEncoderHoldItsSources) {
  graft::NoGrad const no_grad;
  auto const model = graft::adapt(small::base<Bart, float>(), NoAdaptation{});
  Batch const batch = model.pack({{{3, 4, 5}, {6}, 0}});
  graft::KeyValueCache<float> cache(3, 6, 12), shallow(2, 6, 12);
  auto const with = [&](graft::KeyValueCache<float> const* sources) {
    return message_of<graft::Error>([&] {
      graft::CacheView<float> const view{&cache, {{}}, sources};
      (void)model.logits(batch, &view);
    });
  };
  EXPECT_EQ(with(nullptr), "[transformer] got a cache view without a source cache; expected one");
  EXPECT_EQ(with(&shallow), "[transformer] got a source cache of 2 layers; expected the model's 3");
}

TEST(PreparedSteps, OfAnotherModelAreRefused) {
  graft::NoGrad const no_grad;
  auto const base = small::base<Gpt2, float>();
  auto model = graft::adapt(base, LoRA{.rank = 2}), other = graft::adapt(base, LoRA{.rank = 2});
  Batch const batch = model.pack(small::examples());
  auto const said = [&](auto const& prepared) {
    auto const of_logits = message_of<graft::Error>([&] { (void)model.logits(batch, prepared); });
    EXPECT_EQ(message_of<graft::Error>([&] { (void)model.hidden_states(batch, prepared); }), of_logits);
    return of_logits;
  };
  std::string const enabled = " prepared; expected one of this model, which is enabled; hint: prepare it again",
                    disabled = " prepared; expected one of this model, which is disabled; hint: prepare it again";
  auto const own = model.prepare();
  EXPECT_EQ(said(other.prepare()), "[transformer] got a step that another model" + enabled);
  EXPECT_EQ(said(decltype(own){}), "[transformer] got a step that a disabled model" + enabled);
  model.enable(false);
  EXPECT_EQ(said(own), "[transformer] got a step that an enabled model" + disabled);
  EXPECT_EQ(model.logits(batch, model.prepare()).value().rows(), 17);
  model.enable();

  auto const copy = model;
  EXPECT_TRUE(invariants::same_bits(copy.logits(batch, own).value(), model.logits(batch).value()))
      << "copies share the state";
  auto const narrow = graft::with_precision<graft::Bfloat16>(model);
  EXPECT_TRUE(invariants::same_bits(narrow.logits(batch, own).value(), narrow.logits(batch).value()))
      << "so do precisions";
}
/// Who has a const model may read its state; a copy is a handle of its own.
template <class Model>
using SharedState = decltype(std::declval<Model&>().shared_state());
using Adapted = graft::Transformer<Gpt2, LoRA>;
static_assert(std::is_same_v<SharedState<Adapted const>, std::shared_ptr<Adapted::State const>>);
static_assert(std::is_same_v<SharedState<Adapted>, std::shared_ptr<Adapted::State>>);

TEST(PreparedSteps, OfAnotherModelEncodeNoSources) {
  auto const base = small::base<Bart, float>();
  auto const model = graft::adapt(base, graft::PrefixTuning{.length = 2}),
             other = graft::adapt(base, graft::PrefixTuning{.length = 2});
  Batch const batch = model.pack(small::examples());
  EXPECT_EQ(message_of<graft::Error>([&] { (void)model.encode_sources(batch, other.prepare()); }),
            "[transformer] got a step that another model prepared; expected one of this model, which is enabled; hint: "
            "prepare it again");
}

}  // namespace
