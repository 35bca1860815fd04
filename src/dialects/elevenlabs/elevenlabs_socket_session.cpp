#include "dialects/elevenlabs/elevenlabs_socket_session.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "dialects/elevenlabs/elevenlabs_error.hpp"
#include "dialects/elevenlabs/elevenlabs_socket_audio.hpp"
#include "dialects/elevenlabs/voice_settings.hpp"
#include "dialects/socket_speech.hpp"

namespace vf::elevenlabs {
namespace {

using Clock = std::chrono::steady_clock;
using Kind = http::SocketEvent::Kind;
using http::CloseCode;

constexpr std::size_t kMaxCharacters = 40'000;  // of one context
constexpr const char* kDefaultContext = "default";
const std::vector<int> kDefaultSchedule = {120, 160, 250, 290};

bool IsBlank(std::string_view text) {
    return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

bool EndsPhrase(std::string_view text) {
    constexpr std::string_view kMarks = ".!?,;:";
    return !text.empty() && kMarks.find(text.back()) != std::string_view::npos;
}

Error Wrong(std::string code, std::string message) {
    return {ErrorKind::kInvalid, std::move(code), std::move(message)};
}

}  // namespace

SocketSession::SocketSession(const Deps& deps, std::shared_ptr<http::WebSocket> socket,
                             bool is_multi)
    : deps_(deps), socket_(std::move(socket)), is_multi_(is_multi),
      caller_(deps.access, Scope::kSpeechWrite, socket_), one_ended_(deps.loop),
      heard_(Clock::now()) {}

Task<void> SocketSession::Run(std::shared_ptr<SocketSession> self) {
    Result<SocketQuery> query = ReadSocketQuery(self->socket_->request());
    if (!query) {
        co_await Fail(self, query.error(), CloseCode::kPolicy);
        co_return;
    }
    self->query_ = *std::move(query);
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
            case Kind::kDraining: self->Finish(CloseCode::kGoingAway); break;
            case Kind::kTimeout: co_await OnTimeout(self); break;
            case Kind::kMessage:
                self->heard_ = Clock::now();
                if (!self->closing_) co_await OnMessage(self, std::move(event));
                break;
        }
    }
}

Clock::duration SocketSession::ReadLimit() const {
    const Clock::duration inactivity = query_.inactivity;
    if (!is_admitted_ && !caller_.known()) {
        return std::min<Clock::duration>(inactivity, deps_.sockets.admission_time);
    }
    Clock::time_point due = heard_ + inactivity;
    for (const auto& [id, context] : open_) due = std::min(due, context->heard + inactivity);
    constexpr std::chrono::milliseconds kShortest{10};
    return std::max<Clock::duration>(due - Clock::now(), kShortest);
}

Task<void> SocketSession::OnTimeout(std::shared_ptr<SocketSession> self) {
    const Clock::time_point now = Clock::now();
    const Clock::duration inactivity = self->query_.inactivity;
    for (auto at = self->open_.begin(); at != self->open_.end();) {
        const ContextPtr context = at->second;
        if (now - context->heard < inactivity) {
            ++at;
        } else if (context->live->is_generating()) {
            context->heard = now;  // counts from when it has nothing to do
            ++at;
        } else {
            context->live->End();
            at = self->open_.erase(at);
        }
    }
    // While something is spoken the client has a reason to be silent.
    const bool is_busy = self->closing_ || (self->is_multi_ && !self->speaking_.empty()) ||
                         (self->single_ && (self->single_->live->has_ended() ||
                                            self->single_->live->is_generating()));
    if (is_busy) {
        self->heard_ = now;
        co_return;
    }
    if (self->caller_.known() && now - self->heard_ < inactivity) co_return;
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(inactivity).count();
    Error error = Wrong("input_timeout_exceeded",
                        fmt::format("No message came for {} seconds. Send {{\"text\": \" \"}} to "
                                    "keep the socket open.",
                                    seconds));
    if (!self->caller_.known()) {
        error = Error(ErrorKind::kUnauthenticated, "missing_api_key",
                      "No message with an API key came in time.");
    }
    co_await Fail(self, std::move(error), CloseCode::kPolicy);
}

Task<void> SocketSession::OnMessage(std::shared_ptr<SocketSession> self, http::SocketEvent event) {
    if (!event.is_text) {
        Error error = Wrong("invalid_message", "Messages must be text frames that hold JSON.");
        co_await Fail(self, std::move(error), CloseCode::kUnsupported);
        co_return;
    }
    Result<ClientFrame> read = ReadClientFrame(event.data);
    if (!read) {
        co_await Fail(self, read.error(), CloseCode::kPolicy);
        co_return;
    }
    Result<void> admitted;
    if (!self->is_admitted_) {
        std::string key = read->key;
        admitted = co_await self->caller_.Admit(std::move(key));
        self->is_admitted_ = admitted.ok();
    } else {
        admitted = co_await self->caller_.StillAdmitted();
    }
    if (!admitted) {
        const CloseCode code = dialects::SocketCloseCode(admitted.error());
        co_await Fail(self, admitted.error(), code);
        co_return;
    }
    ClientFrame frame = *std::move(read);
    if (self->is_multi_) {
        co_await OnMulti(self, std::move(frame));
    } else {
        co_await OnSingle(self, std::move(frame));
    }
}

Task<void> SocketSession::OnSingle(std::shared_ptr<SocketSession> self, ClientFrame frame) {
    if (!self->single_) {
        if (!frame.text || !IsBlank(*frame.text)) {
            Error error = Wrong("invalid_first_message",
                                "The first message must have the text \" \" (one space), with the "
                                "settings beside it; the text to be spoken comes after it.");
            co_await Fail(self, std::move(error), CloseCode::kPolicy);
            co_return;
        }
        Result<ContextPtr> opened = co_await Open(self, std::nullopt, frame);
        if (!opened) {
            const CloseCode code = dialects::SocketCloseCode(opened.error());
            co_await Fail(self, opened.error(), code);
            co_return;
        }
        self->single_ = *opened;
        if (frame.text->empty()) self->single_->live->End();
        co_return;
    }
    SocketContext& context = *self->single_;
    if (context.live->has_ended()) co_return;
    if (frame.text && frame.text->empty()) {
        context.live->End();
        co_return;
    }
    const Result<void> appended = self->Append(context, frame);
    if (!appended) co_await Fail(self, appended.error(), CloseCode::kPolicy);
}

Task<void> SocketSession::OnMulti(std::shared_ptr<SocketSession> self, ClientFrame frame) {
    if (frame.close_socket) {
        self->Finish(CloseCode::kNormal);
        co_return;
    }
    const std::string id = frame.context.value_or(kDefaultContext);
    ContextPtr context;
    if (const auto found = self->open_.find(id); found != self->open_.end()) {
        context = found->second;
        context->heard = Clock::now();
    }
    if (frame.close_context) {
        if (!context) co_return;
        self->open_.erase(id);
        if (context->has_unflushed) {
            context->is_stopped = true;
            context->live->Cancel();
        } else {
            context->live->End();
        }
        co_return;
    }
    const bool has_text = frame.text && !frame.text->empty();
    if (!context && !has_text) co_return;  // keeps the socket alive
    if (!context) {
        Result<ContextPtr> opened = co_await Open(self, id, frame);
        if (!opened) {
            co_await Tell(self, opened.error(), id);
            co_return;
        }
        context = *opened;
        self->open_[id] = context;
    }
    const Result<void> appended = self->Append(*context, frame);
    if (appended) co_return;
    // What failed already says so itself.
    if (!context->live->speech()->pipe->failed()) {
        context->live->speech()->pipe->Fail(appended.error());
    }
    self->open_.erase(id);
}

Result<void> SocketSession::Append(SocketContext& context, const ClientFrame& frame) {
    std::string_view text;
    if (frame.text) text = *frame.text;
    const std::string& before = context.live->text();
    // A space that keeps the socket alive is no text.
    const bool is_pause = IsBlank(text) && (before.empty() || before.back() == ' ');
    if (!text.empty() && !is_pause) {
        // In auto mode every message is a sentence or a phrase, also where nobody put a space.
        if (query_.is_auto && EndsPhrase(before) && !IsBlank(text.substr(0, 1))) {
            const Result<void> parted = context.live->Append(" ");
            if (!parted) return parted;
        }
        const Result<void> appended = context.live->Append(text);
        if (!appended) return appended;
        context.has_unflushed = context.has_unflushed || !IsBlank(text);
    }
    if (frame.trigger) context.live->Trigger();
    if (frame.flush) {
        context.live->Flush();
        context.has_unflushed = false;
    }
    return {};
}

speech::SpeechRequest SocketSession::RequestOf(const SocketQuery& query) const {
    const http::Request& http = socket_->request();
    speech::SpeechRequest request;
    request.voice = std::string(http.PathParam("voice_id"));
    request.language = query.language;
    request.format = query.format.format;
    request.sample_rate = query.format.sample_rate;
    request.bit_rate = query.format.bit_rate;
    if (query.is_ssml) request.markup = speech::Markup::kSsml;
    request.normalise.enabled = query.normalises;
    request.seed = query.seed;
    request.max_characters = kMaxCharacters;
    request.caller = http.caller;
    request.route = std::string(http.route);
    request.model = query.model;
    return request;
}

Task<Result<SocketSession::ContextPtr>> SocketSession::Open(std::shared_ptr<SocketSession> self,
                                                            std::optional<std::string> id,
                                                            ClientFrame frame) {
    const auto most = static_cast<std::size_t>(self->deps_.sockets.max_contexts);
    if (self->speaking_.size() >= most) {
        co_return Wrong("max_contexts_exceeded",
                        fmt::format("This socket has {} contexts open or being spoken, which is "
                                    "the most it may have. Close one first.",
                                    most));
    }
    auto context = std::make_shared<SocketContext>();
    context->id = std::move(id);
    context->heard = Clock::now();
    context->request = self->RequestOf(self->query_);
    context->start = {std::move(frame.voice_settings), std::move(frame.dictionaries),
                      self->query_.is_logged, std::string(self->query_.format.name)};
    const Result<void> prepared =
        co_await Prepare(&self->deps_, &context->start, &context->request);
    if (!prepared) co_return prepared.error();
    speech::LivePolicy policy;
    if (!self->query_.is_auto) {
        policy.schedule = frame.schedule.empty() ? kDefaultSchedule : std::move(frame.schedule);
    }
    Result<std::unique_ptr<speech::LiveSpeech>> live =
        co_await self->deps_.speech.StartLive(context->request, std::move(policy));
    if (!live) co_return std::move(live).error();
    context->live = *std::move(live);
    self->speaking_.push_back(context);
    Spawn(self->deps_.loop, SendAll(self, context), "elevenlabs_context");
    co_return context;
}

// Where the chunks of one context go; and its history, while it is kept.
class SocketSession::Sink final : public dialects::ChunkSink {
public:
    Sink(std::shared_ptr<SocketSession> session, ContextPtr context)
        : session_(std::move(session)), context_(std::move(context)), audio_(context_->id),
          tap_(MakeTap(session_->deps_, context_->start, context_->request)) {}

    Task<bool> Take(speech::TimedChunk chunk) override {
        if (tap_) tap_->Hear(chunk.audio);
        std::optional<std::string> message = audio_.Add(std::move(chunk));
        if (!message) co_return true;
        co_return co_await session_->socket_->Send(*std::move(message));
    }
    void Delivered() {
        if (tap_) tap_->End(*context_->live->speech(), context_->live->text());
    }

private:
    std::shared_ptr<SocketSession> session_;
    ContextPtr context_;
    SocketAudio audio_;
    std::unique_ptr<SocketTap> tap_;
};

// Sends what is spoken until it is over.
Task<void> SocketSession::SendAll(std::shared_ptr<SocketSession> self, ContextPtr context) {
    const std::shared_ptr<speech::Speech> speech = context->live->speech();
    const auto sink = std::make_shared<Sink>(self, context);
    std::string request_id = self->socket_->request().id;
    const dialects::SpeechEnd end =
        co_await dialects::ForwardSpeech(speech, sink, std::move(request_id));
    const bool is_sent = end.is_whole;
    if (!is_sent) context->live->Cancel();
    co_await SendEnd(self, context, end.failure);
    const bool is_flushed = co_await self->socket_->Flush();
    const bool is_delivered = is_sent && is_flushed;
    speech->Delivered(is_delivered);
    if (is_delivered) sink->Delivered();
    std::erase(self->speaking_, context);
    if (context->id) {
        const auto open = self->open_.find(*context->id);
        if (open != self->open_.end() && open->second == context) self->open_.erase(open);
    }
    self->CloseIfDone();
    self->one_ended_.Ring();
}

// The last message of a context: its end, or why it has failed.
Task<void> SocketSession::SendEnd(std::shared_ptr<SocketSession> self, ContextPtr context,
                                  std::optional<Error> failure) {
    if (!self->socket_->is_open()) co_return;
    if (failure && !self->is_multi_) {
        const CloseCode code = dialects::SocketCloseCode(*failure);
        co_await Fail(self, *std::move(failure), code);
        co_return;
    }
    if (failure) {
        co_await Tell(self, *std::move(failure), *context->id);
        co_return;
    }
    std::string message = SocketAudio(context->id).Final();
    co_await self->socket_->Send(std::move(message));
    if (!self->is_multi_ && !self->closing_) self->closing_ = CloseCode::kNormal;
}

Task<void> SocketSession::Fail(std::shared_ptr<SocketSession> self, Error error, CloseCode code) {
    const std::string name = VendorErrorOf(error).code;
    std::string message = ErrorMessage(error, name, static_cast<int>(code), std::nullopt);
    co_await self->socket_->Send(std::move(message));
    self->socket_->Close(code, error.message());
}

Task<void> SocketSession::Tell(std::shared_ptr<SocketSession> self, Error error,
                               std::string context) {
    const std::string name = VendorErrorOf(error).code;
    const int code = static_cast<int>(dialects::SocketCloseCode(error));
    std::string message = ErrorMessage(error, name, code, context);
    co_await self->socket_->Send(std::move(message));
}

void SocketSession::Finish(CloseCode code) {
    closing_ = code;
    open_.clear();
    for (const ContextPtr& context : std::vector(speaking_)) {
        if (!context->live->has_ended()) context->live->End();
    }
    CloseIfDone();
}

void SocketSession::CloseIfDone() {
    if (closing_ && speaking_.empty()) socket_->Close(*closing_, {});
}

}  // namespace vf::elevenlabs
