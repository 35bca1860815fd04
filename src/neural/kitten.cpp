// KittenTTS as its publisher ships it: x.onnx without metadata, voices.npz and config.json.
#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>

#include "base/json.hpp"
#include "base/utf8.hpp"
#include "neural/package.hpp"

namespace vf::neural {
namespace {

constexpr std::size_t kMaxStyle = 8 << 20;  // bytes of one speaker
constexpr int kRate = 24'000;

// The symbols that these models were trained on, in their order. Where one stands twice the later
// place counts.
constexpr std::string_view kSymbols =
    "$;:,.!?¡¿—…\"«»\"\" ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    "ɑɐɒæɓʙβɔɕçɗɖðʤəɘɚɛɜɝɞɟʄɡɠɢʛɦɧħɥʜɨɪʝɭɬɫɮʟɱɯɰŋɳɲɴøɵɸθœɶʘɹɺɾɻʀʁɽʂʃʈʧʉʊʋⱱʌɣɤʍχʎʏʑʐʒʔʡʕʢǀǁǂǃˈˌːˑ"
    "ʼʴʰʱʲʷˠˤ˞↓↑→↗↘'̩'ᵻ";

struct Wrong {
    std::string what;
};

struct Style {
    int rows = 0, columns = 0;
    std::string floats;  // little-endian, row after row
};

// The header of NumPy's format: "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 256), }".
Style ReadNpy(const std::string& bytes) {
    if (bytes.size() < 12 || !bytes.starts_with("\x93NUMPY")) throw Wrong{"holds no NumPy arrays"};
    const auto byte = [&](std::size_t at) {
        return static_cast<std::size_t>(static_cast<unsigned char>(bytes[at]));
    };
    const bool is_first = byte(6) == 1;
    const std::size_t begin = is_first ? 10 : 12;
    const std::size_t length = byte(8) | byte(9) << 8U | (is_first ? 0 : byte(10) << 16U);
    if (length > bytes.size() - begin) throw Wrong{"is cut off"};
    const std::string header = bytes.substr(begin, length);
    Style style;
    const std::size_t shape = header.find("'shape': (");
    const bool is_plain = header.find("'<f4'") != std::string::npos &&
                          header.find("'fortran_order': False") != std::string::npos &&
                          shape != std::string::npos;
    if (!is_plain || std::sscanf(header.c_str() + shape, "'shape': (%5d, %5d)", &style.rows,
                                 &style.columns) != 2) {
        throw Wrong{"holds arrays of another shape than rows of 32-bit numbers"};
    }
    style.floats = bytes.substr(begin + length);
    const auto count = static_cast<std::size_t>(std::max(style.rows, 0)) *
                       static_cast<std::size_t>(std::max(style.columns, 0));
    if (count == 0 || style.floats.size() != count * sizeof(float)) throw Wrong{"is cut off"};
    return style;
}

struct CloseArchive {
    void operator()(archive* open) const { archive_read_free(open); }
};

std::map<std::string, Style> ReadNpz(const std::filesystem::path& file) {
    const std::unique_ptr<archive, CloseArchive> open(archive_read_new());
    archive_read_support_format_zip(open.get());
    if (archive_read_open_filename(open.get(), file.c_str(), 1 << 16) != ARCHIVE_OK) {
        throw Wrong{"is not a .npz file"};
    }
    std::map<std::string, Style> styles;
    archive_entry* entry = nullptr;
    for (;;) {
        const int status = archive_read_next_header(open.get(), &entry);
        if (status == ARCHIVE_EOF) break;
        if (status != ARCHIVE_OK) throw Wrong{"is not a .npz file"};
        std::string bytes(kMaxStyle + 1, '\0');
        const la_ssize_t got = archive_read_data(open.get(), bytes.data(), bytes.size());
        const char* path = archive_entry_pathname(entry);
        if (got < 0 || path == nullptr) throw Wrong{"is damaged"};
        bytes.resize(static_cast<std::size_t>(got));
        std::string name = path;
        if (bytes.size() > kMaxStyle || !name.ends_with(".npy")) throw Wrong{"is no voices' file"};
        name.resize(name.size() - 4);
        if (styles.size() >= kMaxSpeakers) throw Wrong{"holds more than 1000 speakers"};
        styles[name] = ReadNpy(bytes);
    }
    if (styles.empty()) throw Wrong{"holds no speakers"};
    return styles;
}

std::string Tokens() {
    std::map<std::string, int> ids;
    int next = 0;
    for (std::string_view rest = kSymbols; !rest.empty(); ++next) {
        const std::size_t length = std::max<std::size_t>(Utf8SequenceLength(rest), 1);
        ids[std::string(rest.substr(0, length))] = next;
        rest.remove_prefix(length);
    }
    std::string tokens;
    for (const auto& [symbol, id] : ids) tokens += fmt::format("{} {}\n", symbol, id);
    return tokens;
}

// How much faster than asked each speaker is read, which newer models come with.
std::string SpeedPriors(const std::filesystem::path& config,
                        const std::map<std::string, Style>& styles) {
    std::ifstream file(config, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    const Result<json::Parsed> parsed = json::Parse(text);
    if (!parsed || !parsed->root.is_object()) return {};
    const json::value* priors = parsed->root.get_object().if_contains("speed_priors");
    if (priors == nullptr || !priors->is_object()) return {};
    std::string out;
    for (const auto& [name, style] : styles) {
        const json::value* prior = priors->get_object().if_contains(name);
        const bool has = prior != nullptr && prior->is_number();
        const double speed = has ? prior->to_number<double>() : 1;
        out += fmt::format("{}{}", out.empty() ? "" : ",", std::clamp(speed, 0.25, 4.0));
    }
    return out;
}

void Read(const std::filesystem::path& folder, const PackageHints& hints, Package& package) {
    const std::map<std::string, Style> styles = ReadNpz(folder / "voices.npz");
    const Style& first = styles.begin()->second;
    Manifest& manifest = package.manifest;
    manifest.kind = "kitten";
    manifest.quality = "high";
    manifest.sample_rate = kRate;
    std::string voices, names;
    for (const auto& [name, style] : styles) {
        if (style.rows != first.rows || style.columns != first.columns) {
            throw Wrong{"holds speakers of different shapes"};
        }
        Speaker speaker;
        speaker.number = static_cast<int>(manifest.speakers.size());
        speaker.voice = name;
        speaker.name = PeopleName(name);
        speaker.language = hints.language.empty() ? "en-US" : hints.language;
        if (name.ends_with("-f")) speaker.gender = "female";
        if (name.ends_with("-m")) speaker.gender = "male";
        manifest.speakers.push_back(std::move(speaker));
        voices += style.floats;
        names += (names.empty() ? "" : ",") + name;
    }
    package.written["voices.bin"] = std::move(voices);
    package.written["tokens.txt"] = Tokens();
    std::map<std::string, std::string>& added = package.metadata["model.onnx"];
    added = {{"model_type", "kitten-tts"},
             {"language", "English"},
             {"voice", "en-us"},
             {"has_espeak", "1"},
             {"sample_rate", std::to_string(kRate)},
             {"n_speakers", std::to_string(styles.size())},
             {"speaker_names", names},
             {"style_dim", fmt::format("{},{}", first.rows, first.columns)},
             {"version", "1"}};
    if (first.rows == 1) return;
    // A row for each length of text: the models since 0.8, which also end otherwise.
    const std::string priors = SpeedPriors(folder / "config.json", styles);
    added["version"] = "8";
    added["max_token_len"] = std::to_string(first.rows);
    added["start_id"] = "0";
    added["end_id"] = "10";
    added["pad_id"] = "0";
    added["add_pad_after_end"] = "1";
    if (!priors.empty()) added["speaker_speed_priors"] = priors;
}

}  // namespace

Result<void> ReadKitten(const std::filesystem::path& folder, const PackageHints& hints,
                        Package& package) {
    std::string what;
    try {
        Read(folder, hints, package);
        return {};
    } catch (const Wrong& e) {
        what = e.what;
    }
    return Error(ErrorKind::kInvalid, "bad_package", fmt::format("voices.npz {}.", what));
}

}  // namespace vf::neural
