// Trainings that keep what never changes, beside those that do not.
#pragma once

#include <graft/train/trainer.hpp>

#include "sharing.hpp"

namespace sharing {

/// Training with what never changes kept gives the numbers of training without.
template <graft::Architecture A, class Strategy>
void expect_the_same_when_kept(Strategy const& strategy, std::vector<TokenizedExample> const& examples) {
  auto const trained = [&](Index keep) {
    auto model = graft::adapt(small::base<A, double>(), strategy, 3);
    EXPECT_EQ(model.frozen_beginnings() || model.frozen_layers() > 0, true);
    graft::Training settings{.epochs = 3, .batch = 4, .keep_frozen = keep};
    settings.learning_rate = 1e-2, settings.epsilon = 1e-3, settings.progress = false;
    auto const report = graft::Trainer(settings).fit(model, examples, examples);
    EXPECT_EQ(model.kept_bytes(), 0U) << "nothing is kept behind a training";
    return numbers_of(report, model);
  };
  auto const got = trained(1), expected = trained(0);
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], expected[i], 1e-10) << A::model_type << ", " << i;
}

}  // namespace sharing
