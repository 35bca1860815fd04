#include "dialects/native/preview.hpp"

#include <fmt/format.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/utf8.hpp"

namespace vf::native {
namespace {

constexpr std::size_t kMostSentences = 2'000;
constexpr std::size_t kLongestSentence = 400;  // bytes

// Counts while it lives, however the coroutine ends.
class AtWork {
public:
    explicit AtWork(std::int64_t& count) : count_(count) { ++count_; }
    ~AtWork() { --count_; }
    AtWork(const AtWork&) = delete;
    AtWork& operator=(const AtWork&) = delete;

private:
    std::int64_t& count_;
};

std::string_view LanguageOf(const engines::Voice& voice) {
    return voice.languages.empty() ? std::string_view("en") : voice.languages.front();
}

}  // namespace

void DeclareSettings(SettingsSchema& schema, PreviewOptions& options) {
    schema.Integer("previews.concurrent", options.concurrent, 1, 1'000,
                   {"8", "Voice previews being spoken at once; beyond it requests get 503."});
    schema.Bytes("previews.cache_bytes", options.cache_bytes, 0, 1024ULL * 1024 * 1024,
                 {"\"16MiB\"", "Finished voice previews that are kept in memory."});
}

Result<PreviewSentences> PreviewSentences::Read(std::string_view file) {
    PreviewSentences out;
    std::size_t number = 0;
    while (!file.empty()) {
        const std::string_view line = file.substr(0, file.find('\n'));
        file.remove_prefix(std::min(line.size() + 1, file.size()));
        ++number;
        if (line.empty() || line.front() == '#') continue;
        const std::size_t tab = line.find('\t');
        const bool is_pair = tab != std::string_view::npos && tab > 0 && tab + 1 < line.size() &&
                             line.find('\t', tab + 1) == std::string_view::npos &&
                             line.size() - tab <= kLongestSentence && !Utf8FindInvalid(line);
        if (!is_pair || out.sentences_.size() >= kMostSentences ||
            !out.sentences_.emplace(line.substr(0, tab), line.substr(tab + 1)).second) {
            return Error(ErrorKind::kInvalid, "invalid_previews",
                         fmt::format("Line {} of the previews' sentences is wrong: a line is a "
                                     "language tag that no other line has, a tab, and a sentence "
                                     "of at most {} bytes.",
                                     number, kLongestSentence));
        }
    }
    return out;
}

std::string_view PreviewSentences::For(std::string_view tag) const {
    for (;;) {
        const auto found = sentences_.find(tag);
        if (found != sentences_.end()) return found->second;
        if (tag == "en") return {};
        const std::size_t dash = tag.rfind('-');
        tag = dash == std::string_view::npos ? std::string_view("en") : tag.substr(0, dash);
    }
}

std::string Previews::Etag(const engines::Voice& voice, audio::Format format) const {
    std::string version;
    for (const engines::EngineStats& engine : engines_.stats()) {
        if (engine.engine == voice.engine) version = engine.version;
    }
    const std::string all =
        fmt::format("{}\n{}\n{}\n{}\n{}\n{}", voice.id, voice.engine, version, voice.revision,
                    audio::InfoOf(format).name, sentences_.For(LanguageOf(voice)));
    std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
    ::SHA256(reinterpret_cast<const unsigned char*>(all.data()), all.size(), digest.data());
    std::string etag = "\"";
    for (std::size_t i = 0; i < 16; ++i) etag += fmt::format("{:02x}", digest.at(i));
    return etag + '"';
}

Previews::Audio Previews::Find(const std::string& etag) {
    const auto found = by_etag_.find(etag);
    if (found == by_etag_.end()) return nullptr;
    kept_.splice(kept_.begin(), kept_, found->second);
    return found->second->audio;
}

void Previews::Keep(std::string etag, Audio audio) {
    if (audio->size() > options_.cache_bytes || by_etag_.contains(etag)) return;
    kept_bytes_ += audio->size();
    kept_.push_front({std::move(etag), std::move(audio)});
    by_etag_[kept_.front().etag] = kept_.begin();
    while (kept_bytes_ > options_.cache_bytes) {
        kept_bytes_ -= kept_.back().audio->size();
        by_etag_.erase(kept_.back().etag);
        kept_.pop_back();
    }
}

Task<Result<Previews::Audio>> Previews::Get(const engines::Voice* voice, audio::Format format) {
    std::string etag = Etag(*voice, format);
    Audio audio = Find(etag);
    if (audio) co_return audio;
    if (at_work_ >= options_.concurrent) {
        co_return Error(ErrorKind::kUnavailable, "previews_busy",
                        "The server speaks as many previews as it may. Try again in a moment.")
            .RetryAfter(std::chrono::seconds(1));
    }
    const AtWork at_work(at_work_);
    speech::SpeechRequest request;
    request.text = sentences_.For(LanguageOf(*voice));
    request.voice = voice->id;
    request.format = format;
    request.wants_timing = false;
    request.whole = true;
    request.is_metered = false;
    Result<std::shared_ptr<speech::Speech>> started = co_await speech_.Start(std::move(request));
    if (!started) co_return std::move(started).error();
    const std::shared_ptr<speech::Speech> speech = *started;
    Result<std::string> spoken = co_await speech_.Collect(speech);
    if (!spoken) co_return std::move(spoken).error();
    audio = std::make_shared<const std::string>(*std::move(spoken));
    Keep(std::move(etag), audio);
    co_return audio;
}

}  // namespace vf::native
