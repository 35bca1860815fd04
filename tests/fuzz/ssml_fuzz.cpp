// SSML of any bytes that are valid UTF-8: nothing may crash, and every piece must point into the
// source.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/utf8.hpp"
#include "text/phonemes.hpp"
#include "text/ssml.hpp"

namespace {

using namespace vf::text;

void Require(bool holds) {
    if (!holds) std::abort();
}

void CheckText(const Piece& piece, std::string_view source) {
    const MappedText& text = piece.text;
    Require(!vf::Utf8FindInvalid(text.text()));
    std::size_t last = 0, end = 0;
    for (const MapRun& run : text.runs()) {
        Require(run.begin == end && run.end > run.begin);
        Require(run.original_begin >= last && run.original_end >= run.original_begin);
        Require(run.original_end <= source.size());
        if (run.verbatim) {
            Require(source.substr(run.original_begin, run.original_end - run.original_begin) ==
                    std::string_view(text.text()).substr(run.begin, run.end - run.begin));
        }
        last = run.original_begin;
        end = run.end;
    }
    Require(end == text.text().size());
    if (piece.phonemes.empty()) return;
    // What has been read is IPA that every alphabet can write, or has no sound in English.
    Require(!SplitIpa(piece.phonemes).empty());
    Require(FromIpa(PhonemeAlphabet::kXSampa, piece.phonemes).ok());
    Require(FromIpa(PhonemeAlphabet::kEspeak, piece.phonemes).ok());
    (void)FromIpa(PhonemeAlphabet::kFlite, piece.phonemes).ok();
}

void CheckStyle(const Style& style) {
    Require(style.speed >= 0.1 && style.speed <= 10);
    Require(style.pitch >= -24 && style.pitch <= 24);
    Require(style.pitch_range >= 0.1 && style.pitch_range <= 4);
    Require(style.volume >= kSilence && style.volume <= 24);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size > 20'000) return 0;
    const std::string_view source(reinterpret_cast<const char*>(data), size);
    if (vf::Utf8FindInvalid(source)) return 0;
    const SsmlOptions options;
    const vf::Result<Script> script = ReadSsml(source, options);
    if (!script) {
        Require(script.error().message().starts_with("SSML line "));
        Require(!vf::Utf8FindInvalid(script.error().message()));
        return 0;
    }
    std::chrono::milliseconds pauses{0};
    for (const Piece& piece : script->pieces) {
        Require(piece.style < script->styles.size() && piece.at <= source.size());
        pauses += piece.pause;
        if (piece.kind == Piece::Kind::kText) CheckText(piece, source);
        if (piece.kind == Piece::Kind::kMark) Require(!piece.name.empty());
    }
    Require(pauses <= options.max_total_pause);
    for (const Style& style : script->styles) CheckStyle(style);
    Require(script->warnings.size() <= 50 && script->lexicons.size() <= 20);
    return 0;
}
