#include "dialects/native/stream_events.hpp"

#include "dialects/native/timing_json.hpp"
#include "http/negotiate.hpp"
#include "speech/timed_reader.hpp"

namespace vf::native {
namespace {

constexpr std::size_t kPipeBytes = 256 * 1024;

std::string Written(StreamForm form, const json::object& event) {
    const std::string text = json::Print(event);
    if (form == StreamForm::kLines) return text + "\n";
    return "event: " + std::string(event.at("type").as_string()) + "\ndata: " + text + "\n\n";
}

json::object ErrorJson(const Error& error, const std::string& request_id) {
    return {{"type", "error"},
            {"status", error.status()},
            {"code", error.code()},
            {"detail", error.message()},
            {"request_id", request_id}};
}

Task<void> WriteAll(std::shared_ptr<speech::Speech> speech, std::shared_ptr<BytePipe> out,
                    StreamForm form, std::string text, std::string request_id) {
    const CharacterIndex index(text);
    speech::TimedReader reader(speech);
    for (;;) {
        Result<std::optional<speech::TimedChunk>> next = co_await reader.Next();
        if (!next) {
            const Error error = next.error();
            out->WriteNow(Written(form, ErrorJson(error, request_id)));
            out->Fail(error);
            co_return;
        }
        if (!*next) break;
        std::string event = Written(form, ChunkJson(**next, index));
        const bool taken = co_await out->Write(std::move(event));
        if (!taken) {
            speech->pipe->Abandon();
            co_return;
        }
    }
    if (speech->pipe->abandoned()) {
        out->Fail(Error());
        co_return;
    }
    out->WriteNow(Written(form, DoneJson(*speech)));
    out->Finish();
}

}  // namespace

std::optional<StreamForm> ChooseStreamForm(std::string_view accept) {
    static const std::vector<std::string> types{"audio/*", "text/event-stream",
                                                "application/x-ndjson"};
    // Clients that ask for one audio type, or for bytes, get what `format` says.
    if (accept.find("audio/") != std::string_view::npos ||
        accept.find("application/octet-stream") != std::string_view::npos) {
        return StreamForm::kAudio;
    }
    const std::optional<std::size_t> chosen = http::ChooseType(accept, types);
    if (!chosen) return std::nullopt;
    return static_cast<StreamForm>(*chosen);
}

Error NoSuchStreamForm() {
    return Error(
        ErrorKind::kNotAcceptable, "not_acceptable",
        "This route answers audio/*, text/event-stream or application/x-ndjson; \"Accept\" "
        "allows none of them.");
}

std::string_view MediaTypeOf(StreamForm form) {
    switch (form) {
        case StreamForm::kAudio: return "audio/*";
        case StreamForm::kEvents: return "text/event-stream";
        case StreamForm::kLines: return "application/x-ndjson";
    }
    return "";
}

http::StreamBody EventBody(Executor executor, std::shared_ptr<speech::Speech> speech,
                           StreamForm form, std::string text, const http::Request& request) {
    auto events = std::make_shared<BytePipe>(executor, kPipeBytes);
    events->OnAbandon([pipe = speech->pipe] { pipe->Abandon(); });
    Spawn(executor, WriteAll(std::move(speech), events, form, std::move(text), request.id),
          "speech_events");
    return {events, std::nullopt};
}

}  // namespace vf::native
