#include <graft/models/bert.hpp>

#include "family_of.hpp"

std::unique_ptr<whole::Family> whole::bert() {
  using WithHead = graft::any::TypeList<graft::NoAdaptation, graft::ClassificationHead, graft::LoRA, graft::BitFit,
                                        graft::FullFineTuning>;
  return std::make_unique<FamilyOf<graft::Bert, WithHead, false>>();
}
