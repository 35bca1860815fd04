#include "dialects/native/stream_socket_session.hpp"

#include <fmt/format.h>

#include "dialects/speech_response.hpp"

namespace vf::native {
namespace {

using Kind = http::SocketEvent::Kind;
using Type = StreamMessage::Type;
using http::CloseCode;

std::string ErrorText(const Error& error, const std::optional<std::string>& context,
                      const std::string& request_id) {
    json::object message{{"type", "error"}};
    if (context) message["context"] = *context;
    message["code"] = error.code();
    message["status"] = error.status();
    message["detail"] = error.message();
    message["request_id"] = request_id;
    if (!error.fields().empty()) {
        json::array& errors = message["errors"].emplace_array();
        for (const FieldError& field : error.fields()) {
            errors.push_back(json::object{
                {"pointer", field.path}, {"code", field.code}, {"message", field.message}});
        }
    }
    return json::Print(message);
}

std::string OfContext(const char* type, const std::string& context) {
    return json::Print(json::object{{"type", type}, {"context", context}});
}

std::string StartedText(const StreamContext& context) {
    const speech::Speech& speech = *context.live->speech();
    const audio::FormatInfo& format = audio::InfoOf(speech.format);
    return json::Print(json::object{{"type", "started"},
                                    {"context", context.id},
                                    {"operation", speech.operation.Wire()},
                                    {"voice", speech.voice},
                                    {"format", format.name},
                                    {"media_type", format.media_type},
                                    {"sample_rate", speech.sample_rate}});
}

}  // namespace

StreamSession::StreamSession(const StreamSocketDeps& deps, std::shared_ptr<http::WebSocket> socket)
    : deps_(deps), socket_(std::move(socket)), caller_(deps.access, Scope::kSpeechWrite, socket_),
      one_ended_(deps.loop) {}

Task<void> StreamSession::Run(std::shared_ptr<StreamSession> self) {
    co_await ReadAll(self);
    for (const ContextPtr& context : std::vector(self->speaking_)) context->live->Cancel();
    while (!self->speaking_.empty()) {
        constexpr std::chrono::seconds kLook{1};
        co_await self->one_ended_.Wait(kLook);
    }
}

// Ends when the socket is closed.
Task<void> StreamSession::ReadAll(std::shared_ptr<StreamSession> self) {
    for (;;) {
        const dialects::SocketOptions& options = self->deps_.options;
        const bool is_known = self->is_admitted_ || self->caller_.known();
        const auto limit = is_known ? options.idle_timeout : options.admission_time;
        http::SocketEvent event = co_await self->socket_->Read(limit);
        switch (event.kind) {
            case Kind::kClosed: co_return;
            case Kind::kTimeout: co_await OnTimeout(self); break;
            case Kind::kDraining:
                self->is_draining_ = true;
                for (const auto& [id, context] : self->open_) context->live->End();
                self->open_.clear();
                self->CloseIfDone();
                break;
            case Kind::kMessage:
                if (!self->is_draining_) co_await OnMessage(self, std::move(event));
                break;
        }
    }
}

Task<void> StreamSession::OnTimeout(std::shared_ptr<StreamSession> self) {
    for (const ContextPtr& context : self->speaking_) {
        // While something is spoken the client has a reason to be silent.
        if (context->live->is_generating() || context->live->has_ended()) co_return;
    }
    Error error(ErrorKind::kRequestTimeout, "idle_timeout",
                "No message came for too long. Send {\"type\": \"keep_alive\"} to keep the socket "
                "open.");
    if (!self->is_admitted_ && !self->caller_.known()) {
        error = Error(ErrorKind::kUnauthenticated, "missing_api_key",
                      "No message with an API key came in time.");
    }
    co_await Fail(self, std::move(error), std::nullopt);
}

Task<void> StreamSession::OnMessage(std::shared_ptr<StreamSession> self, http::SocketEvent event) {
    if (!event.is_text) {
        Error error(ErrorKind::kUnsupportedMediaType, "invalid_message",
                    "Messages must be text frames that hold JSON.");
        co_await Fail(self, std::move(error), std::nullopt);
        co_return;
    }
    Result<StreamMessage> read = ReadStreamMessage(event.data);
    if (!read) {
        co_await Fail(self, read.error(), std::nullopt);
        co_return;
    }
    Result<void> admitted;
    if (!self->is_admitted_) {
        std::string key = read->api_key;
        admitted = co_await self->caller_.Admit(std::move(key));
        self->is_admitted_ = admitted.ok();
    } else {
        admitted = co_await self->caller_.StillAdmitted();
    }
    if (!admitted) {
        co_await Fail(self, admitted.error(), std::nullopt);
        co_return;
    }
    StreamMessage message = *std::move(read);
    if (message.type == Type::kStart) {
        co_await OnStart(self, std::move(message));
    } else if (message.type != Type::kKeepAlive) {
        co_await OnContext(self, std::move(message));
    }
}

Task<void> StreamSession::OnStart(std::shared_ptr<StreamSession> self, StreamMessage message) {
    Result<ContextPtr> opened = co_await Open(self, &message);
    if (!opened) {
        co_await Fail(self, opened.error(), message.context);
        co_return;
    }
    const ContextPtr context = *opened;
    std::string started = StartedText(*context);
    co_await self->socket_->Send(std::move(started));
    self->speaking_.push_back(context);
    if (!message.ends) self->open_[context->id] = context;
    Spawn(self->deps_.loop, SendAll(self, context), "stream_context");
    if (!message.text.empty()) {
        const Result<void> appended = context->live->Append(message.text);
        if (!appended) context->live->speech()->pipe->Fail(appended.error());
    }
    if (message.ends) context->live->End();
}

Task<Result<StreamSession::ContextPtr>> StreamSession::Open(std::shared_ptr<StreamSession> self,
                                                            StreamMessage* message) {
    const auto most = static_cast<std::size_t>(self->deps_.options.max_contexts);
    if (self->speaking_.size() >= most) {
        co_return Error(ErrorKind::kConflict, "too_many_contexts",
                        fmt::format("This socket has {} contexts open or being spoken, which is "
                                    "the most it may have. End or cancel one first.",
                                    most));
    }
    for (const ContextPtr& other : self->speaking_) {
        if (other->id != message->context) continue;
        co_return Error(ErrorKind::kConflict, "context_exists",
                        "This context is still open or being spoken; choose another name.");
    }
    speech::SpeechRequest request = std::move(message->request);
    const http::Request& http = self->socket_->request();
    request.caller = http.caller;
    request.route = std::string(http.route);
    auto named = std::move(message->dictionaries);
    const Result<void> prepared =
        co_await dialects::UseDictionaries(request, self->deps_.dictionaries, std::move(named));
    if (!prepared) co_return prepared.error();
    Result<std::unique_ptr<speech::LiveSpeech>> live =
        co_await self->deps_.speech.StartLive(std::move(request), speech::LivePolicy());
    if (!live) co_return std::move(live).error();
    auto context = std::make_shared<StreamContext>();
    context->id = message->context;
    context->live = *std::move(live);
    context->wants_timing = message->wants_timing;
    co_return context;
}

Task<void> StreamSession::OnContext(std::shared_ptr<StreamSession> self, StreamMessage message) {
    ContextPtr context;
    if (const auto found = self->open_.find(message.context); found != self->open_.end()) {
        context = found->second;
    }
    if (message.type == Type::kCancel) {
        // Also one that takes no text any more.
        for (const ContextPtr& other : self->speaking_) {
            if (other->id == message.context) context = other;
        }
    }
    if (!context) {
        Error error(ErrorKind::kNotFound, "context_not_found",
                    "There is no open context of this name; begin it with a start message.");
        co_await Fail(self, std::move(error), message.context);
        co_return;
    }
    switch (message.type) {
        case Type::kText: {
            const Result<void> appended = context->live->Append(message.text);
            if (!appended && !context->live->speech()->pipe->failed()) {
                context->live->speech()->pipe->Fail(appended.error());
            }
            break;
        }
        case Type::kFlush: Flush(self, context); break;
        case Type::kEnd:
            context->live->End();
            self->open_.erase(context->id);
            break;
        case Type::kCancel:
            context->is_cancelled = true;
            context->live->Cancel();
            self->open_.erase(context->id);
            break;
        case Type::kStart:
        case Type::kKeepAlive: break;
    }
}

// "flushed" follows the last byte of what was there: either the context's coroutine sends it when
// it comes to that byte, or it has been there already.
void StreamSession::Flush(const std::shared_ptr<StreamSession>& self, const ContextPtr& flushed) {
    // The context owns what holds this callback.
    const std::weak_ptr<StreamContext> weak = flushed;
    flushed->live->Flush([self, weak] {
        const ContextPtr context = weak.lock();
        if (!context) return;
        const std::uint64_t bytes = context->live->speech()->bytes;
        context->flushes.Add(bytes);
        if (context->sent >= bytes) {
            Spawn(self->deps_.loop, SendFlushed(self, context), "stream_flushed");
        }
    });
}

Task<void> StreamSession::SendFlushed(std::shared_ptr<StreamSession> self, ContextPtr context) {
    while (context->flushes.TakeDone(context->sent)) {
        std::string message = OfContext("flushed", context->id);
        co_await self->socket_->Send(std::move(message));
    }
}

// Where the chunks of one context go.
class StreamSession::Sink final : public dialects::ChunkSink {
public:
    Sink(std::shared_ptr<StreamSession> session, ContextPtr context)
        : session_(std::move(session)), context_(std::move(context)) {}

    Task<bool> Take(speech::TimedChunk chunk) override {
        return SendChunk(session_, context_, std::move(chunk));
    }

private:
    std::shared_ptr<StreamSession> session_;
    ContextPtr context_;
};

// Sends what is spoken until it is over.
Task<void> StreamSession::SendAll(std::shared_ptr<StreamSession> self, ContextPtr context) {
    const std::shared_ptr<speech::Speech> speech = context->live->speech();
    auto sink = std::make_shared<Sink>(self, context);
    std::string request_id = self->socket_->request().id;
    const dialects::SpeechEnd end =
        co_await dialects::ForwardSpeech(speech, std::move(sink), std::move(request_id));
    const bool is_sent = end.is_whole;
    if (!is_sent) context->live->Cancel();
    co_await SendEnd(self, context, end.failure);
    const bool is_flushed = co_await self->socket_->Flush();
    speech->Delivered(is_sent && is_flushed);
    std::erase(self->speaking_, context);
    const auto open = self->open_.find(context->id);
    if (open != self->open_.end() && open->second == context) self->open_.erase(open);
    self->CloseIfDone();
    self->one_ended_.Ring();
}

Task<bool> StreamSession::SendChunk(std::shared_ptr<StreamSession> self, ContextPtr context,
                                    speech::TimedChunk chunk) {
    if (context->is_cancelled) co_return false;
    std::string audio = std::move(chunk.audio);
    chunk.audio.clear();
    context->index.Extend(context->live->text());
    json::object message = ChunkJson(chunk, context->index);
    message.erase("audio");
    message["context"] = context->id;
    bool is_open = true;
    if (!audio.empty()) {
        message["bytes"] = audio.size();
        context->sent += audio.size();
        std::string text = json::Print(message);
        is_open = co_await self->socket_->Send(std::move(text), std::move(audio));
    } else if (message.size() > 4) {  // more than type, start, end and context
        message["type"] = "timing";
        std::string text = json::Print(message);
        is_open = co_await self->socket_->Send(std::move(text));
    }
    co_await SendFlushed(self, context);
    co_return is_open;
}

// The last message of a context.
Task<void> StreamSession::SendEnd(std::shared_ptr<StreamSession> self, ContextPtr context,
                                  std::optional<Error> failure) {
    if (failure && !context->is_cancelled) {
        co_await Fail(self, *std::move(failure), context->id);
        co_return;
    }
    std::string message;
    if (context->is_cancelled) {
        message = OfContext("cancelled", context->id);
    } else {
        json::object done = DoneJson(*context->live->speech());
        done["context"] = context->id;
        message = json::Print(done);
    }
    co_await self->socket_->Send(std::move(message));
}

Task<void> StreamSession::Fail(std::shared_ptr<StreamSession> self, Error error,
                               std::optional<std::string> context) {
    std::string message = ErrorText(error, context, self->socket_->request().id);
    co_await self->socket_->Send(std::move(message));
    if (!context) self->socket_->Close(dialects::SocketCloseCode(error), error.code());
}

void StreamSession::CloseIfDone() {
    if (is_draining_ && speaking_.empty()) socket_->Close(CloseCode::kGoingAway, {});
}

}  // namespace vf::native
