// expect: a strategy's hook project has another signature than
#include <graft/models/adapt.hpp>
#include <graft/models/gpt2.hpp>

struct Mine {
  static constexpr char const* name = "mine";
  template <class Scalar, class Device>
  struct State {
    using Value = graft::Variable<Scalar, Device>;
    State(Mine const&, graft::ModelInfo const&, graft::BaseAccess<Scalar, Device> const&, graft::RandomKey) {}
    std::vector<graft::Parameter<Scalar, Device>*> parameters() { return {}; }
#ifdef CORRECT
    template <class Linear>
    Value project(graft::SiteAddress const&, Value const& x, Linear const& linear, graft::Rows const&) const {
      return linear(x);
    }
#else
    Value project(graft::SiteAddress const&, Value const&, Value const& y, graft::Rows const&) const { return y; }
#endif
  };
};

void misuse(graft::Base<graft::Gpt2> const& base) { (void)graft::adapt(base, Mine{}); }
