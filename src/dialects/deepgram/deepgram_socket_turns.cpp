// The turns of a socket: one is spoken after the other, unless it is dropped.

#include <cmath>

#include "base/log.hpp"
#include "base/unavailable.hpp"
#include "dialects/deepgram/deepgram_socket.hpp"
#include "dialects/speech_response.hpp"

namespace vf::deepgram {

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
    co_return co_await self->deps_.speech.StartLive(std::move(request), speech::LivePolicy());
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
        std::string warning =
            WarningText("NO_SYNTHESIZABLE_TEXT", "The turn's text has nothing that can be spoken.");
        co_await self->socket_->Send(std::move(warning));
    }
    std::string metadata = SpeechMetadataText(turn->id, counts);
    co_await self->socket_->Send(std::move(metadata));
    std::string flushed = SpeechText("Flushed", turn->id);
    co_await self->socket_->Send(std::move(flushed));
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

}  // namespace vf::deepgram
