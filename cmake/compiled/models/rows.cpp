#include <graft/models/row_layout.hpp>
#include <graft/models/segment_tables.hpp>
#include <graft/nn/row_groups.hpp>

namespace graft {

template RowGroups group_rows<>(Rows const&);
template RowLayout lay_out_rows<>(Rows const&, Additions const&, Stack, std::vector<ContinuedRow> const&);
template SegmentTable self_attention_table<>(RowLayout const&, QueryRange const&, BankSegments const&,
                                             std::vector<ContinuedRow> const&, bool);
template SegmentTable cross_attention_table<>(Rows const&, std::vector<CacheExtent> const&, BankSegments const&);

}  // namespace graft
