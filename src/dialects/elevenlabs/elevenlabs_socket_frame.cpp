#include "dialects/elevenlabs/elevenlabs_socket_frame.hpp"

#include <fmt/format.h>

#include <charconv>

namespace vf::elevenlabs {
namespace {

constexpr int kMinSchedule = 50;
constexpr int kMaxSchedule = 500;
constexpr std::size_t kMaxScheduleItems = 32;
constexpr std::int64_t kMaxInactivity = 180;
constexpr std::size_t kMaxContextId = 128;  // bytes

Error WrongParameter(std::string name, std::string words) {
    std::string message = "The query parameter " + name + " " + words;
    return {ErrorKind::kInvalid,
            "invalid_parameters",
            std::move(message),
            {{std::move(name), "invalid_parameters", std::move(words)}}};
}

// A parameter as clients send what they have not: "", Python's None and Ellipsis.
std::string Param(const http::Request& request, std::string_view name) {
    std::string value = request.QueryParam(name).value_or("");
    if (value == "Ellipsis" || value == "None" || value == "null" || value == "undefined")
        return {};
    return value;
}

Result<void> ReadFlag(const http::Request& request, std::string name, bool& out) {
    const std::string text = Param(request, name);
    if (text == "true" || text == "True" || text == "1") {
        out = true;
    } else if (text == "false" || text == "False" || text == "0") {
        out = false;
    } else if (!text.empty()) {
        return WrongParameter(std::move(name), "must be true or false.");
    }
    return {};
}

Result<std::optional<std::int64_t>> ReadNumber(const http::Request& request, std::string name,
                                               std::int64_t min, std::int64_t max) {
    const std::string text = Param(request, name);
    if (text.empty()) return std::optional<std::int64_t>();
    std::int64_t number = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (ec != std::errc() || end != text.data() + text.size() || number < min || number > max) {
        return WrongParameter(std::move(name),
                              fmt::format("must be a whole number from {} to {}.", min, max));
    }
    return std::optional(number);
}

Result<void> ReadModel(const http::Request& request, SocketQuery& query) {
    query.model = Param(request, "model_id");
    if (query.model.empty() || query.model.starts_with("eleven_")) return {};
    std::string words = "is not a model of this server; their names begin with \"eleven_\".";
    return Error(ErrorKind::kInvalid, "unsupported_model", "The query parameter model_id " + words,
                 {{"model_id", "unsupported_model", words}});
}

// Reads members one by one and remembers every wrong one.
class FrameReader {
public:
    explicit FrameReader(const json::object& frame) : frame_(frame) {}

    void Text(std::string_view name, std::optional<std::string>& out) {
        const json::value* found = Find(name);
        if (!found) return;
        if (found->is_string()) {
            out = std::string(found->get_string());
        } else {
            Wrong(name, "must be a string.");
        }
    }
    void Flag(std::string_view name, bool& out) {
        const json::value* found = Find(name);
        if (!found) return;
        if (found->is_bool()) {
            out = found->get_bool();
        } else {
            Wrong(name, "must be true or false.");
        }
    }
    void Schedule(std::string_view name, std::vector<int>& out) {
        const json::value* config = Find(name);
        if (!config) return;
        if (!config->is_object()) {
            Wrong(name, "must be a JSON object.");
            return;
        }
        const json::value* list = config->get_object().if_contains("chunk_length_schedule");
        if (!list || list->is_null()) return;
        const bool fits = list->is_array() && !list->get_array().empty() &&
                          list->get_array().size() <= kMaxScheduleItems;
        std::vector<int> read;
        for (const json::value& item : fits ? list->get_array() : json::array()) {
            const double number = item.is_number() ? item.to_number<double>() : 0;
            if (number >= kMinSchedule && number <= kMaxSchedule) {
                read.push_back(static_cast<int>(number));
            }
        }
        if (!fits || read.size() != list->get_array().size()) {
            wrong.push_back({"/" + std::string(name) + "/chunk_length_schedule",
                             "invalid_parameters",
                             fmt::format("must be 1 to {} numbers from {} to {}.",
                                         kMaxScheduleItems, kMinSchedule, kMaxSchedule)});
            return;
        }
        out = std::move(read);
    }
    json::value Any(std::string_view name) {
        const json::value* found = Find(name);
        return found ? *found : json::value();
    }
    void Wrong(std::string_view name, std::string words) {
        wrong.push_back({json::Pointer("", name), "invalid_parameters", std::move(words)});
    }

    std::vector<FieldError> wrong;

private:
    const json::value* Find(std::string_view name) const {
        const json::value* found = frame_.if_contains(name);
        return found && !found->is_null() ? found : nullptr;
    }
    const json::object& frame_;
};

}  // namespace

Result<SocketQuery> ReadSocketQuery(const http::Request& request) {
    SocketQuery query;
    if (const auto model = ReadModel(request, query); !model) return model.error();
    const Result<OutputFormat> format = ReadOutputFormat(Param(request, "output_format"));
    if (!format) return format.error();
    query.format = *format;
    query.language = Param(request, "language_code");
    const auto flag = [&request](const char* name, bool& out) {
        return ReadFlag(request, name, out);
    };
    bool ignored = false;
    for (const auto& [name, target] :
         {std::pair("enable_logging", &query.is_logged),
          std::pair("enable_ssml_parsing", &query.is_ssml), std::pair("auto_mode", &query.is_auto),
          std::pair("sync_alignment", &ignored)}) {
        const Result<void> read = flag(name, *target);
        if (!read) return read.error();
    }
    const auto inactivity = ReadNumber(request, "inactivity_timeout", 1, kMaxInactivity);
    if (!inactivity) return inactivity.error();
    if (*inactivity) query.inactivity = std::chrono::seconds(**inactivity);
    const auto seed = ReadNumber(request, "seed", 0, 4'294'967'295);
    if (!seed) return seed.error();
    if (*seed) query.seed = static_cast<std::uint32_t>(**seed);
    const std::string normalisation = Param(request, "apply_text_normalization");
    if (!normalisation.empty() && normalisation != "auto" && normalisation != "on" &&
        normalisation != "off") {
        return WrongParameter("apply_text_normalization", "must be auto, on or off.");
    }
    query.normalises = normalisation != "off";
    return query;
}

Result<ClientFrame> ReadClientFrame(std::string_view text) {
    Result<json::Parsed> parsed = json::Parse(text);
    if (!parsed) return std::move(parsed).error();
    if (!parsed->root.is_object()) {
        return Error(ErrorKind::kInvalid, "invalid_parameters", "A message must be a JSON object.");
    }
    FrameReader read(parsed->root.get_object());
    ClientFrame frame;
    read.Text("text", frame.text);
    read.Text("context_id", frame.context);
    if (frame.context && (frame.context->empty() || frame.context->size() > kMaxContextId)) {
        read.Wrong("context_id", fmt::format("must have 1 to {} bytes.", kMaxContextId));
    }
    read.Flag("flush", frame.flush);
    read.Flag("try_trigger_generation", frame.trigger);
    read.Flag("close_context", frame.close_context);
    read.Flag("close_socket", frame.close_socket);
    read.Schedule("generation_config", frame.schedule);
    read.Schedule("generator_config", frame.schedule);
    frame.voice_settings = read.Any("voice_settings");
    frame.dictionaries = read.Any("pronunciation_dictionary_locators");
    for (const char* name : {"xi-api-key", "xi_api_key", "authorization"}) {
        std::optional<std::string> key;
        read.Text(name, key);
        if (key && frame.key.empty()) frame.key = *key;
    }
    if (read.wrong.empty()) return frame;
    std::string message =
        "The member " + read.wrong.front().path + " " + read.wrong.front().message;
    return Error(ErrorKind::kInvalid, "invalid_parameters", std::move(message),
                 std::move(read.wrong));
}

}  // namespace vf::elevenlabs
