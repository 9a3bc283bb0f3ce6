// Infix activations lie between source and target: the source does not know of them, and the state that predicts the
// first target token does.
#include <graft/adaptation/embedding_only.hpp>
#include <graft/adaptation/infix_tuning.hpp>
#include <graft/models/gpt2.hpp>
#include <graft/models/llama.hpp>

#include "invariants.hpp"
#include "support/worst.hpp"

namespace {

using graft::EmbeddingOnly, graft::InfixTuning;
using graft::Index;

template <class A>
class Infix : public testing::Test {};
using Architectures = testing::Types<graft::Gpt2, graft::Llama>;
TYPED_TEST_SUITE(Infix, Architectures);

/// Largest difference of the logits at a token from the base's.
double difference(graft::Tensor<double> const& a, graft::Tensor<double> const& b, Index token) {
  double worst = 0;
  for (Index v = 0; v < a.width(); ++v)
    worst = graft::testing::worse(worst, std::abs(a.row(token)[v] - b.row(token)[v]));
  return worst;
}

template <class Model>
void source_is_the_bases(Model& model) {
  auto plain = graft::adapt(model.base(), graft::NoAdaptation{});
  small::disturb(model);
  auto const batch = graft::pack(small::examples());
  auto const adapted = invariants::logits_of(model, batch), base = invariants::logits_of(plain, batch);
  for (Index r = 0; r < batch.rows.count(); ++r)
    for (Index i = 0; i < batch.rows.length(r); ++i) {
      double const distance = difference(adapted, base, batch.rows.begin(r) + i);
      if (i < batch.rows.insertion[static_cast<std::size_t>(r)])
        EXPECT_EQ(distance, 0) << "source token " << i << " of row " << r;
      else
        EXPECT_GT(distance, 1e-3) << "token " << i << " of row " << r;
    }
}

/// Only the first target token of every row.
graft::Batch first_targets() {
  graft::Batch batch;
  for (auto example : small::examples()) {
    example.target.resize(1);
    graft::append_causal_row(batch, example);
  }
  return batch;
}

TYPED_TEST(Infix, SourceStatesAreTheBases) {
  auto keys = graft::adapt(small::base<TypeParam, double>(), InfixTuning{.length = 4});
  source_is_the_bases(keys);
  auto tokens =
      graft::adapt(small::base<TypeParam, double>(), EmbeddingOnly{.length = 4, .place = graft::Place::infix});
  source_is_the_bases(tokens);
}

TYPED_TEST(Infix, FirstTargetTokenSeesIt) {
  auto model = graft::adapt(small::base<TypeParam, double>(), InfixTuning{.length = 4});
  graft::backward(small::loss(model, first_targets()));
  auto const& gradient = model.parameters().at(0)->gradient();
  Index const width = model.config().kv_width();
  for (Index p = 0; p < 4; ++p)
    for (Index block = 0; block < 2 * model.config().layers; ++block) {
      double norm = 0;
      for (Index k = 0; k < width; ++k) norm += std::abs(gradient.row(p)[block * width + k]);
      EXPECT_GT(norm, 1e-9) << "virtual token " << p << (block % 2 ? ", values" : ", keys") << " of layer "
                            << block / 2;
    }
}

TYPED_TEST(Infix, FirstTargetTokenSeesItsEmbeddings) {
  auto model = graft::adapt(small::base<TypeParam, double>(), EmbeddingOnly{.length = 4, .place = graft::Place::infix});
  graft::backward(small::loss(model, first_targets()));
  auto const& gradient = model.parameters().at(0)->gradient();
  for (Index i = 0; i < gradient.size(); ++i) EXPECT_NE(gradient.data()[i], 0) << "element " << i;
}

}  // namespace
