#include "sherpa/speech.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <exception>
#include <string>
#include <vector>

namespace vf::worker {
namespace {

// Where Debian and others put the phoneme tables of espeak-ng.
constexpr std::array<const char*, 4> kSystemFolders = {
    "/usr/lib/x86_64-linux-gnu/espeak-ng-data", "/usr/lib/aarch64-linux-gnu/espeak-ng-data",
    "/usr/share/espeak-ng-data", "/usr/local/share/espeak-ng-data"};

std::string DataFolder(const std::string& data_dir) {
    if (data_dir != neural::kSystemData) return data_dir;
    for (const char* folder : kSystemFolders) {
        if (access((std::string(folder) + "/phontab").c_str(), R_OK) == 0) return folder;
    }
    return {};
}

std::string_view FileOf(std::string_view tag) {
    return tag == "en-GB" ? "en" : tag == "fr-FR" ? "fr" : tag;
}

// Kokoro's phonemes depend on the language, which goes beside the text by the name of espeak-ng's
// file for it. American English and Chinese are what such models are set to.
std::string ExtraOf(const neural::Manifest& manifest, const neural::Speaker& speaker) {
    const std::string& tag = speaker.language;
    if (manifest.kind != "kokoro" || tag == "en-US" || tag.starts_with("zh")) return {};
    std::string voice;
    for (const char c : FileOf(tag)) {
        if (c >= 'A' && c <= 'Z') {
            voice += static_cast<char>(c - 'A' + 'a');
        } else if ((c >= 'a' && c <= 'z') || c == '-') {
            voice += c;
        }
    }
    return R"({"lang":")" + voice + R"("})";
}

// A sample beyond the range is cut off; what is no number is silence.
std::int16_t Rounded(float sample) {
    if (!(sample == sample)) return 0;
    return static_cast<std::int16_t>(std::lround(std::clamp(sample, -1.0F, 1.0F) * 32'767));
}

struct Stream {
    Sink& sink;
    std::size_t sent = 0;
    bool stopped = false;
};

// Called after each sentence; the samples are lent. Zero ends the work.
int32_t OnSamples(const float* samples, int32_t count, float /*progress*/, void* context) {
    Stream& stream = *static_cast<Stream*>(context);
    std::vector<std::int16_t> out(static_cast<std::size_t>(std::max(count, 0)));
    std::transform(samples, samples + out.size(), out.begin(), Rounded);
    stream.sent += out.size();
    stream.stopped = !stream.sink.Audio(out) || stream.sink.cancelled();
    return stream.stopped ? 0 : 1;
}

void Use(SherpaOnnxOfflineTtsConfig& config, const neural::Manifest& manifest,
         const std::string& data_dir) {
    const neural::ModelParts& parts = manifest.parts;
    const auto or_null = [](const std::string& text) {
        return text.empty() ? nullptr : text.c_str();
    };
    if (manifest.kind == "vits") {
        config.model.vits.model = parts.model.c_str();
        config.model.vits.lexicon = or_null(parts.lexicon);
        config.model.vits.tokens = parts.tokens.c_str();
        config.model.vits.data_dir = or_null(data_dir);
        config.model.vits.noise_scale = static_cast<float>(parts.noise_scale);
        config.model.vits.noise_scale_w = static_cast<float>(parts.noise_scale_w);
    } else if (manifest.kind == "matcha") {
        config.model.matcha.acoustic_model = parts.model.c_str();
        config.model.matcha.vocoder = or_null(parts.vocoder);
        config.model.matcha.lexicon = or_null(parts.lexicon);
        config.model.matcha.tokens = parts.tokens.c_str();
        config.model.matcha.data_dir = or_null(data_dir);
    } else if (manifest.kind == "kokoro") {
        config.model.kokoro.model = parts.model.c_str();
        config.model.kokoro.voices = or_null(parts.voices);
        config.model.kokoro.tokens = parts.tokens.c_str();
        config.model.kokoro.data_dir = or_null(data_dir);
        config.model.kokoro.lexicon = or_null(parts.lexicon);
    } else if (manifest.kind == "kitten") {
        config.model.kitten.model = parts.model.c_str();
        config.model.kitten.voices = or_null(parts.voices);
        config.model.kitten.tokens = parts.tokens.c_str();
        config.model.kitten.data_dir = or_null(data_dir);
    }
    config.rule_fsts = or_null(parts.rule_fsts);
    config.rule_fars = or_null(parts.rule_fars);
}

}  // namespace

bool SherpaSpeech::Open(const SherpaLibrary& library, const neural::Manifest& manifest,
                        int threads) {
    library_ = library;
    manifest_ = manifest;
    const std::string data_dir = DataFolder(manifest_.parts.data_dir);
    if (data_dir.empty() && !manifest_.parts.data_dir.empty()) {
        Say("the model needs espeak-ng's data: install the package espeak-ng-data");
        return false;
    }
    SherpaOnnxOfflineTtsConfig config{};
    Use(config, manifest_, data_dir);
    config.model.num_threads = std::max(threads, 1);
    config.model.provider = "cpu";
    config.max_num_sentences = 1;
    config.silence_scale = 1;
    try {
        tts_ = library_.create(&config);
    } catch (const std::exception& e) {
        Say("the model cannot be loaded: " + std::string(e.what()).substr(0, 300));
        return false;
    }
    if (tts_ == nullptr) {
        Say("the model cannot be loaded");
        return false;
    }
    const int rate = library_.sample_rate(tts_);
    if (rate != manifest_.sample_rate) {
        Say("the model's sample rate is " + std::to_string(rate) + ", its manifest says " +
            std::to_string(manifest_.sample_rate));
        return false;
    }
    const int speakers = std::max(library_.speakers(tts_), 1);
    for (const neural::Speaker& speaker : manifest_.speakers) {
        if (speaker.number >= speakers) {
            Say("the model has " + std::to_string(speakers) + " speakers and none with number " +
                std::to_string(speaker.number));
            return false;
        }
    }
    return true;
}

const neural::Speaker* SherpaSpeech::Find(std::string_view voice) const {
    const auto found = std::ranges::find(manifest_.speakers, voice, &neural::Speaker::voice);
    return found == manifest_.speakers.end() ? nullptr : &*found;
}

Result<void> SherpaSpeech::Speak(const engines::Request& request, Sink& sink) {
    const neural::Speaker* speaker = Find(request.voice);
    if (speaker == nullptr) {
        return Error(ErrorKind::kInvalid, "unknown_voice", "no such voice here");
    }
    SherpaOnnxGenerationConfig config{};
    config.silence_scale = 1;
    // The library takes the model's own pace at speed 1 only, so that it goes into the speed.
    const double pace = manifest_.parts.length_scale > 0 ? manifest_.parts.length_scale : 1;
    config.speed =
        static_cast<float>(std::clamp(request.speed, kSherpaSlowest, kSherpaFastest) / pace);
    config.sid = speaker->number;
    const std::string extra = ExtraOf(manifest_, *speaker);
    config.extra = extra.empty() ? nullptr : extra.c_str();
    Stream stream{sink};
    const SherpaOnnxGeneratedAudio* audio = nullptr;
    try {
        audio = library_.generate(tts_, request.text.c_str(), &config, OnSamples, &stream);
    } catch (const std::exception& e) {
        // The server tells of this only how long it is, since it may quote the text.
        Say(std::string(e.what()).substr(0, 300));
        return Error(ErrorKind::kInvalid, "nothing_spoken", "the model failed on this text");
    }
    // Models that speak in one go have not called back.
    if (audio != nullptr && stream.sent == 0 && !stream.stopped && audio->n > 0) {
        OnSamples(audio->samples, audio->n, 1, &stream);
    }
    if (audio != nullptr) library_.free_audio(audio);
    if (stream.sent == 0 && !stream.stopped) {
        return Error(ErrorKind::kInvalid, "nothing_spoken", "the model made no audio of this text");
    }
    return {};
}

}  // namespace vf::worker
