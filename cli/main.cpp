// voiceflow: the command line client.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <csignal>

#include "commands.hpp"
#include "exit_codes.hpp"
#include "interrupt.hpp"
#include "terminal.hpp"

namespace vf::cli {
namespace {

std::atomic<bool> interrupted = false;
static_assert(std::atomic<bool>::is_always_lock_free, "set from a signal handler");

constexpr const char* kFooter =
    "The server's address and key come from VOICEFLOW_SERVER and VOICEFLOW_API_KEY, or from\n"
    "~/.config/voiceflow/config.toml with the keys server, api_key, voice and format.\n\n"
    "Exit codes: 0 done, 1 server error, 2 wrong use, 3 server not reachable, 4 no access,\n"
    "5 server busy, 6 trouble on this machine, 130 interrupted.";

void AddSpeak(CLI::App& app, Preferences& preferences) {
    auto options = std::make_shared<SpeakOptions>();
    CLI::App* command = app.add_subcommand("tts", "Speak a text (also: generate)");
    command->alias("generate");
    command->add_option("text", options->text, "The text; - reads it from standard input");
    command->add_option("-f,--file", options->file, "Read the text from this file");
    command->add_option("-o,--output", options->output,
                        "Write the audio to this file, or - for standard output; without it the "
                        "audio is played");
    command->add_option("--voice", options->voice, "Voice id, see `voiceflow voices`");
    command->add_option("--format", options->format,
                        "wav, mp3, opus, flac, aac, pcm, ulaw or alaw; else by the file's ending");
    command->add_option("--language", options->language, "BCP 47 tag, such as de or en-GB");
    command->add_option("--speed", options->speed, "0.25 to 4");
    command->add_option("--pitch", options->pitch, "-12 to 12 semitones");
    command->add_option("--volume", options->volume, "-20 to 10 dB");
    command->add_option("--sample-rate", options->sample_rate, "Samples per second");
    command->callback([options, &preferences] { Speak(preferences, *options); });
}

void AddVoices(CLI::App& app, Preferences& preferences) {
    auto options = std::make_shared<VoicesOptions>();
    CLI::App* command = app.add_subcommand("voices", "List the voices");
    command->add_option("--language", options->language, "Only voices of this language");
    command->add_option("--gender", options->gender, "female, male or neutral");
    command->add_option("--engine", options->engine, "Only voices of this engine");
    command->add_option("--search", options->search, "Part of an id, name or description");
    command->add_flag("--ids", options->ids_only, "Only the ids, one a line");
    command->callback([options, &preferences] { ListVoices(preferences, *options); });
}

int Run(int argc, char** argv) {
    Preferences preferences = LoadPreferences();
    CLI::App app("Speaks with a VoiceFlow server.", "voiceflow");
    app.footer(kFooter);
    app.set_version_flag("--version", "voiceflow " VOICEFLOW_VERSION);
    app.require_subcommand(1);
    app.fallthrough();
    app.add_option("--server", preferences.server, "Address of the server")->capture_default_str();
    app.add_option("--api-key", preferences.api_key,
                   "API key; better in VOICEFLOW_API_KEY, where other users cannot see it");
    app.add_flag("--json", preferences.json, "Print machine-readable output");
    app.add_flag("-q,--quiet", preferences.quiet, "Print errors only");
    AddSpeak(app, preferences);
    AddVoices(app, preferences);
    std::string shell;
    CLI::App* completion = app.add_subcommand("completion", "Print a shell's completion script");
    completion->add_option("shell", shell, "bash, zsh or fish")->required();
    completion->callback([&] { PrintCompletion(shell); });
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
        const int code = app.exit(e);
        return code == 0 ? 0 : static_cast<int>(Exit::kUsage);
    }
    return 0;
}

}  // namespace

void CatchInterrupts() {
    std::signal(SIGINT, [](int) { interrupted = true; });
    std::signal(SIGPIPE, SIG_IGN);
}

bool Interrupted() {
    return interrupted;
}

}  // namespace vf::cli

int main(int argc, char** argv) {
    vf::cli::CatchInterrupts();
    try {
        return vf::cli::Run(argc, argv);
    } catch (const vf::cli::Failure& failure) {
        fmt::print(stderr, "{} {}\n", vf::cli::Red("voiceflow:", STDERR_FILENO), failure.what());
        return static_cast<int>(failure.exit);
    } catch (const std::exception& e) {
        fmt::print(stderr, "{} {}\n", vf::cli::Red("voiceflow:", STDERR_FILENO), e.what());
        return static_cast<int>(vf::cli::Exit::kLocal);
    }
}
