#include "neural/probe.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstring>

#include "engines/protocol.hpp"

namespace vf::neural {
namespace {

using namespace vf::engines;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kMostOutput = 4'000;
constexpr double kSilence = 0.001;  // -60 dB
constexpr int kExitProgram = 127;

// One sentence in the languages that most models speak; others read the English one as well as
// they can.
std::string_view SentenceFor(std::string_view language) {
    constexpr std::pair<std::string_view, std::string_view> kSentences[] = {
        {"de", "Das ist ein kurzer Satz zur Probe."},
        {"es", "Esta es una frase corta de prueba."},
        {"fr", "Ceci est une courte phrase d'essai."},
        {"it", "Questa è una breve frase di prova."},
        {"pt", "Esta é uma frase curta de teste."},
        {"ru", "Это короткое пробное предложение."},
        {"zh", "这是一个简短的测试句子。"}};
    for (const auto& [tag, sentence] : kSentences) {
        if (language.substr(0, 2) == tag) return sentence;
    }
    return "This is a short sentence to try the voice.";
}

Error Refused(std::string message) {
    return Error(ErrorKind::kInvalid, "model_refused", std::move(message));
}

double Since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

class Session {
public:
    explicit Session(const SpawnedProcess& process) : process_(process) {}
    ~Session() {
        KillWorker(process_.pidfd);
        pollfd end{process_.pidfd, POLLIN, 0};
        ::poll(&end, 1, 5'000);
        if (!reaped_) ReapWorker(process_.pidfd);
        close(process_.socket);
        close(process_.log);
        close(process_.pidfd);
    }
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    // The next frame; an error when the worker has ended, was too slow or broke the protocol.
    Result<Frame> Receive(Clock::time_point deadline, std::string_view doing) {
        for (;;) {
            Result<std::optional<Frame>> frame = reader_.Next();
            if (!frame) return Refused("The model's worker sent something that is no frame.");
            if (*frame) return std::move(**frame);
            const auto left =
                std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
            if (left.count() <= 0) {
                return Refused(fmt::format("The model took too long for {}.", doing));
            }
            pollfd both[2] = {{process_.socket, POLLIN, 0}, {process_.log, POLLIN, 0}};
            ::poll(both, log_open_ ? 2 : 1, static_cast<int>(left.count()));
            if (log_open_ && both[1].revents != 0) ReadLog();
            if (both[0].revents == 0) continue;
            char bytes[65'536];
            const ssize_t got = recv(process_.socket, bytes, sizeof(bytes), 0);
            if (got > 0) {
                reader_.Feed({bytes, static_cast<std::size_t>(got)});
            } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
                return Ended(doing);
            }
        }
    }

    bool Send(const std::string& bytes) {
        return send(process_.socket, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
               static_cast<ssize_t>(bytes.size());
    }

    // It answered that it cannot speak; what was printed is about our own sentence.
    Error Mute(const std::string& why) {
        Drain();
        const std::string said = Printed();
        return Refused(fmt::format("The model loads, but cannot speak: {}{}{}", why,
                                   said.empty() ? "." : ":\n", said));
    }

private:
    void Drain() {
        while (log_open_) {
            pollfd log{process_.log, POLLIN, 0};
            if (::poll(&log, 1, 200) <= 0) break;
            ReadLog();
        }
    }

    void ReadLog() {
        char bytes[4'096];
        const ssize_t got = read(process_.log, bytes, sizeof(bytes));
        if (got > 0) printed_.append(bytes, static_cast<std::size_t>(got));
        if (got == 0) log_open_ = false;
        // The last lines are the ones that tell why.
        if (printed_.size() > kMostOutput) printed_.erase(0, printed_.size() - kMostOutput);
    }

    Error Ended(std::string_view doing) {
        pollfd end{process_.pidfd, POLLIN, 0};
        ::poll(&end, 1, 5'000);
        Drain();
        const ExitStatus status = ReapWorker(process_.pidfd);
        reaped_ = true;
        std::string how = status.signal > 0 ? fmt::format("was ended by signal {} ({})",
                                                          status.signal, strsignal(status.signal))
                                            : fmt::format("ended with code {}", status.exit_code);
        if (status.exit_code == kExitProgram) how += " (its program cannot be run)";
        std::string said = Printed();
        return Refused(fmt::format("The model's worker {} during {}{}{}", how, doing,
                                   said.empty() ? "." : ":\n", said));
    }

    // Indented, without control characters and without the places in other people's sources.
    std::string Printed() const {
        std::string out;
        std::string_view rest = printed_;
        while (!rest.empty()) {
            const std::size_t end = std::min(rest.find('\n'), rest.size());
            std::string line(rest.substr(0, end));
            std::erase_if(line, [](char c) { return static_cast<unsigned char>(c) < 0x20; });
            const std::size_t source = line.find(".cc:");
            const std::size_t words = line.find(' ');
            if (source != std::string::npos && words != std::string::npos && source < words) {
                line.erase(0, words + 1);
            }
            if (!line.empty()) out += (out.empty() ? "  " : "\n  ") + line;
            rest.remove_prefix(std::min(end + 1, rest.size()));
        }
        return out;
    }

    SpawnedProcess process_;
    FrameReader reader_;
    std::string printed_;
    bool log_open_ = true;
    bool reaped_ = false;
};

Result<void> Listen(Session& session, const Manifest& manifest, Clock::time_point deadline,
                    ProbeReport& report) {
    for (;;) {
        const Result<Frame> frame = session.Receive(deadline, "its first sentence");
        if (!frame) return frame.error();
        if (frame->type == FrameType::kAudio) {
            const Result<std::vector<std::int16_t>> samples = DecodeAudio(frame->payload);
            if (!samples) return Refused("The model's worker sent audio that is none.");
            for (const std::int16_t sample : *samples) {
                report.samples.push_back(static_cast<float>(sample) / 32'768.0F);
            }
        } else if (frame->type == FrameType::kError) {
            const Result<WorkerError> error = DecodeError(frame->payload);
            return session.Mute(error ? error->message : "the worker broke the protocol");
        } else if (frame->type == FrameType::kDone) {
            break;
        }
    }
    report.audio_seconds = static_cast<double>(report.samples.size()) / manifest.sample_rate;
    const float loudest = report.samples.empty()
                              ? 0
                              : std::abs(*std::ranges::max_element(
                                    report.samples, {}, [](float s) { return std::abs(s); }));
    if (report.audio_seconds < 0.1 || loudest < kSilence) {
        return Refused(fmt::format("The model loads, but a sentence of it is {:.2f} s of {}.",
                                   report.audio_seconds, loudest < kSilence ? "silence" : "audio"));
    }
    return {};
}

}  // namespace

Result<ProbeReport> Probe(const SpawnPlan& plan, const Manifest& manifest,
                          std::chrono::milliseconds timeout) {
    const auto start = Clock::now();
    const Result<SpawnedProcess> process = SpawnWorker(plan);
    if (!process) {
        return Error(ErrorKind::kUnavailable, "spawn_failed",
                     fmt::format("The program {} cannot be started ({}): install the package "
                                 "voiceflow-neural, or run scripts/setup and build again.",
                                 plan.program, process.error().message()));
    }
    Session session(*process);
    const Result<Frame> first = session.Receive(start + timeout, "loading");
    if (!first) return first.error();
    const Result<Hello> hello = DecodeHello(first->payload);
    if (first->type != FrameType::kHello || !hello || hello->voices.empty()) {
        return Refused(fmt::format("The model's worker introduces itself wrongly: {}.",
                                   hello ? "no voices" : hello.error().message()));
    }
    ProbeReport report;
    report.load_seconds = Since(start);
    const Voice& voice = hello->voices.front();
    Request request;
    request.voice = voice.id;
    request.text = SentenceFor(voice.languages.front());
    request.events = false;
    const auto spoken = Clock::now();
    if (!session.Send(EncodeRequest(1, request))) return Refused("The model's worker has ended.");
    const Result<void> heard = Listen(session, manifest, spoken + timeout, report);
    if (!heard) return heard.error();
    report.speak_seconds = Since(spoken);
    return report;
}

}  // namespace vf::neural
