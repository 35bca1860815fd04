#include "common/worker.hpp"

#include <malloc.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "common/limits.hpp"

namespace vf::worker {
namespace {

using namespace vf::engines;

constexpr int kSocket = 3;
constexpr int kExitUsage = 64;
constexpr int kExitUnavailable = 69;
constexpr int kExitProtocol = 76;

// The connection to the server. Everything blocks; when the server is gone, the process ends.
class Connection {
public:
    void Send(std::string_view bytes) {
        while (!bytes.empty()) {
            const ssize_t sent = send(kSocket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent < 0 && errno == EINTR) continue;
            if (sent <= 0) _exit(0);
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
    }

    // The next frame; waits for it unless `poll`.
    std::optional<Frame> Receive(bool poll) {
        for (;;) {
            Result<std::optional<Frame>> frame = reader_.Next();
            if (!frame) {
                Say("the server sent a broken frame");
                _exit(kExitProtocol);
            }
            if (*frame) return std::move(**frame);
            char bytes[8'192];
            const ssize_t got = recv(kSocket, bytes, sizeof(bytes), poll ? MSG_DONTWAIT : 0);
            if (got < 0 && errno == EINTR) continue;
            if (got < 0 && poll && (errno == EAGAIN || errno == EWOULDBLOCK)) return std::nullopt;
            if (got <= 0) _exit(0);
            reader_.Feed({bytes, static_cast<std::size_t>(got)});
        }
    }

private:
    FrameReader reader_;
};

class RequestSink : public Sink {
public:
    RequestSink(Connection& connection, std::uint32_t id, bool wants_events)
        : connection_(connection), id_(id), wants_events_(wants_events) {}

    bool Audio(std::span<const std::int16_t> samples) override {
        const std::size_t most = MaxPayload(FrameType::kAudio) / sizeof(std::int16_t);
        while (!samples.empty() && !cancelled()) {
            const auto part = samples.first(std::min(most, samples.size()));
            pending_ += EncodeAudio(id_, part);
            Flush();
            samples_ += part.size();
            samples = samples.subspan(part.size());
        }
        return !cancelled();
    }

    bool Events(std::span<const TimingEvent> events) override {
        while (wants_events_ && !events.empty() && !cancelled()) {
            const auto part = events.first(std::min(kMaxEventsPerFrame, events.size()));
            pending_ += EncodeEvents(id_, part);
            events = events.subspan(part.size());
        }
        return !cancelled();
    }

    bool cancelled() override {
        while (!cancelled_) {
            const std::optional<Frame> frame = connection_.Receive(true);
            if (!frame) break;
            if (frame->type != FrameType::kCancel) {
                Say("the server sent something else than a cancel");
                _exit(kExitProtocol);
            }
            cancelled_ = frame->id == id_;
        }
        return cancelled_;
    }

    std::uint32_t id() const override { return id_; }
    void Raw(std::string_view bytes) override {
        Flush();
        connection_.Send(bytes);
    }
    // The last frame of the reply, with what waits for it.
    void End(std::string frame) {
        pending_ += frame;
        Flush();
    }
    std::uint64_t samples() const { return samples_; }

private:
    void Flush() {
        connection_.Send(pending_);
        pending_.clear();
    }

    Connection& connection_;
    std::uint32_t id_;
    bool wants_events_;
    // Events go out with the audio that comes next: each send wakes the server.
    std::string pending_;
    bool cancelled_ = false;
    std::uint64_t samples_ = 0;
};

std::uint64_t CpuMicroseconds() {
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    const auto sum = [](const timeval& t) {
        return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000 +
               static_cast<std::uint64_t>(t.tv_usec);
    };
    return sum(used.ru_utime) + sum(used.ru_stime);
}

// The bytes that follow a request. A server that gives up on the way ends the worker.
std::shared_ptr<const std::string> ReceiveInput(Connection& connection, const Frame& request,
                                                std::size_t size) {
    auto bytes = std::make_shared<std::string>();
    bytes->reserve(size);
    while (bytes->size() < size) {
        const std::optional<Frame> frame = connection.Receive(false);
        if (frame->id != request.id || frame->type != FrameType::kInput ||
            frame->payload.size() > size - bytes->size()) {
            Say("the server sent something else than the input of its request");
            _exit(kExitProtocol);
        }
        *bytes += frame->payload;
    }
    return bytes;
}

void Serve(Connection& connection, Engine& engine, const Frame& frame) {
    Result<Request> request = DecodeRequest(frame.payload);
    if (!request) {
        connection.Send(EncodeError(frame.id, {request.error().code(), "a request was refused"}));
        return;
    }
    const std::uint64_t before = CpuMicroseconds();
    RequestSink sink(connection, frame.id, request->events);
    if (request->input) {
        request->input->bytes = ReceiveInput(connection, frame, request->input->size);
    }
    const Result<void> spoken =
        request->input ? engine.Align(*request, sink) : engine.Speak(*request, sink);
    if (!spoken) {
        sink.End(EncodeError(frame.id, {spoken.error().code(), spoken.error().message()}));
        return;
    }
    const Done done{sink.samples(), CpuMicroseconds() - before, sink.cancelled()};
    sink.End(EncodeDone(frame.id, done));
}

}  // namespace

Result<void> Engine::Speak(const Request&, Sink&) {
    return Error(ErrorKind::kInvalid, "cannot_speak", "this engine does not speak");
}

Result<void> Engine::Align(const Request&, Sink&) {
    return Error(ErrorKind::kInvalid, "cannot_align", "this engine does not align");
}

void Say(std::string_view line) {
    std::string text(line);
    text += '\n';
    // A full or closed stderr must not stop the work.
    [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, text.data(), text.size());
}

void Run(int argc, char** argv, MakeEngine make, Needs needs) {
    Limits limits;
    int type = 0;
    socklen_t size = sizeof(type);
    if (!ReadArguments(argc, argv, limits) ||
        getsockopt(kSocket, SOL_SOCKET, SO_TYPE, &type, &size) != 0) {
        Say("this program speaks for voiceflowd, which starts it");
        _exit(kExitUsage);
    }
    Confine(limits);
    // Each request needs the same few megabytes: giving them back in between costs page faults.
    mallopt(M_TRIM_THRESHOLD, 16 << 20);
    mallopt(M_MMAP_THRESHOLD, 16 << 20);
    std::string_view name = argv[0];
    name.remove_prefix(std::min(name.size(), name.rfind('/') + 1));
    constexpr std::string_view kPrefix = "voiceflow-worker-";
    if (name.starts_with(kPrefix)) name.remove_prefix(kPrefix.size());
    // Before the engine: some libraries look for sound servers as soon as they are loaded.
    LockDown(needs);
    const std::unique_ptr<Engine> engine = make(name);
    if (engine == nullptr) _exit(kExitUnavailable);
    Connection connection;
    connection.Send(EncodeHello(engine->Describe()));
    for (;;) {
        const std::optional<Frame> frame = connection.Receive(false);
        if (frame->type == FrameType::kCancel) continue;  // crossed with the end of its request
        if (frame->type != FrameType::kRequest || frame->id == 0) {
            Say("the server sent something else than a request");
            _exit(kExitProtocol);
        }
        AllowCpu(limits.cpu);
        Serve(connection, *engine, *frame);
    }
}

}  // namespace vf::worker
