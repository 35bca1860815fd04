#include "limits/refusals.hpp"

#include <fmt/format.h>

namespace vf::limits {
namespace {

constexpr std::chrono::seconds kSoon{1};

std::int64_t AllowanceOf(const Plan& plan, Metric metric) {
    switch (metric) {
        case Metric::kRequests: return plan.requests.value_or(0);
        case Metric::kCharacters: return plan.characters.value_or(0);
        case Metric::kAudioMs: return plan.audio_ms.value_or(0);
        case Metric::kSpendMilli: return 0;
    }
    return 0;
}

// "10000 requests"
std::string Amount(Metric metric, std::int64_t units) {
    switch (metric) {
        case Metric::kRequests: return fmt::format("{} requests", units);
        case Metric::kCharacters: return fmt::format("{} characters", units);
        case Metric::kAudioMs: return fmt::format("{} seconds of audio", units / 1000);
        case Metric::kSpendMilli: break;
    }
    return fmt::format("{}", units);
}

std::string RenewalAfter(std::chrono::year_month month) {
    const std::chrono::year_month next = month + std::chrono::months(1);
    return fmt::format("{:04}-{:02}-01T00:00:00Z", static_cast<int>(next.year()),
                       static_cast<unsigned>(next.month()));
}

}  // namespace

Error TextTooLong(const Plan& plan, std::int64_t characters) {
    return Error(ErrorKind::kInvalid, "text_too_long",
                 fmt::format("The text has {} characters; the plan {} allows {} in one request. "
                             "Send it in parts or choose a larger plan.",
                             characters, plan.name, plan.text_characters.value_or(0)));
}

Error TooManyAtOnce(const Plan& plan) {
    return Error(ErrorKind::kRateLimited, "too_many_concurrent_requests",
                 fmt::format("The team has {} requests under way, as many as the plan {} allows at "
                             "once. Wait for one to end.",
                             plan.concurrency.value_or(0), plan.name))
        .RetryAfter(kSoon);
}

Error AllowanceUsedUp(const Plan& plan, Metric metric, bool live, std::chrono::year_month month) {
    return Error(
        ErrorKind::kPaymentRequired, "allowance_used_up",
        fmt::format("This request would go beyond the {}{} a month that the plan {} "
                    "includes. The allowance ({}) renews at {}; a larger plan helps at once.",
                    live ? "" : "test allowance of ", Amount(metric, AllowanceOf(plan, metric)),
                    plan.name, MetricName(metric), RenewalAfter(month)));
}

Error SpendingBoundReached(const Plan& plan, Subject subject, std::optional<std::int64_t> bound,
                           std::chrono::year_month month) {
    const std::int64_t milli = bound.value_or(0);
    return Error(
        ErrorKind::kPaymentRequired, "spending_bound_reached",
        fmt::format("The {} may cost at most {}.{:05} {} a month beyond the plan, and this "
                    "request would cost more. An administrator of the team can raise the "
                    "bound; it starts anew at {}.",
                    subject == Subject::kKey ? "API key" : "team", milli / 100'000, milli % 100'000,
                    plan.currency, RenewalAfter(month)));
}

Error BudgetUnavailable() {
    return Error(ErrorKind::kUnavailable, "budget_unavailable",
                 "Whether your plan still covers this request cannot be looked up at the moment. "
                 "Try again shortly.")
        .RetryAfter(kSoon);
}

}  // namespace vf::limits
