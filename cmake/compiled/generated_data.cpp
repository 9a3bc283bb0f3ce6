#include <graft/data/generated.hpp>

namespace graft::generated {

template GeneratedData make_data<>(GeneratedDataOptions const&);

}  // namespace graft::generated
