#pragma once
// What an admitted speech owes: its permit and its usage row, from admission to the last byte.
//
//   Admit    caller's plan and budgets, the journal's room          -> Meter
//   Mark     a whole reply: once, with its final figures, before the status line leaves;
//            a stream: before each segment enters the pipe          -> the journal
//   End      the reply is over, one way or another                  -> the journal, the permit
//   Rest     a live speech waits for text: its team's slot is free  -> the permit
//   Extend   … and goes on: another permit, under the same row
//
// So whoever got one byte has a row, and a row says at least what was received (promise 3 of the
// design: received <= charged <= received + pipe + socket buffer + one segment). On the loop.

#include <cstdint>
#include <memory>

#include "base/caller.hpp"
#include "base/result.hpp"
#include "base/task.hpp"
#include "limits/limits.hpp"
#include "usage/usage.hpp"

namespace vf::usage {
class Journal;
}

namespace vf::speech {

struct Speech;
struct SpeechRequest;

class Meter {
public:
    Meter(limits::Permit permit, usage::Journal& journal, usage::UsageRow row)
        : permit_(std::move(permit)), journal_(journal), row_(std::move(row)) {}
    Meter(const Meter&) = delete;
    Meter& operator=(const Meter&) = delete;

    // The speech as it stands would be charged for `characters` if the server died now. An error:
    // nothing more may be sent.
    Result<void> Mark(const Speech& speech, std::size_t characters);
    // Once; what comes later is ignored. `status` is the HTTP status that was sent.
    void End(const Speech& speech, usage::Delivery delivery, int status);

    // What was spoken so far is settled: `characters` and the speech's audio.
    void Rest(const Speech& speech, std::size_t characters);
    // Takes over the permit for what is spoken next; after Rest.
    void Extend(limits::Permit permit);
    bool is_resting() const { return is_resting_; }

private:
    void Fill(const Speech& speech);
    std::int64_t Charge() const;  // of the row's figures

    limits::Permit permit_;
    // Of the permits before: what they were settled with, and what that cost.
    std::int64_t settled_characters_ = 0;
    std::int64_t settled_audio_ms_ = 0;
    std::int64_t settled_milli_ = 0;
    bool is_resting_ = false;
    usage::Journal& journal_;
    usage::UsageRow row_;
    bool is_marked_ = false;
    bool is_ended_ = false;
};

// What speech is metered by. Both null: nothing is (benchmarks and tests of the corridor alone).
struct Metering {
    limits::Limits* limits = nullptr;
    usage::Journal* journal = nullptr;
};

// Errors: those of limits::Limits::Admit and of usage::Journal::Accepting. Null without metering.
Task<Result<std::unique_ptr<Meter>>> AdmitSpeech(Metering metering, const SpeechRequest& request,
                                                 const Speech& speech);

// More of a live speech that was admitted before: `characters` to come.
Task<Result<void>> AdmitMore(Metering metering, const SpeechRequest& request, Speech& speech,
                             std::size_t characters);

}  // namespace vf::speech
