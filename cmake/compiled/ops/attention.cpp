#include <graft/ops/attention.hpp>

namespace graft {

template Variable<float> attention(Columns<float> const&, std::vector<AttentionSource<float>>,
                                   std::shared_ptr<CheckedSegments const> const&, AttentionShape const&,
                                   RelativeBias<float> const*);
template Variable<double> attention(Columns<double> const&, std::vector<AttentionSource<double>>,
                                    std::shared_ptr<CheckedSegments const> const&, AttentionShape const&,
                                    RelativeBias<double> const*);

}  // namespace graft
