#pragma once
// WS /v1/speak and WS /v2/speak: text in, binary audio out, one turn after the other. A turn is
// what is said until Flush; its audio is whole before the next one's begins. On /v1 the end of a
// turn is told by Flushed, on /v2 by SpeechMetadata and Flushed, and its start by SpeechStarted.
//
// Only the first turn is being spoken; those behind it are text that waits, within a bound.
// Whatever goes wrong is told by an Error message and closes the socket, as Deepgram does it: 1003
// for binary messages, 1008 for what the client did, 1011 and 1013 for what the server could not.
// Shared by the handler, which reads messages, and the coroutine that sends a turn; on the loop.

#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "base/bell.hpp"
#include "dialects/deepgram/deepgram_messages.hpp"
#include "dialects/deepgram/deepgram_routes.hpp"
#include "dialects/socket_speech.hpp"

namespace vf::deepgram {

inline constexpr std::size_t kMaxTurn = 40'000;  // characters of one turn

using Clock = std::chrono::steady_clock;

struct Turn {
    std::string id;
    std::string text;  // all that was said for it
    std::size_t characters = 0;
    bool is_ended = false;    // no more text comes
    bool is_flushed = false;  // by Flush, which wants an answer
    bool is_dropped = false;  // by Clear or Interrupt
    std::int64_t begins = 0;  // milliseconds of the session, where its audio begins
    std::unique_ptr<speech::LiveSpeech> live;  // once it is its turn
};

class SocketSession : public std::enable_shared_from_this<SocketSession> {
public:
    SocketSession(const Deps& deps, std::shared_ptr<http::WebSocket> socket, Door door);

    // The whole life of the socket.
    static Task<void> Run(std::shared_ptr<SocketSession> self);

private:
    using TurnPtr = std::shared_ptr<Turn>;
    class Sink;

    static Task<Result<void>> Begin(std::shared_ptr<SocketSession> self);
    static Task<void> ReadAll(std::shared_ptr<SocketSession> self);
    static Task<void> OnMessage(std::shared_ptr<SocketSession> self, http::SocketEvent event);
    static Task<void> OnTimeout(std::shared_ptr<SocketSession> self);
    static Task<void> OnFlush(std::shared_ptr<SocketSession> self);
    static Task<void> OnClear(std::shared_ptr<SocketSession> self);
    static Task<void> OnInterrupt(std::shared_ptr<SocketSession> self, ClientMessage message);
    static Task<void> OnConfigure(std::shared_ptr<SocketSession> self, double speed);
    static Task<Result<std::unique_ptr<speech::LiveSpeech>>> Open(
        std::shared_ptr<SocketSession> self);
    static Task<void> SendTurn(std::shared_ptr<SocketSession> self, TurnPtr turn);
    static Task<dialects::SpeechEnd> SpeakTurn(std::shared_ptr<SocketSession> self, TurnPtr turn);
    static Task<void> SendEnd(std::shared_ptr<SocketSession> self, TurnPtr turn,
                              dialects::SpeechEnd end);
    static Task<void> DropAll(std::shared_ptr<SocketSession> self);
    static Task<void> Finish(std::shared_ptr<SocketSession> self);
    static Task<void> Fail(std::shared_ptr<SocketSession> self, Error error);

    Result<void> Say(std::string text);
    void Next();  // begins the first turn, unless one is spoken
    void EndOpenTurn(bool is_flushed);
    bool TakeFlush();  // false: too many lately
    Interruption Interrupted(const Turn& turn, std::optional<std::int64_t> played) const;
    bool has_turns() const { return door_ == Door::kTurns; }
    Clock::duration ReadLimit() const;

    const Deps& deps_;
    std::shared_ptr<http::WebSocket> socket_;
    const Door door_;
    dialects::SocketCaller caller_;
    SpeakQuery query_;
    std::deque<TurnPtr> turns_;  // the first one is spoken; only the last one may take text
    TurnPtr running_;            // whose coroutine runs
    TurnPtr last_;               // the last one that was spoken
    std::size_t waiting_ = 0;    // bytes of text of all turns but the first
    std::int64_t sequence_ = 0;
    TurnCounts total_;
    std::optional<std::int64_t> interrupted_;  // how far the last Interrupt said it was
    std::deque<Clock::time_point> flushes_;    // of the last minute
    std::optional<http::CloseCode> closing_;   // when nothing is spoken any more
    Bell one_ended_;
    Clock::time_point heard_;
};

}  // namespace vf::deepgram
