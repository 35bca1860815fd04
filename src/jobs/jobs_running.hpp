#pragma once
// One job that this node works on: the handler's context, and what its keeper writes. Inside
// src/jobs only.

#include <algorithm>
#include <cmath>

#include "base/utf8.hpp"
#include "jobs/jobs_core.hpp"

namespace vf::jobs {

class JobsCore::Running : public JobContext {
public:
    Running(Executor executor, ClaimedJob c, HandlerOptions handler_options)
        : claimed(std::move(c)), options(handler_options), bell(executor), retry(executor) {}

    JobId id() const override { return claimed.fence.id; }
    TeamId team() const override { return claimed.fence.team; }
    bool live() const override { return claimed.live; }
    int attempt() const override { return claimed.fence.attempt; }
    const json::value& payload() const override { return content; }
    const std::shared_ptr<CancelFlag>& cancel() const override { return flag; }
    void Progress(double fraction, std::string text) override {
        constexpr std::size_t kMostNote = 200;
        if (std::isfinite(fraction)) progress = std::clamp(fraction, 0.0, 1.0);
        if (Utf8FindInvalid(text) || text.find('\0') != std::string::npos) text.clear();
        note = text.substr(0, Utf8Floor(text, std::min(text.size(), kMostNote)));
        has_news = true;
    }

    ClaimedJob claimed;
    HandlerOptions options;
    Bell bell;   // the end, for the keeper
    Bell retry;  // the end, for who waits to write what became of the job
    json::value content;
    std::shared_ptr<CancelFlag> flag = std::make_shared<CancelFlag>();
    double progress = 0;
    std::string note;
    bool has_news = false;          // progress that is not written yet
    bool cancel_requested = false;  // by somebody
    bool lost = false;              // the lease is another's, or nobody's
    bool settled = false;           // nothing is left to write
};

}  // namespace vf::jobs
