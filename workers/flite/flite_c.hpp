#pragma once
// flite's C headers, which are not all meant for C++.

extern "C" {
#include <flite/cst_cg.h>
#include <flite/flite.h>
}
