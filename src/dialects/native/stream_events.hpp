#pragma once
// A streamed speech with its times: one JSON object a chunk, as Server-Sent Events or as lines.

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "http/request.hpp"
#include "http/response.hpp"
#include "speech/speech.hpp"

namespace vf::native {

enum class StreamForm {
    kAudio,   // audio/*
    kEvents,  // text/event-stream
    kLines,   // application/x-ndjson
};

// What the Accept list likes best, audio among equals; no value when it allows none of them.
std::optional<StreamForm> ChooseStreamForm(std::string_view accept);
Error NoSuchStreamForm();
std::string_view MediaTypeOf(StreamForm form);

// ChunkJson objects, then DoneJson, or {"type":"error",…problem+json's members} where it breaks
// off. The speech's only reader. `text` is what the request's positions count in.
http::StreamBody EventBody(Executor executor, std::shared_ptr<speech::Speech> speech,
                           StreamForm form, std::string text, const http::Request& request);

}  // namespace vf::native
