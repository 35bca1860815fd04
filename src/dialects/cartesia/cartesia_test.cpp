#include <gtest/gtest.h>
namespace {
TEST(Cartesia, Placeholder) {}
}  // namespace
