#include "dialects/deepgram/deepgram_socket.hpp"

#include <fmt/format.h>

#include <cmath>

#include "base/ids.hpp"
#include "base/utf8.hpp"
#include "dialects/deepgram/deepgram_error.hpp"

namespace vf::deepgram {
namespace {

using Kind = http::SocketEvent::Kind;
using Type = ClientMessage::Type;

constexpr std::size_t kMaxText = 2'000;          // characters of one Speak message of /v1
constexpr std::size_t kMaxWaiting = 256 * 1024;  // bytes of the turns that wait
constexpr std::size_t kMaxTurns = 1'000;         // that wait
constexpr std::size_t kMaxFlushes = 20;          // on /v1, within kFlushWindow
constexpr std::chrono::seconds kFlushWindow{60};
constexpr double kSpeedStep = 0.05;

Error TooLong(std::string message) {
    return {ErrorKind::kInvalid, "text_too_long", std::move(message)};
}

}  // namespace

SocketSession::SocketSession(const Deps& deps, std::shared_ptr<http::WebSocket> socket, Door door)
    : deps_(deps), socket_(std::move(socket)), door_(door),
      caller_(deps.access, Scope::kSpeechWrite, socket_), one_ended_(deps.loop),
      heard_(Clock::now()) {}

Task<void> SocketSession::Run(std::shared_ptr<SocketSession> self) {
    const Result<void> begun = co_await Begin(self);
    if (!begun) {
        co_await Fail(self, begun.error());
        co_return;
    }
    co_await ReadAll(self);
    co_await DropAll(self);
}

Task<Result<void>> SocketSession::Begin(std::shared_ptr<SocketSession> self) {
    const http::Request& request = self->socket_->request();
    Result<void> known = co_await self->caller_.Admit("");  // no message carries a key here
    if (!known) co_return known;
    const engines::VoiceView voices = co_await self->deps_.speech.Voices(request.caller.team);
    Result<SpeakQuery> query = ReadSpeakQuery(request, self->door_, voices);
    if (!query) co_return query.error();
    self->query_ = *std::move(query);
    std::string hello = self->has_turns() ? ConnectedText(self->query_, request.id)
                                          : MetadataText(self->query_, request.id);
    co_await self->socket_->Send(std::move(hello));
    co_return Result<void>();
}

// Ends when the socket is closed.
Task<void> SocketSession::ReadAll(std::shared_ptr<SocketSession> self) {
    for (;;) {
        const Clock::duration limit = self->ReadLimit();
        http::SocketEvent event = co_await self->socket_->Read(limit);
        switch (event.kind) {
            case Kind::kClosed: co_return;
            case Kind::kTimeout: co_await OnTimeout(self); break;
            case Kind::kDraining:
                self->closing_ = http::CloseCode::kGoingAway;
                self->EndOpenTurn(false);
                co_await Finish(self);
                break;
            case Kind::kMessage:
                self->heard_ = Clock::now();
                if (!self->closing_) co_await OnMessage(self, std::move(event));
                break;
        }
    }
}

Clock::duration SocketSession::ReadLimit() const {
    const Clock::duration idle = deps_.sockets.vendor_idle_timeout;
    constexpr std::chrono::milliseconds kShortest{1};
    return std::max<Clock::duration>(heard_ + idle - Clock::now(), kShortest);
}

Task<void> SocketSession::OnTimeout(std::shared_ptr<SocketSession> self) {
    // While something is spoken the client has a reason to be silent.
    const bool is_open = !self->turns_.empty() && !self->turns_.back()->is_ended;
    const TurnPtr running = self->running_;
    const bool is_busy =
        running && (running->is_ended || !running->live || running->live->is_generating());
    if (self->closing_ || is_busy || (!self->turns_.empty() && !is_open)) {
        self->heard_ = Clock::now();
        co_return;
    }
    if (Clock::now() - self->heard_ < self->deps_.sockets.vendor_idle_timeout) co_return;
    Error error(ErrorKind::kRequestTimeout, "idle_timeout",
                "No message came for too long; open another socket when there is more to say.");
    co_await Fail(self, std::move(error));
}

Task<void> SocketSession::OnMessage(std::shared_ptr<SocketSession> self, http::SocketEvent event) {
    if (!event.is_text) {
        Error error(ErrorKind::kUnsupportedMediaType, "invalid_message",
                    "Messages must be text frames that hold JSON.");
        co_await Fail(self, std::move(error));
        co_return;
    }
    Result<void> fine = co_await self->caller_.StillAdmitted();
    Result<ClientMessage> message = ReadClientMessage(event.data, self->has_turns());
    if (fine && !message) fine = message.error();
    if (fine && message->type == Type::kSpeak) fine = self->Say(std::move(message->text));
    if (!fine) {
        co_await Fail(self, fine.error());
        co_return;
    }
    switch (message->type) {
        case Type::kSpeak: break;
        case Type::kFlush: co_await OnFlush(self); break;
        case Type::kClear: co_await OnClear(self); break;
        case Type::kInterrupt: co_await OnInterrupt(self, *std::move(message)); break;
        case Type::kConfigure: {
            const double speed = *message->speed;
            co_await OnConfigure(self, speed);
            break;
        }
        case Type::kClose:
            self->closing_ = http::CloseCode::kNormal;
            self->EndOpenTurn(false);
            co_await Finish(self);
            break;
    }
}

Result<void> SocketSession::Say(std::string text) {
    const std::size_t characters = Utf8Count(text);
    if (!has_turns() && characters > kMaxText) {
        return TooLong(fmt::format("The text has {} characters; a Speak message may have {}.",
                                   characters, kMaxText));
    }
    if (turns_.empty() || turns_.back()->is_ended) {
        auto turn = std::make_shared<Turn>();
        turn->id = "dg_sp_" + NewUuid().Hex().substr(20);
        turns_.push_back(std::move(turn));
    }
    Turn& turn = *turns_.back();
    if (turn.characters + characters > kMaxTurn) {
        return TooLong(
            fmt::format("The texts have more than {} characters without a Flush.", kMaxTurn));
    }
    if (turns_.size() > 1) {
        waiting_ += text.size();
        if (waiting_ > kMaxWaiting || turns_.size() > kMaxTurns) {
            return TooLong("Too much text waits behind what is being spoken; wait for its end.");
        }
    }
    turn.characters += characters;
    turn.text += text;
    if (turn.live) {
        const Result<void> appended = turn.live->Append(text);
        if (!appended) return appended;
    }
    Next();
    return {};
}

void SocketSession::EndOpenTurn(bool is_flushed) {
    if (turns_.empty() || turns_.back()->is_ended) return;
    Turn& turn = *turns_.back();
    turn.is_ended = true;
    turn.is_flushed = is_flushed;
    if (turn.live) turn.live->End();
}

bool SocketSession::TakeFlush() {
    const Clock::time_point now = Clock::now();
    while (!flushes_.empty() && now - flushes_.front() >= kFlushWindow) flushes_.pop_front();
    if (flushes_.size() >= kMaxFlushes) return false;
    flushes_.push_back(now);
    return true;
}

Task<void> SocketSession::OnFlush(std::shared_ptr<SocketSession> self) {
    std::string warning;
    const bool is_open = !self->turns_.empty() && !self->turns_.back()->is_ended;
    if (self->has_turns()) {
        if (!is_open) {
            warning = WarningText("NO_ACTIVE_SPEECH", "There is no turn that Flush could end.");
        }
    } else if (!self->TakeFlush()) {
        warning = WarningText("EXCESSIVE_FLUSH",
                              "Flush may be sent 20 times in 60 seconds; this one is ignored.");
    } else if (!is_open) {
        // Its answer comes behind what is still being spoken.
        const Result<void> said = self->Say("");
        if (!said) co_return;
    }
    if (!warning.empty()) {
        co_await self->socket_->Send(std::move(warning));
        co_return;
    }
    self->EndOpenTurn(true);
}

Task<void> SocketSession::OnClear(std::shared_ptr<SocketSession> self) {
    co_await DropAll(self);
    std::string message = SequenceText("Cleared", self->sequence_++);
    co_await self->socket_->Send(std::move(message));
}

Task<void> SocketSession::OnConfigure(std::shared_ptr<SocketSession> self, double speed) {
    const double steps = speed / kSpeedStep;
    std::string answer;
    if (!(speed >= kMinTurnSpeed && speed <= kMaxSpeed)) {
        answer = ConfigureFailedText("SPEED_OUT_OF_RANGE", speed, "speed must be 0.5 to 1.5.");
    } else if (std::abs(steps - std::round(steps)) > 1e-6) {
        answer = ConfigureFailedText("SPEED_INCREMENT_INVALID", speed,
                                     "speed must be a multiple of 0.05.");
    } else {
        self->query_.speed = speed;  // of the turns that begin from now on
        answer = ConfiguredText(speed);
    }
    co_await self->socket_->Send(std::move(answer));
}

// Closes the socket when that was asked for and everything is said.
Task<void> SocketSession::Finish(std::shared_ptr<SocketSession> self) {
    if (!self->closing_ || self->running_ || !self->turns_.empty()) co_return;
    if (self->has_turns()) {
        std::string metadata = SessionMetadataText(self->total_);
        co_await self->socket_->Send(std::move(metadata));
    }
    self->socket_->Close(*self->closing_, {});
}

Task<void> SocketSession::Fail(std::shared_ptr<SocketSession> self, Error error) {
    std::string message = ErrorText(error, self->socket_->request().id);
    co_await self->socket_->Send(std::move(message));
    self->socket_->Close(dialects::SocketCloseCode(error),
                         SocketErrorCode(error) + ": " + error.message());
}

void AddSocketRoutes(http::Router& router, const Deps& deps) {
    http::RouteOptions options;
    options.errors = &ErrorResponse;
    options.subprotocols = {"token", "bearer"};
    const auto add = [&](const char* pattern, Door door) {
        options.guard = dialects::SocketGuard(deps.access, Scope::kSpeechWrite);
        // A wrong query is refused before the upgrade wherever the caller is known by then.
        options.guard.early = [inner = options.guard.early, catalogue = &deps.catalogue,
                               door](http::Request& request) -> std::optional<Result<void>> {
            std::optional<Result<void>> decided = inner(request);
            if (!decided || !*decided || !request.caller.known()) return decided;
            const Result<SpeakQuery> query = ReadSpeakQuery(request, door, *catalogue);
            // A voice of the team's own, whose id has a colon, is looked up later.
            const bool may_be_own =
                request.QueryParam("model").value_or("").find(':') != std::string::npos;
            if (query || may_be_own) return decided;
            return Result<void>(query.error());
        };
        const auto handler = [deps = &deps, door](std::shared_ptr<http::WebSocket> socket) {
            return SocketSession::Run(
                std::make_shared<SocketSession>(*deps, std::move(socket), door));
        };
        router.AddSocket(pattern, handler, options);
    };
    add("/v1/speak", Door::kSocket);
    add("/v2/speak", Door::kTurns);
}

}  // namespace vf::deepgram
