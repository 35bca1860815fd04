// The words after `voiceflowd admin`.
#include <CLI/CLI.hpp>
#include <algorithm>

#include "app/admin_commands.hpp"

namespace vf::app {

AdminCommandLine ReadAdminCommandLine(std::span<const std::string> arguments) {
    using Verb = AdminRequest::Verb;
    AdminCommandLine line;
    AdminRequest& request = line.request;
    std::vector<std::string> words;
    for (const std::string& argument : arguments) {
        const std::string head = argument.substr(0, argument.find('='));
        const bool is_setting = head.starts_with("--") && head.find('.') != std::string::npos;
        (is_setting ? request.settings : words).push_back(argument);
    }
    CLI::App app("Teams, keys and plans, from the server's own machine.", "voiceflowd admin");
    app.require_subcommand(1);
    const auto command = [&](const char* name, const char* help, Verb verb) {
        CLI::App* sub = app.add_subcommand(name, help);
        sub->callback([&request, verb] { request.verb = verb; });
        sub->add_flag("--json", request.json, "Print JSON");
        return sub;
    };
    constexpr const char* kTeam = "A team's id, or its name when no other team has it";

    CLI::App* create_team = command("create-team", "Make a team", Verb::kCreateTeam);
    create_team->add_option("name", request.name, "Its name")->required();
    create_team->add_option("--plan", request.plan, "Its plan, else free");

    CLI::App* create_key =
        command("create-key", "Make an API key; it is shown once", Verb::kCreateKey);
    create_key->add_option("team", request.team, kTeam)->required();
    create_key->add_option("--name", request.name, "What it is for");
    create_key->add_flag("--test", request.test, "A test key: same behaviour, never billed");
    create_key->add_option("--scope", request.scopes,
                           "What it may do, e.g. speech:write; all but admin when none is given");
    create_key->add_option("--expires-in-days", request.expires_in_days, "When it ends")
        ->check(CLI::Range(1, 3650));

    CLI::App* revoke =
        command("revoke-key", "End an API key, everywhere and at once", Verb::kRevokeKey);
    revoke->add_option("key", request.key, "Its id (key_…) or the key itself")->required();

    CLI::App* set_plan = command("set-plan", "Give a team's payer another plan", Verb::kSetPlan);
    set_plan->add_option("team", request.team, kTeam)->required();
    set_plan->add_option("plan", request.plan, "The plan's id")->required();

    CLI::App* list = command("list", "List teams, or one team's keys", Verb::kList);
    list->add_option("team", request.team, kTeam);

    command("list-plans", "List plans", Verb::kListPlans);
    CLI::App* load =
        command("load-plans", "Load a catalogue of plans from a TOML file", Verb::kLoadPlans);
    load->add_option("file", request.file, "The file")->required()->check(CLI::ExistingFile);
    CLI::App* bound =
        command("set-spending-bound", "What a team or a key may spend a month beyond its plan",
                Verb::kSetSpendingBound);
    bound->add_option("team", request.team, "A team (id or name), or a key's id")->required();
    bound
        ->add_option("amount", request.amount_minor, "In minor units of the plan's currency: cents")
        ->required()
        ->check(CLI::Range(std::int64_t{0}, std::int64_t{1} << 50));
    bound->add_flag("--soft", request.soft, "Alert only, never refuse");
    command("rotate-key", "Add a key to the server's key file; restart the server afterwards",
            Verb::kRotateKey);

    std::reverse(words.begin(), words.end());  // CLI11 takes them from the back
    try {
        app.parse(words);
    } catch (const CLI::ParseError& e) {
        line.exit_code = app.exit(e) == 0 ? 0 : 2;
    }
    return line;
}

}  // namespace vf::app
