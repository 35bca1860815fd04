#include "dialects/cartesia/cartesia_socket.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/unavailable.hpp"
#include "dialects/cartesia/cartesia_error.hpp"
#include "dialects/speech_response.hpp"

namespace vf::cartesia {
namespace {

using Kind = http::SocketEvent::Kind;

bool IsBlank(std::string_view text) {
    return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

}  // namespace

SocketContext::SocketContext(std::string name, Generation first)
    : id(std::move(name)), generation(std::move(first)), events(generation, id, true),
      heard(Clock::now()) {}

SocketSession::SocketSession(const Deps& deps, std::shared_ptr<http::WebSocket> socket)
    : deps_(deps), socket_(std::move(socket)), caller_(deps.access, Scope::kSpeechWrite, socket_),
      one_ended_(deps.loop), heard_(Clock::now()) {}

Task<void> SocketSession::Run(std::shared_ptr<SocketSession> self) {
    const Result<void> version = CheckVersion(self->socket_->request());
    Result<void> known = version;
    if (known) known = co_await self->caller_.Admit("");  // no message carries a key here
    if (!known) {
        co_await Tell(self, known.error(), std::nullopt);
        self->socket_->Close(dialects::SocketCloseCode(known.error()), known.error().message());
        co_return;
    }
    co_await ReadAll(self);
    for (const ContextPtr& context : std::vector(self->speaking_)) context->live->Cancel();
    while (!self->speaking_.empty()) {
        constexpr std::chrono::seconds kLook{1};
        co_await self->one_ended_.Wait(kLook);
    }
}

// Ends when the socket is closed.
Task<void> SocketSession::ReadAll(std::shared_ptr<SocketSession> self) {
    for (;;) {
        const Clock::duration limit = self->ReadLimit();
        http::SocketEvent event = co_await self->socket_->Read(limit);
        switch (event.kind) {
            case Kind::kClosed: co_return;
            case Kind::kDraining: self->Drain(); break;
            case Kind::kTimeout: co_await OnTimeout(self); break;
            case Kind::kMessage:
                self->heard_ = Clock::now();
                if (!self->is_draining_) co_await OnMessage(self, std::move(event));
                break;
        }
    }
}

Clock::duration SocketSession::ReadLimit() const {
    const Clock::duration idle = deps_.sockets.vendor_idle_timeout;
    Clock::time_point due = heard_ + idle;
    for (const auto& [id, context] : open_) {
        due = std::min(due, context->heard + idle);
        if (context->due) due = std::min(due, *context->due);
    }
    constexpr std::chrono::milliseconds kShortest{1};
    return std::max<Clock::duration>(due - Clock::now(), kShortest);
}

Task<void> SocketSession::OnTimeout(std::shared_ptr<SocketSession> self) {
    const Clock::time_point now = Clock::now();
    const Clock::duration idle = self->deps_.sockets.vendor_idle_timeout;
    for (auto at = self->open_.begin(); at != self->open_.end();) {
        SocketContext& context = *at->second;
        if (context.due && *context.due <= now) {
            context.due.reset();
            context.live->Flush();
        }
        if (context.live->is_generating()) context.heard = now;  // counts from when it is done
        const bool is_over = now - context.heard >= idle;
        if (is_over) context.live->End();
        at = is_over ? self->open_.erase(at) : std::next(at);
    }
    // While something is spoken the client has a reason to be silent.
    if (!self->speaking_.empty()) {
        if (now - self->heard_ >= idle) self->heard_ = now;
        co_return;
    }
    if (now - self->heard_ < idle) co_return;
    Error error(ErrorKind::kRequestTimeout, "idle_timeout",
                "No message came for too long; open another socket when there is more to say.");
    co_await Tell(self, error, std::nullopt);
    self->socket_->Close(dialects::SocketCloseCode(error), error.message());
}

Task<void> SocketSession::OnMessage(std::shared_ptr<SocketSession> self, http::SocketEvent event) {
    if (!event.is_text) {
        Error error(ErrorKind::kUnsupportedMediaType, "invalid_message",
                    "Messages must be text frames that hold JSON.");
        co_await Tell(self, error, std::nullopt);
        self->socket_->Close(dialects::SocketCloseCode(error), error.message());
        co_return;
    }
    const Result<void> admitted = co_await self->caller_.StillAdmitted();
    if (!admitted) {
        co_await Tell(self, admitted.error(), std::nullopt);
        self->socket_->Close(dialects::SocketCloseCode(admitted.error()),
                             admitted.error().message());
        co_return;
    }
    const TeamId team = self->socket_->request().caller.team;
    const engines::VoiceView voices = co_await self->deps_.speech.Voices(team);
    Result<ClientMessage> message = ReadClientMessage(event.data, voices);
    if (!message) {
        co_await Tell(self, message.error(), std::nullopt);
        co_return;
    }
    if (message->error) {
        self->Cancel(message->context);
        co_await Tell(self, *message->error, message->context);
        co_return;
    }
    if (message->is_cancel) {
        self->Cancel(message->context);
        co_return;
    }
    co_await OnGeneration(self, *std::move(message));
}

Task<void> SocketSession::OnGeneration(std::shared_ptr<SocketSession> self, ClientMessage message) {
    const bool continues = message.generation.continues;
    const bool flushes = message.generation.flushes;
    std::string text = std::move(message.generation.speech.text);
    message.generation.speech.text.clear();
    ContextPtr context;
    if (const auto found = self->open_.find(message.context); found != self->open_.end()) {
        context = found->second;
        context->heard = Clock::now();
    } else {
        Result<ContextPtr> opened;
        try {
            opened = co_await Open(self, message.context, std::move(message.generation));
        } catch (const UnavailableException& e) {
            opened = e.error;
        }
        if (!opened) {
            co_await Tell(self, opened.error(), message.context);
            co_return;
        }
        context = *opened;
    }
    self->Append(context, std::move(text));
    if (flushes) Flush(self, context);
    if (continues) co_return;
    context->live->End();
    self->open_.erase(message.context);
}

bool SocketSession::is_speaking(const std::string& id) const {
    return std::ranges::any_of(speaking_, [&](const ContextPtr& context) {
        return context->id == id && !context->is_cancelled;
    });
}

Task<Result<SocketSession::ContextPtr>> SocketSession::Open(std::shared_ptr<SocketSession> self,
                                                            std::string id, Generation generation) {
    if (self->is_speaking(id)) {
        co_return Error(
            ErrorKind::kInvalid, "context_closed",
            "This context has had its last message (one without \"continue\": true) and "
            "is still being spoken; use another context_id.");
    }
    const auto most = static_cast<std::size_t>(self->deps_.sockets.max_contexts);
    if (self->speaking_.size() >= most) {
        co_return Error(ErrorKind::kRateLimited, "too_many_contexts",
                        fmt::format("This socket has {} contexts open or being spoken, which is "
                                    "the most it may have. End or cancel one first.",
                                    most));
    }
    auto context = std::make_shared<SocketContext>(std::move(id), std::move(generation));
    speech::SpeechRequest request = context->generation.speech;
    const http::Request& http = self->socket_->request();
    request.caller = http.caller;
    request.route = std::string(http.route);
    auto named = context->generation.dictionaries;
    const Result<void> ready =
        co_await dialects::UseDictionaries(request, self->deps_.dictionaries, std::move(named));
    if (!ready) co_return ready.error();
    Result<std::unique_ptr<speech::LiveSpeech>> live =
        co_await self->deps_.speech.StartLive(std::move(request), speech::LivePolicy());
    if (!live) co_return std::move(live).error();
    context->live = *std::move(live);
    self->open_[context->id] = context;
    self->speaking_.push_back(context);
    Spawn(self->deps_.loop, SendAll(self, context), "cartesia_context");
    co_return context;
}

void SocketSession::Append(const ContextPtr& context, std::string text) {
    speech::LiveSpeech& live = *context->live;
    const std::size_t before = live.waiting();
    const Result<void> appended = live.Append(text);
    if (!appended) {
        if (!live.speech()->pipe->failed()) live.speech()->pipe->Fail(appended.error());
        return;
    }
    const std::size_t added = text.size();
    if (context->generation.max_delay.count() == 0) {
        if (!IsBlank(text)) live.Flush();
        return;
    }
    const bool is_taken = live.waiting() < before + added;  // some of it, so the rest is new
    if (live.waiting() == 0) {
        context->due.reset();
    } else if (is_taken || !context->due) {
        context->due = Clock::now() + context->generation.max_delay;
    }
}

// "flush_done" follows the last byte of what was there: either the context's coroutine sends it
// when it comes to that byte, or it has been there already.
void SocketSession::Flush(const std::shared_ptr<SocketSession>& self, const ContextPtr& flushed) {
    flushed->due.reset();
    // The context owns what holds this callback.
    const std::weak_ptr<SocketContext> weak = flushed;
    flushed->live->Flush([self, weak] {
        const ContextPtr context = weak.lock();
        if (!context) return;
        const std::uint64_t bytes = context->live->speech()->bytes;
        context->flushes.Add(bytes);
        if (context->sent >= bytes) {
            Spawn(self->deps_.loop, SendFlushed(self, context), "cartesia_flushed");
        }
    });
}

Task<void> SocketSession::SendFlushed(std::shared_ptr<SocketSession> self, ContextPtr context) {
    while (context->flushes.TakeDone(context->sent)) {
        std::string message = context->events.FlushDone();
        co_await self->socket_->Send(std::move(message));
    }
}

void SocketSession::Cancel(const std::string& id) {
    open_.erase(id);
    for (const ContextPtr& context : speaking_) {
        if (context->id != id) continue;
        context->is_cancelled = true;
        context->live->Cancel();
    }
}

// Sends the chunks of one context.
class SocketSession::Sink final : public dialects::ChunkSink {
public:
    Sink(std::shared_ptr<SocketSession> session, ContextPtr context)
        : session_(std::move(session)), context_(std::move(context)) {}

    Task<bool> Take(speech::TimedChunk chunk) override {
        if (context_->is_cancelled) co_return false;
        const std::vector<std::string> messages =
            context_->events.OfChunk(chunk, context_->live->text());
        for (const std::string& message : messages) {
            std::string text = message;
            const bool is_open = co_await session_->socket_->Send(std::move(text));
            if (!is_open || context_->is_cancelled) co_return false;
        }
        context_->sent += chunk.audio.size();
        co_await SendFlushed(session_, context_);
        co_return true;
    }

private:
    std::shared_ptr<SocketSession> session_;
    ContextPtr context_;
};

// Sends what is spoken until it is over.
Task<void> SocketSession::SendAll(std::shared_ptr<SocketSession> self, ContextPtr context) {
    const std::shared_ptr<speech::Speech> speech = context->live->speech();
    auto sink = std::make_shared<Sink>(self, context);
    std::string request_id = self->socket_->request().id;
    const dialects::SpeechEnd end =
        co_await dialects::ForwardSpeech(speech, std::move(sink), std::move(request_id));
    if (!end.is_whole) context->live->Cancel();
    co_await SendEnd(self, context, end);
    const bool is_flushed = co_await self->socket_->Flush();
    speech->Delivered(end.is_whole && is_flushed);
    std::erase(self->speaking_, context);
    const auto open = self->open_.find(context->id);
    if (open != self->open_.end() && open->second == context) self->open_.erase(open);
    self->heard_ = std::max(self->heard_, Clock::now());
    self->CloseIfDrained();
    self->one_ended_.Ring();
}

// The last message of a context; a cancelled one has none.
Task<void> SocketSession::SendEnd(std::shared_ptr<SocketSession> self, ContextPtr context,
                                  dialects::SpeechEnd end) {
    if (context->is_cancelled) co_return;
    if (end.failure) {
        co_await Tell(self, *std::move(end.failure), context->id);
        co_return;
    }
    co_await SendFlushed(self, context);
    std::string message = context->events.Done();
    co_await self->socket_->Send(std::move(message));
}

Task<void> SocketSession::Tell(std::shared_ptr<SocketSession> self, Error error,
                               std::optional<std::string> context) {
    const json::object event = ErrorEvent(error, self->socket_->request().id, context);
    std::string message = json::Print(event);
    co_await self->socket_->Send(std::move(message));
}

void SocketSession::Drain() {
    is_draining_ = true;
    for (const auto& [id, context] : open_) context->live->End();
    open_.clear();
    CloseIfDrained();
}

void SocketSession::CloseIfDrained() {
    if (is_draining_ && speaking_.empty()) socket_->Close(http::CloseCode::kGoingAway, {});
}

void AddSocketRoute(http::Router& router, const Deps& deps) {
    http::RouteOptions options;
    options.errors = &ErrorResponse;
    options.guard = dialects::SocketGuard(deps.access, Scope::kSpeechWrite);
    const auto handler = [deps = &deps](std::shared_ptr<http::WebSocket> socket) {
        return SocketSession::Run(std::make_shared<SocketSession>(*deps, std::move(socket)));
    };
    router.AddSocket("/tts/websocket", handler, options);
}

}  // namespace vf::cartesia
