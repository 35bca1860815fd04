#include "speech/meter.hpp"

#include "speech/speech.hpp"
#include "usage/journal.hpp"

namespace vf::speech {
namespace {

// Speech in most languages runs at 12 to 18 characters a second; a budget in audio time reserves by
// the slow end and settles by what it was.
constexpr std::int64_t kMsPerCharacter = 80;

usage::UsageRow NewRow(const SpeechRequest& request, const Speech& speech) {
    usage::UsageRow row;
    row.operation = speech.operation;
    row.team = request.caller.team;
    row.key = request.caller.key;
    row.billing = request.caller.billing;
    row.route = request.route;
    row.model = request.model;
    row.streamed = !request.whole;
    row.live = request.caller.live;
    row.started_at =
        std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
    return row;
}

Task<Result<limits::Permit>> Ask(Metering metering, Caller caller, std::size_t characters,
                                 std::int64_t requests) {
    const Result<void> accepting = metering.journal->Accepting();
    if (!accepting) co_return accepting.error();
    limits::Ask ask;
    ask.requests = requests;
    ask.characters = static_cast<std::int64_t>(characters);
    ask.audio_ms_estimate = ask.characters * kMsPerCharacter;
    std::optional<Result<limits::Permit>> permit = metering.limits->TryAdmit(caller, ask);
    if (!permit) permit = co_await metering.limits->Admit(std::move(caller), ask);
    co_return *std::move(permit);
}

}  // namespace

void Meter::Fill(const Speech& speech) {
    using std::chrono::duration_cast;
    using std::chrono::milliseconds;
    row_.audio_ms = static_cast<std::int64_t>(speech.seconds() * 1000);
    row_.engine_ms = duration_cast<milliseconds>(speech.engine_time).count();
    row_.bytes = static_cast<std::int64_t>(speech.bytes);
    row_.voice = speech.voice;
    row_.engine = speech.engine;
    row_.deployment = speech.deployment;
    constexpr std::int64_t kMicroInMilli = 1000;
    row_.vendor_milli = (speech.vendor_micro + kMicroInMilli / 2) / kMicroInMilli;
    row_.vendor_currency = speech.vendor_currency;
}

Result<void> Meter::Mark(const Speech& speech, std::size_t characters) {
    if (is_ended_) return {};
    Fill(speech);
    row_.characters = static_cast<std::int64_t>(characters);
    row_.charge_milli = Charge();
    Result<void> marked = journal_.Mark(row_);
    if (marked) is_marked_ = true;
    return marked;
}

void Meter::End(const Speech& speech, usage::Delivery delivery, int status) {
    if (is_ended_) return;
    is_ended_ = true;
    Fill(speech);
    row_.delivery = delivery;
    row_.status = status;
    if (delivery == usage::Delivery::kComplete) {
        row_.characters = static_cast<std::int64_t>(speech.characters);
    }
    const bool is_charged = is_marked_;
    if (!is_charged) row_.characters = row_.audio_ms = 0;  // nothing can have been received
    row_.charge_milli = is_charged ? Charge() : 0;
    journal_.End(row_);
    if (is_charged && !is_resting_) {
        permit_.Settle(row_.characters - settled_characters_, row_.audio_ms - settled_audio_ms_);
    }
}

std::int64_t Meter::Charge() const {
    if (is_resting_) return settled_milli_;
    return settled_milli_ + permit_.charge_milli(row_.characters - settled_characters_,
                                                 row_.audio_ms - settled_audio_ms_);
}

void Meter::Rest(const Speech& speech, std::size_t characters) {
    if (is_ended_ || is_resting_) return;
    Fill(speech);
    row_.characters = static_cast<std::int64_t>(characters);
    settled_milli_ = Charge();
    permit_.Settle(row_.characters - settled_characters_, row_.audio_ms - settled_audio_ms_);
    settled_characters_ = row_.characters;
    settled_audio_ms_ = row_.audio_ms;
    is_resting_ = true;
}

void Meter::Extend(limits::Permit permit) {
    permit_ = std::move(permit);
    is_resting_ = false;
}

Task<Result<std::unique_ptr<Meter>>> AdmitSpeech(Metering metering, const SpeechRequest& request,
                                                 const Speech& speech) {
    if (!metering.limits || !metering.journal || !request.is_metered) {
        co_return std::unique_ptr<Meter>();
    }
    Result<limits::Permit> permit = co_await Ask(metering, request.caller, speech.characters, 1);
    if (!permit) co_return permit.error();
    co_return std::make_unique<Meter>(*std::move(permit), *metering.journal,
                                      NewRow(request, speech));
}

Task<Result<void>> AdmitMore(Metering metering, const SpeechRequest& request, Speech& speech,
                             std::size_t characters) {
    if (!speech.meter) co_return Result<void>();
    Result<limits::Permit> permit = co_await Ask(metering, request.caller, characters, 0);
    if (!permit) co_return permit.error();
    speech.meter->Extend(*std::move(permit));
    co_return Result<void>();
}

}  // namespace vf::speech
