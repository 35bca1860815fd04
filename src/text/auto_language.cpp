#include "text/auto_language.hpp"

#include <algorithm>
#include <vector>

#include "text/language.hpp"
#include "text/steps.hpp"

namespace vf::text {

Script AutoLanguageScript(std::string_view original) {
    const std::string text(original);
    const std::vector<Sentence> sentences = FindSentences(text, "");
    std::vector<std::string> languages;
    for (const Sentence& sentence : sentences) {
        const auto size = sentence.end - sentence.begin;
        std::string language = DetectLanguage(original.substr(sentence.begin, size));
        if (language.empty() && !languages.empty()) language = languages.back();
        languages.push_back(std::move(language));
    }
    Script script;
    const auto first = std::ranges::find_if(languages, [](const auto& l) { return !l.empty(); });
    if (first != languages.end()) script.language = *first;
    std::fill(languages.begin(), first, script.language);

    const MappedText all = MappedText::Of(original);
    std::size_t at = 0;
    for (std::size_t i = 0; i < sentences.size(); ++i) {
        const bool is_last = i + 1 == sentences.size();
        const bool goes_on = !is_last && languages[i + 1] == languages[i];
        if (goes_on) continue;
        const std::size_t end = is_last ? original.size() : sentences[i + 1].begin;
        Style style;
        style.language = languages[i];
        auto found = std::ranges::find(script.styles, style);
        if (found == script.styles.end()) found = script.styles.insert(found, style);
        Piece piece;
        piece.style = static_cast<std::uint32_t>(found - script.styles.begin());
        piece.text = all.Slice(at, end);
        script.pieces.push_back(std::move(piece));
        at = end;
    }
    return script;
}

}  // namespace vf::text
