#include "text/normalise.hpp"

#include <gtest/gtest.h>
