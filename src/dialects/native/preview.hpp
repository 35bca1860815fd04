#pragma once
// What a voice sounds like: one sentence in its own language, spoken once and remembered.

#include <list>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "audio/format.hpp"
#include "base/result.hpp"
#include "base/settings.hpp"
#include "base/task.hpp"
#include "engines/engines.hpp"
#include "speech/speech_service.hpp"

namespace vf::native {

struct PreviewOptions {
    std::int64_t concurrent = 8;              // previews being spoken at once
    std::uint64_t cache_bytes = 16ULL << 20;  // of finished ones; the least used go first
};

// Section "previews". `options` must outlive `schema`.
void DeclareSettings(SettingsSchema& schema, PreviewOptions& options);

// Sentences by language.
class PreviewSentences {
public:
    // Of lines "tag<TAB>sentence"; empty ones and those that begin with # do not count. Errors are
    // kInvalid and name the line.
    static Result<PreviewSentences> Read(std::string_view file);

    // That of the tag, else of the nearest tag that it is a kind of ("pt-BR", then "pt"), else the
    // English one, else an empty one.
    std::string_view For(std::string_view tag) const;

private:
    std::map<std::string, std::string, std::less<>> sentences_;
};

// Nobody is charged for previews; a bounded number is spoken at once and kept. On the loop; what
// it is given must outlive it.
class Previews {
public:
    using Audio = std::shared_ptr<const std::string>;

    Previews(const engines::Engines& engines, speech::SpeechService& speech,
             PreviewSentences sentences, const PreviewOptions& options)
        : engines_(engines), speech_(speech), sentences_(std::move(sentences)), options_(options) {}

    // A strong entity tag: it changes with the sentence, the engine's version and the format.
    std::string Etag(const engines::Voice& voice, audio::Format format) const;

    // The whole audio. Errors: those of SpeechService::Start and Collect, and kUnavailable
    // "previews_busy".
    Task<Result<Audio>> Get(const engines::Voice* voice, audio::Format format);

private:
    struct Kept {
        std::string etag;
        Audio audio;
    };
    Audio Find(const std::string& etag);
    void Keep(std::string etag, Audio audio);

    const engines::Engines& engines_;
    speech::SpeechService& speech_;
    PreviewSentences sentences_;
    PreviewOptions options_;
    std::list<Kept> kept_;  // the latest used first
    std::map<std::string, std::list<Kept>::iterator, std::less<>> by_etag_;
    std::uint64_t kept_bytes_ = 0;
    std::int64_t at_work_ = 0;
};

}  // namespace vf::native
