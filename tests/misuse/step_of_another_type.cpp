// expect: a strategy's hook after_layer has another signature than
#include <graft/models/adapt.hpp>
#include <graft/models/gpt2.hpp>

struct Mine {
  static constexpr char const* name = "mine";
  template <class Scalar, class Device>
  struct State {
    using Value = graft::Variable<Scalar, Device>;
    struct Step {};
    struct Other {};
    State(Mine const&, graft::ModelInfo const&, graft::BaseAccess<Scalar, Device> const&, graft::RandomKey) {}
    std::vector<graft::Parameter<Scalar, Device>*> parameters() { return {}; }
    Step prepare(graft::StepContext const&) const { return {}; }
#ifdef CORRECT
    Value after_layer(graft::LayerAddress, Value const& x, graft::Rows const&, Step const&) const { return x; }
#else
    Value after_layer(graft::LayerAddress, Value const& x, graft::Rows const&, Other const&) const { return x; }
#endif
  };
};

void misuse(graft::Base<graft::Gpt2> const& base) { (void)graft::adapt(base, Mine{}); }
