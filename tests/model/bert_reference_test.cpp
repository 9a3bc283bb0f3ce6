// BERT with its classification head against the plain model.
#include <graft/models/bert.hpp>

#include "reference_comparison.hpp"

namespace reference {
namespace {

std::vector<graft::TokenizedExample> classes() {
  auto examples = small::examples();
  graft::Token label = 0;
  for (auto& example : examples) example.target = {label++ % 3};
  return examples;
}

template <class Settings>
void agrees(std::string const& name, Settings const& settings) {
  SCOPED_TRACE(name);
  auto model = graft::adapt(small::base<graft::Bert, double>(), settings, 1);
  small::disturb(model);
  auto const texts = texts_of(model, classes());
  Model const plain = twin(model);
  auto const batch = model.pack(classes());
  graft::NoGrad no_grad;
  Matrix const found = matrix_of(model.logits(batch).value());  // [rows, classes]
  ASSERT_EQ(found.rows(), static_cast<Eigen::Index>(texts.size()));
  for (std::size_t i = 0; i < texts.size(); ++i) {
    Matrix const expected = logits(plain, texts[i]);  // [1, classes]
    EXPECT_LE(distance(found.row(static_cast<Eigen::Index>(i)), expected), 1e-10 * expected.cwiseAbs().maxCoeff());
  }
  double const expected = loss(plain, texts);
  EXPECT_NEAR(small::loss(model, batch).value().data()[0], expected, 1e-10 * expected);
  check_inspection(model, plain, texts, batch);
  auto base = graft::adapt(model.base(), NoAdaptation{});
  if (!model.parameters().empty()) {
    EXPECT_GT(std::abs(loss(twin(base), texts) - expected), 1e-3);
  }
}

TEST(PlainBert, AgreesWithTheLibrary) {
  using graft::ClassificationHead;
  agrees("none", NoAdaptation{});
  agrees("head", ClassificationHead{});
  agrees("prefix and head", compose(PrefixTuning{.length = 3}, ClassificationHead{}));
  agrees("prompt, first virtual token", PromptTuning{.length = 2, .pooling = graft::Pooling::first_virtual});
  agrees("prompt, first token", PromptTuning{.length = 2, .pooling = graft::Pooling::first_token});
  agrees("LoRA and head", compose(LoRA{.rank = 2}, ClassificationHead{}));
  agrees("(IA)³", IA3{.targets = {"key", "value"}});
  agrees("bitfit", BitFit{});
  agrees("houlsby", BottleneckAdapter{.bottleneck = 2, .placement = AdapterPlacement::houlsby});
  agrees("parallel", ParallelAdapter{.bottleneck = 2, .placement = ParallelPlacement::both});
  agrees("full", FullFineTuning{});
}

}  // namespace
}  // namespace reference
