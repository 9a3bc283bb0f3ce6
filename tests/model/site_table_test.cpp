// A site table finds what a search through the list finds.
#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

#include <graft/nn/site_table.hpp>

namespace graft {
namespace {

struct Item {
  SiteAddress site;
  int number;
};

TEST(SiteTable, FindsWhatASearchFinds) {
  std::vector<SiteAddress> const added{
      {Site::value, {Stack::encoder, 3}},       {Site::query, {Stack::decoder, 0}},
      {Site::query, {Stack::decoder, 11}},      {Site::token_embedding},
      {Site::final_norm, {Stack::encoder, -1}}, {Site::feed_forward_down, {Stack::decoder, 0}}};
  SiteTable<Item> table;
  EXPECT_TRUE(table.empty());
  EXPECT_EQ(table.find({Site::query, {Stack::decoder, 0}}), nullptr);
  for (auto const& site : added) table.push_back({site, static_cast<int>(table.size())});
  ASSERT_EQ(table.size(), added.size());
  for (Stack stack : {Stack::decoder, Stack::encoder})
    for (int layer = -1; layer < 13; ++layer)
      for (std::size_t s = 0; s < site_count; ++s) {
        SiteAddress const site{static_cast<Site>(s), {stack, layer}};
        auto const expected = std::find(added.begin(), added.end(), site);
        Item const* const found = std::as_const(table).find(site);
        ASSERT_EQ(found != nullptr, expected != added.end())
            << "stack " << static_cast<int>(stack) << ", layer " << layer << ", site " << s;
        if (found) {
          EXPECT_EQ(found->number, expected - added.begin());
        }
      }
  for (std::size_t i = 0; i < table.size(); ++i)
    EXPECT_EQ(table[i].number, static_cast<int>(i));  // in the order they came
}

TEST(SiteTable, CopiesAndMovesFindTheirOwn) {
  SiteTable<Item> table;
  table.push_back({{Site::key, {Stack::decoder, 2}}, 7});
  SiteTable<Item> copy = table;
  copy.find({Site::key, {Stack::decoder, 2}})->number = 8;
  EXPECT_EQ(table.find({Site::key, {Stack::decoder, 2}})->number, 7);
  SiteTable<Item> const moved = std::move(copy);
  EXPECT_EQ(moved.find({Site::key, {Stack::decoder, 2}})->number, 8);
}

}  // namespace
}  // namespace graft
