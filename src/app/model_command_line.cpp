// The words after `voiceflowd models`.
#include <CLI/CLI.hpp>
#include <algorithm>

#include "app/model_commands.hpp"

namespace vf::app {

ModelCommandLine ReadModelCommandLine(std::span<const std::string> arguments) {
    using Verb = ModelRequest::Verb;
    ModelCommandLine line;
    ModelRequest& request = line.request;
    std::vector<std::string> words;
    for (const std::string& argument : arguments) {
        const std::string head = argument.substr(0, argument.find('='));
        const bool is_setting = head.starts_with("--") && head.find('.') != std::string::npos;
        (is_setting ? request.settings : words).push_back(argument);
    }
    CLI::App app("Neural models, from the server's own machine.", "voiceflowd models");
    app.require_subcommand(1);
    const auto command = [&](const char* name, const char* help, Verb verb) {
        CLI::App* sub = app.add_subcommand(name, help);
        sub->callback([&request, verb] { request.verb = verb; });
        sub->add_flag("--json", request.json, "Print JSON");
        return sub;
    };
    const auto hints = [&](CLI::App* sub) {
        sub->add_option("--id", request.id, "Its id here, else made of its name");
        sub->add_option("--language", request.language, "The language it speaks, e.g. en-GB");
        sub->add_option("--licence", request.licence, "Its licence, when the package is silent");
    };
    CLI::App* install = command("install", "Try a package and install it", Verb::kInstall);
    install
        ->add_option("package", request.from,
                     "An .onnx file, an archive, a folder, a URL, or a name of \"models known\"; a "
                     "model of several files takes them all")
        ->required();
    hints(install);
    install->add_option("--sha256", request.sha256, "What a downloaded file must have");
    install->add_flag("--replace", request.replace, "Put it in place of the model of the same id");
    command("list", "List the installed models", Verb::kList);
    command("known", "List the models that have names", Verb::kKnown);
    CLI::App* remove = command("remove", "Remove an installed model", Verb::kRemove);
    remove->add_option("id", request.id, "Its id")->required();
    CLI::App* probe = command("probe", "Try a package or an installed model", Verb::kProbe);
    probe->add_option("package", request.from, "An id, an .onnx file, an archive or a folder")
        ->required();
    hints(probe);

    std::reverse(words.begin(), words.end());  // CLI11 takes them from the back
    try {
        app.parse(words);
    } catch (const CLI::ParseError& e) {
        line.exit_code = app.exit(e) == 0 ? 0 : 2;
    }
    return line;
}

}  // namespace vf::app
