#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>

#include "base/utf8.hpp"
#include "client.hpp"
#include "commands.hpp"
#include "exit_codes.hpp"
#include "pieces.hpp"
#include "player.hpp"
#include "terminal.hpp"

namespace vf::cli {
namespace {

constexpr std::size_t kMaxFile = 8U << 20U;
constexpr std::size_t kWavHeader = 44;
constexpr int kLongTextRate = 24000;

std::string ReadText(const SpeakOptions& options) {
    if (!options.file.empty() && !options.text.empty()) {
        throw Failure(Exit::kUsage, "give the text or --file, not both");
    }
    std::string text = options.text;
    const std::string source = options.file.empty() && text == "-" ? "-" : options.file;
    if (source == "-") {
        text.assign(std::istreambuf_iterator<char>(std::cin), {});
    } else if (!source.empty()) {
        std::ifstream file(source, std::ios::binary);
        if (!file) {
            throw Failure(Exit::kLocal,
                          fmt::format("cannot read {}: {}", source, std::strerror(errno)));
        }
        text.assign(std::istreambuf_iterator<char>(file), {});
    }
    if (text.size() > kMaxFile) throw Failure(Exit::kUsage, "the text is larger than 8 MiB");
    if (const auto bad = Utf8FindInvalid(text)) {
        throw Failure(Exit::kUsage, fmt::format("the text is not valid UTF-8 (byte {})", *bad));
    }
    if (text.find_first_not_of(" \t\r\n") == std::string::npos) {
        throw Failure(Exit::kUsage, "there is no text to speak");
    }
    return text;
}

std::string FormatOf(const Preferences& preferences, const SpeakOptions& options) {
    if (!options.format.empty()) return options.format;
    const std::size_t dot = options.output.rfind('.');
    if (dot != std::string::npos && options.output.find('/', dot) == std::string::npos) {
        const std::string extension = options.output.substr(dot + 1);
        for (const char* known : {"wav", "mp3", "opus", "flac", "aac", "pcm", "ulaw", "alaw"}) {
            if (extension == known) return extension;
        }
        if (extension == "ogg") return "opus";
    }
    return preferences.format.empty() ? "wav" : preferences.format;
}

// Where the audio goes. A file is written under another name and renamed at the end, so that a
// broken speech never stands under the name asked for.
class Output {
public:
    explicit Output(const std::string& path) : path_(path) {
        if (path == "-") {
            fd_ = STDOUT_FILENO;
            return;
        }
        struct stat info{};
        const bool is_special = stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode);
        part_ = is_special ? path : path + ".part";
        fd_ = open(part_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        if (fd_ < 0) Fail();
    }
    ~Output() {
        if (fd_ < 0 || path_ == "-") return;
        close(fd_);
        if (!kept_ && part_ != path_) unlink(part_.c_str());
    }
    Output(const Output&) = delete;
    Output& operator=(const Output&) = delete;

    void Write(std::string_view bytes) {
        while (!bytes.empty()) {
            const ssize_t n = write(fd_, bytes.data(), bytes.size());
            if (n < 0 && errno == EINTR) continue;
            if (n < 0) Fail();
            bytes.remove_prefix(static_cast<std::size_t>(n));
        }
    }
    // Overwrites bytes at the start; only for regular files.
    void WriteAt(off_t at, std::string_view bytes) {
        if (pwrite(fd_, bytes.data(), bytes.size(), at) != static_cast<ssize_t>(bytes.size())) {
            Fail();
        }
    }
    bool can_seek() const { return path_ != "-" && part_ != path_; }
    void Keep() {
        if (path_ == "-") return;
        if (part_ != path_ && rename(part_.c_str(), path_.c_str()) != 0) Fail();
        kept_ = true;
    }

private:
    [[noreturn]] void Fail() const {
        throw Failure(Exit::kLocal,
                      fmt::format("cannot write {}: {}", path_, std::strerror(errno)));
    }

    std::string path_;
    std::string part_;
    int fd_ = -1;
    bool kept_ = false;
};

json::object RequestBody(const Preferences& preferences, const SpeakOptions& options,
                         const std::string& format) {
    json::object body;
    const std::string voice = options.voice.empty() ? preferences.voice : options.voice;
    if (!voice.empty()) body["voice"] = voice;
    if (!options.language.empty()) body["language"] = options.language;
    if (options.speed) body["speed"] = *options.speed;
    if (options.pitch) body["pitch"] = *options.pitch;
    if (options.volume) body["volume"] = *options.volume;
    if (options.sample_rate) body["sample_rate"] = *options.sample_rate;
    body["format"] = format;
    return body;
}

std::string WavHeader(std::uint32_t data_bytes, std::uint32_t rate) {
    std::string header(
        "RIFF\0\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\0\0\0\0\0\0\0\0\2\0\x10\0data\0\0\0\0", kWavHeader);
    const auto put = [&](std::size_t at, std::uint32_t value) {
        for (std::size_t i = 0; i < 4; ++i) header[at + i] = static_cast<char>(value >> (8 * i));
    };
    put(4, data_bytes > 0xFFFFFFFFU - 36 ? 0xFFFFFFFFU : data_bytes + 36);
    put(24, rate);
    put(28, rate * 2);
    put(40, data_bytes);
    return header;
}

struct Spoken {
    std::uint64_t bytes = 0;
    std::size_t pieces = 0;
};

using Sink = std::function<bool(std::string_view)>;

// A text that fits one request.
Spoken SpeakShort(Client& client, json::object body, const std::string& text, bool stream,
                  bool quiet, const Sink& sink) {
    body["text"] = text;
    Spoken spoken{0, 1};
    Progress progress(quiet);
    client.Post(stream ? "/v1/generate/stream" : "/v1/generate", body, [&](std::string_view bytes) {
        spoken.bytes += bytes.size();
        progress.Update(0, 1, spoken.bytes);
        return sink(bytes);
    });
    return spoken;
}

// A longer one: piece by piece as raw PCM, which can be put end to end without a seam.
Spoken SpeakLong(Client& client, json::object body, const std::vector<std::string>& pieces,
                 bool quiet, const Sink& sink) {
    body["format"] = "pcm";
    Spoken spoken{0, pieces.size()};
    Progress progress(quiet);
    bool listening = true;
    for (std::size_t i = 0; i < pieces.size() && listening; ++i) {
        body["text"] = pieces[i];
        client.Post("/v1/generate/stream", body, [&](std::string_view bytes) {
            spoken.bytes += bytes.size();
            progress.Update(i, pieces.size(), spoken.bytes);
            listening = sink(bytes);
            return listening;
        });
    }
    return spoken;
}

}  // namespace

void Speak(const Preferences& preferences, const SpeakOptions& options) {
    const std::string text = ReadText(options);
    const bool to_player = options.output.empty();
    std::string format = FormatOf(preferences, options);
    const auto player_command = to_player ? FindPlayer() : std::nullopt;
    if (to_player && !player_command) {
        throw Failure(Exit::kLocal,
                      "no player (mpv, ffplay, pw-cat, paplay, aplay, play) is installed; write to "
                      "a file with -o FILE or to standard output with -o -");
    }
    if (to_player) format = "wav";
    const std::vector<std::string> pieces = Pieces(text);
    const bool is_long = Utf8Count(text) > kMaxCharacters;
    if (is_long && format != "wav" && format != "pcm") {
        throw Failure(Exit::kUsage,
                      fmt::format("a text of more than {} characters can be written as wav or pcm",
                                  kMaxCharacters));
    }
    if (options.output == "-" && IsTerminal(STDOUT_FILENO)) {
        throw Failure(Exit::kUsage, "audio is not for a terminal; send it to a file or a program");
    }

    Client client(preferences);
    json::object body = RequestBody(preferences, options, format);
    std::unique_ptr<Player> player;
    std::unique_ptr<Output> output;
    Sink sink;
    if (to_player) {
        player = std::make_unique<Player>(*player_command);
        sink = [&](std::string_view bytes) { return player->Write(bytes); };
    } else {
        output = std::make_unique<Output>(options.output);
        sink = [&](std::string_view bytes) {
            output->Write(bytes);
            return true;
        };
    }
    Spoken spoken;
    if (is_long) {
        const int rate = options.sample_rate.value_or(kLongTextRate);
        body["sample_rate"] = rate;
        const auto wav_rate = static_cast<std::uint32_t>(rate);
        if (format == "wav") sink(WavHeader(0xFFFFFFFFU, wav_rate));
        spoken = SpeakLong(client, std::move(body), pieces, preferences.quiet, sink);
        const bool fits = spoken.bytes <= 0xFFFFFFFFU - 36;
        if (format == "wav" && output && output->can_seek() && fits) {
            output->WriteAt(0, WavHeader(static_cast<std::uint32_t>(spoken.bytes), wav_rate));
        }
    } else {
        const bool stream = to_player || options.output == "-";
        spoken = SpeakShort(client, std::move(body), text, stream, preferences.quiet, sink);
    }
    if (player) player->Finish();
    if (output) output->Keep();
    if (preferences.json && options.output != "-") {
        json::object report{{"characters", Utf8Count(text)},
                            {"bytes", spoken.bytes},
                            {"requests", spoken.pieces},
                            {"format", format}};
        if (!to_player) report["file"] = options.output;
        fmt::print("{}\n", json::Print(report));
    } else if (!preferences.quiet && output && options.output != "-") {
        fmt::print(stderr, "{} {}\n", Bold(options.output, STDERR_FILENO),
                   Dim(fmt::format("{} bytes", spoken.bytes), STDERR_FILENO));
    }
}

}  // namespace vf::cli
