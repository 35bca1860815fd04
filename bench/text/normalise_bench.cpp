// What normalising costs: 5,000 characters of ordinary prose, and the same with a number in every
// sentence. Usage: normalise_bench [rounds, default 300]

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "text/normalise.hpp"

namespace {

using namespace vf::text;
using Clock = std::chrono::steady_clock;

void Measure(const char* name, std::string_view sentence, int rounds) {
    std::string text;
    while (text.size() < 5000) text += sentence;
    const MappedText mapped = MappedText::Of(std::string_view(text).substr(0, 5000));
    std::vector<double> millis;
    for (int i = 0; i < rounds; ++i) {
        const auto start = Clock::now();
        if (Normalise(mapped, "en", {}).empty()) std::exit(1);
        millis.push_back(std::chrono::duration<double, std::milli>(Clock::now() - start).count());
    }
    std::sort(millis.begin(), millis.end());
    std::printf("%-34s p50 %6.3f ms   p99 %6.3f ms\n", name, millis[millis.size() / 2],
                millis[millis.size() * 99 / 100]);
}

}  // namespace

int main(int argc, char** argv) {
    const int rounds = argc > 1 ? std::atoi(argv[1]) : 300;
    const auto start = Clock::now();
    WarmUpNormaliser();
    std::printf("warming up: %.1f ms\n",
                std::chrono::duration<double, std::milli>(Clock::now() - start).count());
    Measure("5,000 characters of prose",
            "It was a quiet morning in the small town by the sea, and Dr. Miller opened the doors "
            "of her practice. Nobody expected that by 9:30 the waiting room would be full. ",
            rounds);
    Measure("5,000 characters full of numbers",
            "On Nov. 21, 2026 it cost $12.50 for 3 kg, up 5% from 1984 (see p. 12). ", rounds);
    return 0;
}
