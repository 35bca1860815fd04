#include "vendors/audio_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>

#include "base/base64.hpp"
#include "base/json.hpp"
#include "base/utf8.hpp"
#include "vendors/vendor_wire.hpp"

namespace vf::vendors {
namespace {

constexpr std::size_t kMaxMessage = 8U << 20U;  // bytes of one line or event
constexpr double kMaxSeconds = 3600;            // of a time that a vendor tells

Error Unreadable(Vendor vendor) {
    return {ErrorKind::kUnavailable, "vendor_answer_unreadable",
            fmt::format("{} answered with something that is no audio. Check the connection's "
                        "\"base_url\" and model.",
                        DisplayName(vendor))};
}

Error Cut(Vendor vendor) {
    return {ErrorKind::kUnavailable, "vendor_answer_cut",
            fmt::format("{} ended its answer in the middle.", DisplayName(vendor))};
}

// Little-endian 16 bit samples from bytes that may part in the middle of one.
class Samples {
public:
    void Add(std::string_view bytes, std::vector<std::int16_t>& out) {
        if (bytes.empty()) return;
        if (has_low_) {
            out.push_back(Sample(low_, bytes.front()));
            bytes.remove_prefix(1);
            has_low_ = false;
        }
        out.reserve(out.size() + bytes.size() / 2);
        for (; bytes.size() >= 2; bytes.remove_prefix(2)) {
            out.push_back(Sample(bytes[0], bytes[1]));
        }
        if (!bytes.empty()) {
            low_ = bytes.front();
            has_low_ = true;
        }
    }

private:
    static std::int16_t Sample(char low, char high) {
        return static_cast<std::int16_t>(static_cast<unsigned char>(low) |
                                         (static_cast<unsigned char>(high) << 8U));
    }

    char low_ = 0;
    bool has_low_ = false;
};

std::optional<std::uint64_t> SampleAt(const json::value& seconds) {
    if (!seconds.is_number()) return std::nullopt;
    const double value = seconds.to_number<double>();
    if (!std::isfinite(value)) return std::nullopt;
    return static_cast<std::uint64_t>(
        std::lround(std::clamp(value, 0.0, kMaxSeconds) * kSampleRate));
}

const json::array* ArrayIn(const json::value& holder, std::string_view name) {
    if (!holder.is_object()) return nullptr;
    const json::value* found = holder.get_object().if_contains(name);
    return found && found->is_array() ? &found->get_array() : nullptr;
}

std::string_view TextIn(const json::value& holder, std::string_view name) {
    if (!holder.is_object()) return {};
    const json::value* found = holder.get_object().if_contains(name);
    if (!found || !found->is_string()) return {};
    return found->get_string();
}

bool IsBlank(std::string_view text) {
    return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

// Raw samples as they are.
class PlainReader final : public AudioReader {
public:
    explicit PlainReader(Vendor vendor) : vendor_(vendor) {}

    Result<engines::EngineChunk> Feed(std::string_view bytes) override {
        // A server that does not know the format sends another one, and a JSON error with 200.
        if (is_start_ &&
            (bytes.starts_with("RIFF") || bytes.starts_with("ID3") || bytes.starts_with("OggS") ||
             bytes.starts_with("fLaC") || bytes.starts_with("{\""))) {
            return Unreadable(vendor_);
        }
        is_start_ = is_start_ && bytes.empty();
        engines::EngineChunk chunk;
        samples_.Add(bytes, chunk.samples);
        return chunk;
    }
    Result<engines::EngineChunk> Finish() override { return engines::EngineChunk(); }

private:
    Vendor vendor_;
    bool is_start_ = true;
    Samples samples_;
};

// Messages in lines; what a line means is for those below.
class LineReader : public AudioReader {
public:
    LineReader(Vendor vendor, std::string text) : vendor_(vendor), text_(std::move(text)) {}

    Result<engines::EngineChunk> Feed(std::string_view bytes) override {
        engines::EngineChunk chunk;
        while (!bytes.empty()) {
            const std::size_t end = bytes.find('\n');
            line_ += bytes.substr(0, end);
            if (line_.size() > kMaxMessage) return Unreadable(vendor_);
            if (end == std::string_view::npos) break;
            bytes.remove_prefix(end + 1);
            Result<void> taken = TakeLine(chunk);
            if (!taken) return std::move(taken).error();
        }
        return chunk;
    }

    Result<engines::EngineChunk> Finish() override {
        engines::EngineChunk chunk;
        if (!IsBlank(line_)) {
            const Result<void> taken = TakeLine(chunk);
            if (!taken) return Cut(vendor_);
        }
        Result<void> ended = End(chunk);
        if (!ended) return std::move(ended).error();
        return chunk;
    }

protected:
    virtual Result<void> Take(std::string_view line, engines::EngineChunk& chunk) = 0;
    virtual Result<void> End(engines::EngineChunk& chunk) = 0;

    Result<void> AddBase64(std::string_view text, engines::EngineChunk& chunk) {
        const std::optional<std::string> bytes = FromBase64(text);
        if (!bytes) return Unreadable(vendor_);
        samples_.Add(*bytes, chunk.samples);
        return {};
    }

    Vendor vendor_;
    std::string text_;

private:
    Result<void> TakeLine(engines::EngineChunk& chunk) {
        if (line_.ends_with('\r')) line_.pop_back();
        const std::string line = std::exchange(line_, {});
        return Take(line, chunk);
    }

    std::string line_;
    Samples samples_;
};

// Objects {"audio_base64", "alignment"}, one a line: characters with their times, on the clock of
// the whole answer. Words are what stands between white space.
class ElevenLabsReader final : public LineReader {
public:
    using LineReader::LineReader;

private:
    Result<void> Take(std::string_view line, engines::EngineChunk& chunk) override {
        if (IsBlank(line)) return {};
        const Result<json::Parsed> parsed = json::Parse(line);
        if (!parsed || !parsed->root.is_object()) return Unreadable(vendor_);
        const std::string_view audio = TextIn(parsed->root, "audio_base64");
        if (Result<void> added = AddBase64(audio, chunk); !added) return added;
        const json::value* alignment = parsed->root.get_object().if_contains("alignment");
        if (alignment) AddCharacters(*alignment, chunk);
        return {};
    }

    Result<void> End(engines::EngineChunk& chunk) override {
        EndWord(chunk);
        return {};
    }

    void AddCharacters(const json::value& alignment, engines::EngineChunk& chunk) {
        const json::array* characters = ArrayIn(alignment, "characters");
        const json::array* starts = ArrayIn(alignment, "character_start_times_seconds");
        const json::array* ends = ArrayIn(alignment, "character_end_times_seconds");
        if (!characters || !starts || !ends) return;
        const std::size_t count = std::min({characters->size(), starts->size(), ends->size()});
        for (std::size_t i = 0; i < count; ++i) {
            const json::value& character = (*characters)[i];
            const auto start = SampleAt((*starts)[i]);
            const auto end = SampleAt((*ends)[i]);
            if (character.is_string() && start && end) {
                AddCharacter(character.get_string(), *start, *end, chunk);
            }
        }
    }

    void AddCharacter(std::string_view character, std::uint64_t start, std::uint64_t end,
                      engines::EngineChunk& chunk) {
        if (character.empty()) return;
        // Not where it should be: the vendor tells of another text; nothing is placed any more.
        if (at_ > text_.size() || !std::string_view(text_).substr(at_).starts_with(character)) {
            at_ = text_.size() + 1;
            has_word_ = false;
            return;
        }
        const std::size_t begin = at_;
        at_ += character.size();
        if (IsBlank(character)) {
            EndWord(chunk);
            return;
        }
        if (!has_word_) {
            word_ = {};
            word_.kind = engines::TimingEvent::kWord;
            word_.text_begin = static_cast<std::uint32_t>(begin);
            word_.start_sample = std::max(start, last_end_);
            has_word_ = true;
        }
        word_.text_end = static_cast<std::uint32_t>(at_);
        word_.end_sample = std::max({word_.end_sample, word_.start_sample, end});
    }

    void EndWord(engines::EngineChunk& chunk) {
        if (!has_word_) return;
        has_word_ = false;
        word_.label = text_.substr(word_.text_begin, word_.text_end - word_.text_begin);
        last_end_ = word_.end_sample;
        chunk.events.push_back(std::move(word_));
    }

    std::size_t at_ = 0;  // bytes of the text that were told of; beyond it: lost
    bool has_word_ = false;
    engines::TimingEvent word_;
    std::uint64_t last_end_ = 0;
};

// Server-sent events: chunk, timestamps, done, error.
class CartesiaReader final : public LineReader {
public:
    using LineReader::LineReader;

private:
    Result<void> Take(std::string_view line, engines::EngineChunk& chunk) override {
        if (line.starts_with("data:")) {
            line.remove_prefix(5);
            if (line.starts_with(' ')) line.remove_prefix(1);
            if (!data_.empty()) data_ += '\n';
            data_ += line;
            if (data_.size() > kMaxMessage) return Unreadable(vendor_);
            return {};
        }
        const bool is_field = line.starts_with("event:") || line.starts_with("id:") ||
                              line.starts_with("retry:") || line.starts_with(':');
        if (!line.empty()) return is_field ? Result<void>() : Unreadable(vendor_);
        return TakeEvent(chunk);
    }

    Result<void> TakeEvent(engines::EngineChunk& chunk) {
        const std::string data = std::exchange(data_, {});
        if (IsBlank(data)) return {};
        const Result<json::Parsed> parsed = json::Parse(data);
        if (!parsed || !parsed->root.is_object()) return Unreadable(vendor_);
        const json::value& root = parsed->root;
        const std::string_view type = TextIn(root, "type");
        if (type == "error" || root.get_object().contains("error")) {
            const json::value* status = root.get_object().if_contains("status_code");
            const bool is_status = status && status->is_int64() && status->get_int64() >= 400 &&
                                   status->get_int64() < 600;
            return ErrorOf(vendor_, is_status ? static_cast<int>(status->get_int64()) : 500, {},
                           data);
        }
        if (type == "done") is_done_ = true;
        if (const std::string_view audio = TextIn(root, "data"); !audio.empty()) {
            if (Result<void> added = AddBase64(audio, chunk); !added) return added;
        }
        const json::value* words = root.get_object().if_contains("word_timestamps");
        if (words) AddWords(*words, chunk);
        return {};
    }

    Result<void> End(engines::EngineChunk& chunk) override {
        if (Result<void> taken = TakeEvent(chunk); !taken) return taken;
        if (!is_done_) return Cut(vendor_);
        return {};
    }

    void AddWords(const json::value& told, engines::EngineChunk& chunk) {
        const json::array* words = ArrayIn(told, "words");
        const json::array* starts = ArrayIn(told, "start");
        const json::array* ends = ArrayIn(told, "end");
        if (!words || !starts || !ends) return;
        const std::size_t count = std::min({words->size(), starts->size(), ends->size()});
        for (std::size_t i = 0; i < count; ++i) {
            const auto start = SampleAt((*starts)[i]);
            const auto end = SampleAt((*ends)[i]);
            if (!(*words)[i].is_string() || !start || !end) continue;
            const std::string_view word = (*words)[i].get_string();
            const std::size_t found = word.empty() ? std::string::npos : text_.find(word, at_);
            if (found == std::string::npos) continue;
            engines::TimingEvent event;
            event.kind = engines::TimingEvent::kWord;
            event.text_begin = static_cast<std::uint32_t>(found);
            event.text_end = static_cast<std::uint32_t>(found + word.size());
            event.start_sample = std::max(*start, last_end_);
            event.end_sample = std::max(event.start_sample, *end);
            event.label = word;
            last_end_ = event.end_sample;
            at_ = event.text_end;
            chunk.events.push_back(std::move(event));
        }
    }

    std::string data_;
    bool is_done_ = false;
    std::size_t at_ = 0;
    std::uint64_t last_end_ = 0;
};

}  // namespace

std::unique_ptr<AudioReader> MakeReader(Vendor vendor, std::string text, bool plain) {
    if (plain || vendor == Vendor::kOpenAi) return std::make_unique<PlainReader>(vendor);
    if (vendor == Vendor::kElevenLabs) {
        return std::make_unique<ElevenLabsReader>(vendor, std::move(text));
    }
    return std::make_unique<CartesiaReader>(vendor, std::move(text));
}

}  // namespace vf::vendors
