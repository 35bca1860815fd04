// Bytes of a client after the upgrade, through the frame reader and the messages of the sockets
// that are read from them. The first byte chooses how the rest is cut into pieces. Checked beside
// memory errors: that cutting does not change what is read, and that what is read keeps the
// reader's promises.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/utf8.hpp"
#include "dialects/cartesia/generation.hpp"
#include "dialects/deepgram/deepgram_messages.hpp"
#include "dialects/elevenlabs/elevenlabs_socket_frame.hpp"
#include "dialects/native/stream_socket_message.hpp"
#include "http/websocket_reader.hpp"

namespace {

using vf::http::WebSocketReader;
using Event = WebSocketReader::Event;

constexpr std::uint64_t kMaxMessage = 4096;
constexpr std::size_t kMaxControl = 125;

// Aborts, so that the fuzzer keeps the input.
void Require(bool holds) {
    if (!holds) std::abort();
}

const vf::engines::Catalogue& Voices() {
    static const vf::engines::Catalogue catalogue = [] {
        vf::engines::Catalogue made;
        vf::engines::Voice voice;
        voice.id = "slt";
        voice.languages = {"en-US"};
        made.Add(voice);
        return made;
    }();
    return catalogue;
}

void ReadOfOthers(const std::string& text) {
    const auto message = vf::cartesia::ReadClientMessage(text, Voices());
    if (message) {
        const vf::speech::SpeechRequest& speech = message->generation.speech;
        Require(!message->context.empty() && message->context.size() <= 256);
        Require(speech.speed >= 0.6 && speech.speed <= 1.5);
        Require(message->generation.max_delay.count() <= 5000);
        Require(message->error || message->is_cancel || speech.voice == "slt");
    }
    for (const bool has_turns : {false, true}) {
        const auto said = vf::deepgram::ReadClientMessage(text, has_turns);
        if (said) Require(!said->played || *said->played >= 0);
    }
}

void ReadMessage(const std::string& text) {
    ReadOfOthers(text);
    const auto frame = vf::elevenlabs::ReadClientFrame(text);
    if (frame) {
        Require(!frame->context || !frame->context->empty());
        for (const int size : frame->schedule) Require(size >= 50 && size <= 500);
    } else {
        Require(!frame.error().message().empty());
    }
    const auto message = vf::native::ReadStreamMessage(text);
    if (message) Require(!message->context.empty() && message->context.size() <= 128);
}

std::string Read(std::string_view bytes, std::size_t step, bool is_whole) {
    WebSocketReader reader(kMaxMessage);
    std::string seen;
    bool is_over = false;
    while (!bytes.empty()) {
        reader.Feed(bytes.substr(0, step));
        bytes.remove_prefix(std::min(step, bytes.size()));
        for (;;) {
            const Event event = reader.Next();
            if (event == Event::kNeedMore) break;
            Require(!is_over);
            const std::string& payload = reader.payload();
            seen += static_cast<char>('0' + static_cast<int>(event));
            seen += payload + '\n';
            switch (event) {
                case Event::kNeedMore: break;
                case Event::kText:
                    Require(!vf::Utf8FindInvalid(payload));
                    if (is_whole) ReadMessage(payload);
                    [[fallthrough]];
                case Event::kBinary: Require(payload.size() <= kMaxMessage); break;
                case Event::kPing:
                case Event::kPong: Require(payload.size() <= kMaxControl); break;
                case Event::kClose:
                    Require(payload.size() <= kMaxControl && !vf::Utf8FindInvalid(payload));
                    [[fallthrough]];
                case Event::kFailed:
                    is_over = true;
                    seen += std::to_string(reader.close_code());
                    Require(reader.close_code() >= 1000 && reader.close_code() < 5000);
                    break;
            }
        }
    }
    return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    Require(Read(bytes, 1 + data[0] % 64, false) == Read(bytes, bytes.size(), true));
    return 0;
}
