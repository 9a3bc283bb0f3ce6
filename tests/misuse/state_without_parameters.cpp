// expect: a strategy's State needs `std::vector<Parameter<Scalar, Device>*> parameters()`
#include <graft/models/adapt.hpp>
#include <graft/models/gpt2.hpp>

struct Mine {
  static constexpr char const* name = "mine";
  template <class Scalar, class Device>
  struct State {
    State(Mine const&, graft::ModelInfo const&, graft::BaseAccess<Scalar, Device> const&, graft::RandomKey) {}
#ifdef CORRECT
    std::vector<graft::Parameter<Scalar, Device>*> parameters() { return {}; }
#endif
  };
};

void misuse(graft::Base<graft::Gpt2> const& base) { (void)graft::adapt(base, Mine{}); }
