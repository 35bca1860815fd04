#include <fmt/format.h>

#include "commands.hpp"
#include "exit_codes.hpp"

namespace vf::cli {
namespace {

constexpr const char* kBash = R"~(_voiceflow() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}
    case $previous in
        --format) COMPREPLY=($(compgen -W "wav mp3 opus flac aac pcm ulaw alaw" -- "$current")); return ;;
        --gender) COMPREPLY=($(compgen -W "female male neutral" -- "$current")); return ;;
        --voice) COMPREPLY=($(compgen -W "$(voiceflow voices --ids 2>/dev/null)" -- "$current")); return ;;
        --file|-o|--output) COMPREPLY=($(compgen -f -- "$current")); return ;;
    esac
    case ${COMP_WORDS[1]} in
        tts|generate) COMPREPLY=($(compgen -W "--file --voice --format --language --speed --pitch --volume --sample-rate --output --server --json --quiet --help" -- "$current")) ;;
        voices) COMPREPLY=($(compgen -W "--language --gender --engine --search --server --json --help" -- "$current")) ;;
        completion) COMPREPLY=($(compgen -W "bash zsh fish" -- "$current")) ;;
        *) COMPREPLY=($(compgen -W "tts generate voices completion --help --version" -- "$current")) ;;
    esac
}
complete -F _voiceflow voiceflow
)~";

constexpr const char* kZsh = R"~(#compdef voiceflow
autoload -U +X bashcompinit && bashcompinit
)~";

constexpr const char* kFish = R"~(complete -c voiceflow -f
complete -c voiceflow -n __fish_use_subcommand -a tts -d 'Speak a text'
complete -c voiceflow -n __fish_use_subcommand -a generate -d 'Speak a text'
complete -c voiceflow -n __fish_use_subcommand -a voices -d 'List voices'
complete -c voiceflow -n __fish_use_subcommand -a completion -d 'Print a completion script'
complete -c voiceflow -n '__fish_seen_subcommand_from tts generate' -l file -r -F -d 'Read the text from a file'
complete -c voiceflow -n '__fish_seen_subcommand_from tts generate' -l voice -x -a '(voiceflow voices --ids 2>/dev/null)' -d 'Voice id'
complete -c voiceflow -n '__fish_seen_subcommand_from tts generate' -l format -x -a 'wav mp3 opus flac aac pcm ulaw alaw' -d 'Audio format'
complete -c voiceflow -n '__fish_seen_subcommand_from tts generate' -s o -l output -r -F -d 'Write to a file, or - for standard output'
complete -c voiceflow -n '__fish_seen_subcommand_from voices' -l gender -x -a 'female male neutral'
complete -c voiceflow -n '__fish_seen_subcommand_from completion' -a 'bash zsh fish'
)~";

}  // namespace

void PrintCompletion(const std::string& shell) {
    if (shell == "bash") {
        fmt::print("{}", kBash);
    } else if (shell == "zsh") {
        fmt::print("{}{}", kZsh, kBash);
    } else if (shell == "fish") {
        fmt::print("{}", kFish);
    } else {
        throw Failure(Exit::kUsage, "there are completions for bash, zsh and fish");
    }
}

}  // namespace vf::cli
