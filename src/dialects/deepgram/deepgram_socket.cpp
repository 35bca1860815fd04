#include "dialects/deepgram/deepgram_socket.hpp"

#include <fmt/format.h>

#include <cmath>

#include "base/ids.hpp"
#include "base/log.hpp"
#include "base/unavailable.hpp"
#include "base/utf8.hpp"
#include "dialects/deepgram/deepgram_error.hpp"
#include "dialects/speech_response.hpp"

namespace vf::deepgram {
namespace {

using Kind = http::SocketEvent::Kind;
using Type = ClientMessage::Type;

constexpr std::size_t kMaxText = 2'000;        // characters of one Speak message of /v1
constexpr std::size_t kMaxTurn = 40'000;       // characters of one turn
constexpr std::size_t kMaxWaiting = 256 * 1024;  // bytes of the turns that wait
constexpr std::size_t kMaxTurns = 1'000;          // that wait
constexpr std::size_t kMaxFlushes = 20;        // on /v1, within kFlushWindow
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
    Result<SpeakQuery> query = ReadSpeakQuery(request, self->door_, self->deps_.catalogue);
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
        return TooLong(fmt::format("The texts have more than {} characters without a Flush.",
                                   kMaxTurn));
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

// Nothing of what was said is heard any more.
Task<void> SocketSession::DropAll(std::shared_ptr<SocketSession> self) {
    for (const TurnPtr& turn : self->turns_) {
        turn->is_dropped = true;
        turn->is_ended = true;
        if (turn->live) turn->live->Cancel();
    }
    self->turns_.clear();
    self->waiting_ = 0;
    while (self->running_) {
        constexpr std::chrono::seconds kLook{1};
        co_await self->one_ended_.Wait(kLook);
    }
}

// The text up to the words that had begun by then counts as heard.
Interruption SocketSession::Interrupted(const Turn& turn,
                                        std::optional<std::int64_t> played) const {
    Interruption out;
    out.speech_id = turn.id;
    out.counts.characters = turn.characters;
    if (turn.live) out.counts.milliseconds = std::llround(turn.live->speech()->seconds() * 1000);
    out.played = played.value_or(turn.begins + out.counts.milliseconds);
    if (!played) return out;
    std::size_t heard = 0;
    if (turn.live) {
        for (const speech::TimelineItem& word : turn.live->speech()->timeline.words) {
            const std::int64_t start = turn.begins + std::llround(word.start_seconds * 1000);
            if (start < *played) heard = std::max(heard, word.text_end);
        }
    }
    heard = std::min(heard, turn.text.size());
    out.spoken = turn.text.substr(0, heard);
    out.remaining = turn.text.substr(heard);
    return out;
}

Task<void> SocketSession::OnInterrupt(std::shared_ptr<SocketSession> self, ClientMessage message) {
    TurnPtr turn = self->running_;
    // What was sent last may still be heard while the next one is spoken already.
    const bool is_earlier = turn && message.played && *message.played < turn->begins;
    if (!turn || is_earlier) turn = self->last_ ? self->last_ : turn;
    std::string warning;
    if (!turn) {
        warning = WarningText("NO_AUDIO_GENERATED", "Nothing has been spoken yet.");
    } else if (message.played && self->interrupted_ && *message.played <= *self->interrupted_) {
        warning = WarningText("INVALID_INTERRUPT_OFFSET",
                              "playback_offset is not beyond that of the Interrupt before.");
    }
    if (!warning.empty()) {
        co_await self->socket_->Send(std::move(warning));
        co_return;
    }
    co_await DropAll(self);
    const Interruption interruption = self->Interrupted(*turn, message.played);
    self->interrupted_ = interruption.played;
    if (message.played) self->total_.milliseconds = interruption.played;
    self->last_.reset();
    std::string text = InterruptedText(interruption);
    co_await self->socket_->Send(std::move(text));
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

void SocketSession::Next() {
    if (running_ || turns_.empty()) return;
    running_ = turns_.front();
    waiting_ -= std::min(waiting_, running_->text.size());
    running_->begins = total_.milliseconds;
    Spawn(deps_.loop, SendTurn(shared_from_this(), running_), "deepgram_turn");
}

Task<Result<std::unique_ptr<speech::LiveSpeech>>> SocketSession::Open(
    std::shared_ptr<SocketSession> self) {
    speech::SpeechRequest request = RequestOf(self->query_);
    const http::Request& http = self->socket_->request();
    request.caller = http.caller;
    request.route = std::string(http.route);
    request.max_characters = kMaxTurn;
    request.wants_timing = self->has_turns();  // for what was heard before an Interrupt
    const Result<void> ready =
        co_await dialects::UseDictionaries(request, self->deps_.dictionaries);
    if (!ready) co_return ready.error();
    co_return self->deps_.speech.StartLive(std::move(request), speech::LivePolicy());
}

// Sends the audio of one turn.
class SocketSession::Sink final : public dialects::ChunkSink {
public:
    Sink(std::shared_ptr<SocketSession> session, TurnPtr turn)
        : session_(std::move(session)), turn_(std::move(turn)) {}

    Task<bool> Take(speech::TimedChunk chunk) override {
        if (turn_->is_dropped) co_return false;
        if (chunk.audio.empty()) co_return true;
        std::string audio = std::move(chunk.audio);
        const bool is_open = co_await session_->socket_->SendBinary(std::move(audio));
        co_return is_open && !turn_->is_dropped;
    }

private:
    std::shared_ptr<SocketSession> session_;
    TurnPtr turn_;
};

Task<dialects::SpeechEnd> SocketSession::SpeakTurn(std::shared_ptr<SocketSession> self,
                                                   TurnPtr turn) {
    dialects::SpeechEnd end;
    Result<std::unique_ptr<speech::LiveSpeech>> live = co_await Open(self);
    if (!live) end.failure = live.error();
    if (!live || turn->is_dropped) co_return end;
    turn->live = *std::move(live);
    const Result<void> appended = turn->live->Append(turn->text);
    if (!appended) turn->live->speech()->pipe->Fail(appended.error());
    if (turn->is_ended) turn->live->End();
    if (self->has_turns()) {
        std::string started = SpeechText("SpeechStarted", turn->id);
        co_await self->socket_->Send(std::move(started));
    }
    auto sink = std::make_shared<Sink>(self, turn);
    std::string request_id = self->socket_->request().id;
    end = co_await dialects::ForwardSpeech(turn->live->speech(), std::move(sink),
                                           std::move(request_id));
    if (!end.is_whole) turn->live->Cancel();
    co_return end;
}

Task<void> SocketSession::SendTurn(std::shared_ptr<SocketSession> self, TurnPtr turn) {
    dialects::SpeechEnd end;
    try {
        end = co_await SpeakTurn(self, turn);
    } catch (const UnavailableException& e) {
        end.failure = e.error;
    } catch (const std::exception& e) {
        log::Error("deepgram_turn_failed",
                   {{"request_id", self->socket_->request().id}, {"error", e.what()}});
        end.failure = Error();
    }
    co_await SendEnd(self, turn, end);
    if (turn->live) {
        const bool is_flushed = co_await self->socket_->Flush();
        turn->live->speech()->Delivered(end.is_whole && is_flushed);
        self->last_ = turn;
    }
    if (!self->turns_.empty() && self->turns_.front() == turn) self->turns_.pop_front();
    self->running_.reset();
    self->heard_ = Clock::now();
    self->one_ended_.Ring();
    self->Next();
    co_await Finish(self);
}

// What is said at the end of a turn; of one that was dropped, nothing.
Task<void> SocketSession::SendEnd(std::shared_ptr<SocketSession> self, TurnPtr turn,
                                  dialects::SpeechEnd end) {
    TurnCounts counts;
    counts.characters = turn->characters;
    if (turn->live) counts.milliseconds = std::llround(turn->live->speech()->seconds() * 1000);
    self->total_.milliseconds += counts.milliseconds;
    self->total_.characters += counts.characters;
    if (turn->is_dropped) co_return;
    if (end.failure) {
        co_await Fail(self, *std::move(end.failure));
        co_return;
    }
    if (!self->has_turns()) {
        if (!turn->is_flushed) co_return;
        std::string flushed = SequenceText("Flushed", self->sequence_++);
        co_await self->socket_->Send(std::move(flushed));
        co_return;
    }
    if (counts.milliseconds == 0) {
        std::string warning = WarningText("NO_SYNTHESIZABLE_TEXT",
                                          "The turn's text has nothing that can be spoken.");
        co_await self->socket_->Send(std::move(warning));
    }
    std::string metadata = SpeechMetadataText(turn->id, counts);
    co_await self->socket_->Send(std::move(metadata));
    std::string flushed = SpeechText("Flushed", turn->id);
    co_await self->socket_->Send(std::move(flushed));
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
            if (!query) return Result<void>(query.error());
            return decided;
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
