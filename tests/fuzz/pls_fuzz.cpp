// Any bytes as a pronunciation lexicon. What is accepted must be a dictionary, and must read the
// same after it was written.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/utf8.hpp"
#include "text/pls.hpp"

namespace {

void Require(bool holds) {
    if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size > 20000) return 0;
    const std::string_view xml(reinterpret_cast<const char*>(data), size);
    const auto read = vf::text::ReadPls(xml);
    if (!read) {
        Require(!read.error().code().empty() && !read.error().message().empty());
        return 0;
    }
    Require(!vf::Utf8FindInvalid(xml));
    Require(vf::text::Lexicon::Make(read->rules).ok());
    const auto again = vf::text::ReadPls(vf::text::WritePls(*read));
    Require(again.ok() && again->rules == read->rules);
    return 0;
}
