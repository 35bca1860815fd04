#include "flite/speech.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <memory>

#include "flite/events.hpp"
#include "flite/flite_c.hpp"
#include "flite/pronounce.hpp"
#include "flite/track_edit.hpp"

extern "C" {
void usenglish_init(cst_voice* voice);
cst_lexicon* cmulex_init(void);
cst_voice* register_cmu_us_slt(const char* folder);
cst_voice* register_cmu_us_rms(const char* folder);
cst_voice* register_cmu_us_awb(const char* folder);
cst_voice* register_cmu_us_kal16(const char* folder);
}

namespace vf::worker {
namespace {

using engines::Request;

constexpr int kFirstChunk = kFliteRate / 50;  // 20 ms
constexpr int kChunk = kFliteRate / 10;       // 100 ms
constexpr int kFramesPerSecond = 200;
constexpr int kMostSeconds = 240;
// flite guesses the sound of an unknown token in time that grows with the square of its length.
constexpr std::size_t kMostTokenBytes = 400;
// More words than four minutes can hold; each digit may become a word. Known before any work.
constexpr std::size_t kMostWords = 1'200;
// kal16's own settings, which the factors of a request are applied to.
constexpr double kKalStretch = 1.1;
constexpr double kKalMeanHz = 95;
constexpr double kKalSpreadHz = 11;

struct DeleteUtterance {
    void operator()(cst_utterance* utterance) const { delete_utterance(utterance); }
};
using Utterance = std::unique_ptr<cst_utterance, DeleteUtterance>;

// What the callback needs of the request being spoken.
struct Stream {
    const Request& request;
    Sink& sink;
    cst_utterance* utterance;
    const TrackEdit& edit;
    bool started = false;
    bool too_long = false;
};

int OnAudio(const cst_wave* wave, int start, int size, int /*last*/,
            cst_audio_streaming_info* info) {
    Stream& stream = *static_cast<Stream*>(info->userdata);
    if (!stream.started) {
        stream.too_long = stream.edit.too_long || wave->num_samples > kMostSeconds * kFliteRate;
        if (stream.too_long) return CST_AUDIO_STREAM_STOP;
        stream.started = true;
        info->min_buffsize = kChunk;
        const bool go_on =
            !stream.request.events ||
            stream.sink.Events(EventsOf(stream.utterance, stream.request.text, kFliteRate));
        if (!go_on) return CST_AUDIO_STREAM_STOP;
    }
    if (size <= 0) return CST_AUDIO_STREAM_CONT;
    const std::span<const short> samples(wave->samples + start, static_cast<std::size_t>(size));
    return stream.sink.Audio(samples) ? CST_AUDIO_STREAM_CONT : CST_AUDIO_STREAM_STOP;
}

Error TooLong() {
    return Error(ErrorKind::kInvalid, "segment_too_long",
                 "the text would take longer than four minutes");
}

Result<void> CheckLength(std::string_view text) {
    std::size_t length = 0, words = 0;
    for (const char c : text) {
        const bool is_space = c == ' ' || c == '\n' || c == '\t' || c == '\r';
        if ((!is_space && length == 0) || (c >= '0' && c <= '9')) ++words;
        length = is_space ? 0 : length + 1;
        if (length > kMostTokenBytes) {
            return Error(ErrorKind::kInvalid, "token_too_long",
                         "one word is longer than 400 bytes");
        }
    }
    if (words > kMostWords) return TooLong();
    return {};
}

void SetFloat(cst_utterance& utterance, const char* name, double value) {
    flite_feat_set_float(utterance.features, name, static_cast<float>(value));
}

}  // namespace

FliteSpeech::FliteSpeech() {
    flite_init();
    voices_[static_cast<int>(Base::kSlt)] = register_cmu_us_slt(nullptr);
    voices_[static_cast<int>(Base::kRms)] = register_cmu_us_rms(nullptr);
    voices_[static_cast<int>(Base::kAwb)] = register_cmu_us_awb(nullptr);
    voices_[static_cast<int>(Base::kKal16)] = register_cmu_us_kal16(nullptr);
}

Result<void> FliteSpeech::Speak(const FliteVoice& voice, const Request& request, Sink& sink) {
    Result<void> checked = CheckLength(request.text);
    if (!checked) return checked;
    const Result<PronouncedText> text = PronouncedText::Make(request);
    if (!text) return text.error();
    // The noise of breath comes from rand(), which nothing else here uses.
    if (request.seed) std::srand(*request.seed);
    cst_voice* base = voices_[static_cast<int>(voice.base)];
    const double pitch = voice.pitch * std::exp2(request.pitch / 12);
    const double range = voice.range * request.pitch_range;
    TrackEdit edit{pitch, range, kMostSeconds * kFramesPerSecond, false};
    const Utterance utterance(new_utterance());
    text->Use(utterance.get());
    const double stretch = voice.stretch / request.speed;
    // A copy of the voice's parameters, since the voice itself must stay as it is. It outlives the
    // utterance's use of it; `freeable` keeps flite from freeing what it shares with the original.
    cst_cg_db parameters{};
    if (voice.base == Base::kKal16) {
        SetFloat(*utterance, "duration_stretch", kKalStretch * stretch);
        SetFloat(*utterance, "int_f0_target_mean", kKalMeanHz * pitch);
        SetFloat(*utterance, "int_f0_target_stddev", kKalSpreadHz * pitch * range);
    } else {
        SetFloat(*utterance, "duration_stretch", stretch);
        if (voice.alpha != 0) {
            parameters = *val_cg_db(feat_val(base->features, "cg_db"));
            parameters.mlsa_alpha += static_cast<float>(voice.alpha);
            parameters.freeable = 0;
            feat_set(utterance->features, "cg_db", cg_db_val(&parameters));
        }
    }
    Stream stream{request, sink, utterance.get(), edit};
    cst_audio_streaming_info* info = new_audio_streaming_info();
    info->min_buffsize = kFirstChunk;
    info->asc = OnAudio;
    info->userdata = &stream;
    feat_set(utterance->features, "streaming_info", audio_streaming_info_val(info));
    UseTrackEdit(&edit);
    flite_do_synth(utterance.get(), base, utt_synth);
    UseTrackEdit(nullptr);
    if (stream.too_long) return TooLong();
    return {};
}

}  // namespace vf::worker
