#include "speech/options.hpp"

namespace vf::speech {

void DeclareSettings(SettingsSchema& schema, SpeechOptions& options) {
    schema.Text("speech.default_voice", options.default_voice,
                {"\"alloy\"", "The voice that speaks when a request names none."});
    schema.Bytes("speech.pipe_bytes", options.pipe_bytes, 4 * 1024, 16 * 1024 * 1024,
                 {"\"256KiB\"", "How much finished audio may wait for a slow client, a request."});
    schema.Bytes(
        "speech.max_whole_bytes", options.max_whole_bytes, 1024 * 1024, 4ULL * 1024 * 1024 * 1024,
        {"\"256MiB\"", "The largest audio that is answered whole; longer ones must stream."});
    schema.Integer("speech.dsp_threads", options.dsp_threads, 0, 256,
                   {"2", "Threads that filter and encode audio; 0 is one a processor."});
    schema.Integer("speech.max_concurrent", options.max_concurrent, 1, 100'000,
                   {"256", "Speeches at work or waiting at once; beyond it requests get 503."});
    text::DeclareSettings(schema, options.split);
    audio::DeclareSettings(schema, options.quality);
}

}  // namespace vf::speech
