// expect: a strategy with the hook virtual_tokens needs the hook `void announce(Additions&) const`
#include <graft/models/adapt.hpp>
#include <graft/models/gpt2.hpp>

struct Mine {
  static constexpr char const* name = "mine";
  template <class Scalar, class Device>
  struct State {
    State(Mine const&, graft::ModelInfo const&, graft::BaseAccess<Scalar, Device> const&, graft::RandomKey) {}
    std::vector<graft::Parameter<Scalar, Device>*> parameters() { return {}; }
#ifdef CORRECT
    void announce(graft::Additions&) const {}
#endif
    void virtual_tokens(graft::EmbeddingList<Scalar, Device>&) const {}
  };
};

void misuse(graft::Base<graft::Gpt2> const& base) { (void)graft::adapt(base, Mine{}); }
