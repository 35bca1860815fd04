#pragma once
// Where sentences end in a text of which more may come. Pure; any thread.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace vf::text {

// Ends of whole sentences, the last one first, in bytes, white space behind them included. The last
// sentence counts when its end cannot be taken back by what comes: a mark of its end and white
// space behind it, and no abbreviation.
std::vector<std::size_t> SentenceEnds(const std::string& text, std::string_view language);

// White space, marks of sentences and clauses, brackets, quotes; not symbols such as $ or %.
bool IsPunctuation(char32_t code_point);

}  // namespace vf::text
