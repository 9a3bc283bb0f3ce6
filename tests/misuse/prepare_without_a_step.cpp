// expect: a strategy's hook prepare has another signature than
#include <graft/models/adapt.hpp>
#include <graft/models/gpt2.hpp>

struct Mine {
  static constexpr char const* name = "mine";
  template <class Scalar, class Device>
  struct State {
    State(Mine const&, graft::ModelInfo const&, graft::BaseAccess<Scalar, Device> const&, graft::RandomKey) {}
    std::vector<graft::Parameter<Scalar, Device>*> parameters() { return {}; }
#ifdef CORRECT
    std::uint64_t prepare(graft::StepContext const& context) const { return context.step; }
#else
    void prepare(graft::StepContext const& context) { step = context.step; }
    std::uint64_t step = 0;
#endif
  };
};

void misuse(graft::Base<graft::Gpt2> const& base) { (void)graft::adapt(base, Mine{}); }
