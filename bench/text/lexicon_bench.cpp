// What a full dictionary costs a sentence: 10,000 rules (three such dictionaries, as a request may
// name) over a sentence of ordinary length and over one that is made of beginnings of rules.
// Usage: lexicon_bench [rounds, default 2000]

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>

#include "text/lexicon.hpp"

namespace {

using namespace vf::text;
using Clock = std::chrono::steady_clock;

std::string Word(std::mt19937& random) {
    std::string word;
    const std::size_t length = 3 + random() % 8;
    while (word.size() < length) word += static_cast<char>('a' + random() % 26);
    return word;
}

std::shared_ptr<const Lexicon> MakeLexicon(unsigned seed) {
    std::mt19937 random(seed);
    std::vector<LexiconRule> rules(Lexicon::kMaxRules);
    for (std::size_t i = 0; i < rules.size(); ++i) {
        rules[i].grapheme = Word(random);
        if (i % 5 == 0) rules[i].grapheme += " " + Word(random);
        rules[i].value = "spoken";
        rules[i].case_sensitive = i % 2 == 0;
    }
    // Beginnings that never end: the worst that a trie can be asked.
    for (std::size_t i = 0; i < 100; ++i) rules[i].grapheme = std::string(100 + i, 'a') + "b";
    return Lexicon::Make(std::move(rules)).value();
}

void Measure(const char* name, const std::string& text,
             const std::vector<std::shared_ptr<const Lexicon>>& lexicons, int rounds) {
    Piece piece;
    piece.text = MappedText::Of(text);
    std::vector<double> micros;
    std::size_t pieces = 0;
    for (int i = 0; i < rounds; ++i) {
        const auto start = Clock::now();
        pieces += ApplyLexicons(piece, lexicons).size();
        micros.push_back(std::chrono::duration<double, std::micro>(Clock::now() - start).count());
    }
    std::sort(micros.begin(), micros.end());
    std::printf("%-28s %zu x 10,000 rules   p50 %8.1f us   p99 %8.1f us   (bar: 1000)\n", name,
                lexicons.size(), micros[micros.size() / 2], micros[micros.size() * 99 / 100]);
    if (pieces == 0) std::exit(1);
}

}  // namespace

int main(int argc, char** argv) {
    const int rounds = argc > 1 ? std::atoi(argv[1]) : 2000;
    const auto start = Clock::now();
    const auto first = MakeLexicon(1);
    std::printf("making a dictionary of 10,000 rules: %.1f ms\n",
                std::chrono::duration<double, std::milli>(Clock::now() - start).count());
    const std::vector<std::shared_ptr<const Lexicon>> one{first};
    const std::vector<std::shared_ptr<const Lexicon>> three{first, MakeLexicon(2), MakeLexicon(3)};
    const std::string sentence =
        "A woman opened the doors of her bakery, and the smell of fresh bread drifted across the "
        "square while children on their way to school stopped at the window to look at the cakes.";
    const std::string worst(400, 'a');
    Measure("sentence of 180 characters", sentence, one, rounds);
    Measure("sentence of 180 characters", sentence, three, rounds);
    Measure("400 times the letter a", worst, one, rounds);
    Measure("400 times the letter a", worst, three, rounds);
    return 0;
}
