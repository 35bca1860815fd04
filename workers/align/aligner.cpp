#include "align/aligner.hpp"

#include <sphinxbase/err.h>
#include <sphinxbase/fsg_model.h>

#include <algorithm>
#include <cmath>

#include "align/audio_input.hpp"

namespace vf::worker {
namespace {

using engines::TimingEvent;

constexpr const char* kModel = "/usr/share/pocketsphinx/model/en-us/en-us";
constexpr const char* kDictionary = "/usr/share/pocketsphinx/model/en-us/cmudict-en-us.dict";
constexpr const char* kSearch = "text";
constexpr double kFrameSamples = kModelRate / 100.0;
// A frame is a window of 25.6 ms every 10 ms: what it hears lies in its middle.
constexpr double kFrameOffset = (0.0256 - 0.01) / 2 * kModelRate;
constexpr float kPause = 0.1F;   // how likely, before each word
constexpr int kScoreShift = 10;  // pocketsphinx keeps scores of senones shifted by so many bits
constexpr std::size_t kShortest = 3;  // frames that a phone of the model takes at the least
// Phones stand in the decoder's dictionary as words of one phone, so named.
constexpr char kPhoneMark = '_';
constexpr const char* kPhones[] = {"AA", "AE", "AH", "AO", "AW", "AY", "B",  "CH", "D",  "DH",
                                   "EH", "ER", "EY", "F",  "G",  "HH", "IH", "IY", "JH", "K",
                                   "L",  "M",  "N",  "NG", "OW", "OY", "P",  "R",  "S",  "SH",
                                   "T",  "TH", "UH", "UW", "V",  "W",  "Y",  "Z",  "ZH"};

struct Word {
    std::uint32_t begin, end;  // bytes of the text
    std::vector<Phones> said;
};

bool IsLetter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '\'';
}

std::vector<Word> WordsOf(std::string_view text, const Lexicon& lexicon) {
    std::vector<Word> words;
    for (std::size_t at = 0; at < text.size();) {
        if (!IsLetter(text[at])) {
            ++at;
            continue;
        }
        const std::size_t begin = at;
        while (at < text.size() && IsLetter(text[at])) ++at;
        std::vector<Phones> said = lexicon.Find(text.substr(begin, at - begin));
        if (said.empty()) continue;
        words.push_back(
            {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(at), std::move(said)});
    }
    return words;
}

// The chain of phones. States are numbered along it; `border_of` tells which word a state ends.
struct Chain {
    struct Step {
        int from, to;
        const std::string* phone;
    };
    std::vector<Step> steps;
    std::vector<int> borders;  // state before the first word, then after each
    int states = 1;
};

Chain ChainOf(const std::vector<Word>& words) {
    Chain chain;
    chain.borders.push_back(0);
    for (const Word& word : words) {
        const int begin = chain.borders.back();
        const int end = chain.states++;
        for (const Phones& phones : word.said) {
            int at = begin;
            for (std::size_t i = 0; i < phones.size(); ++i) {
                const int to = i + 1 == phones.size() ? end : chain.states++;
                chain.steps.push_back({at, to, &phones[i]});
                at = to;
            }
        }
        chain.borders.push_back(end);
    }
    return chain;
}

// Handed over to the decoder, which frees it.
fsg_model_t* GrammarOf(const Chain& chain, logmath_t* math) {
    fsg_model_t* grammar = fsg_model_init(kSearch, math, 1.0F, chain.states);
    grammar->start_state = 0;
    grammar->final_state = chain.borders.back();
    for (const Chain::Step& step : chain.steps) {
        const int phone = fsg_model_word_add(grammar, (kPhoneMark + *step.phone).c_str());
        fsg_model_trans_add(grammar, step.from, step.to, 0, phone);
    }
    for (const int border : chain.borders) {
        fsg_model_add_silence(grammar, "<sil>", border, kPause);
    }
    return grammar;
}

struct Heard {
    std::string phone;  // "": a pause
    int first, last;    // frames
    double loss;        // of all of them together
};

std::vector<Heard> HeardBy(ps_decoder_t* decoder) {
    std::vector<Heard> all;
    logmath_t* math = ps_get_logmath(decoder);
    for (ps_seg_t* at = ps_seg_iter(decoder); at != nullptr; at = ps_seg_next(at)) {
        const std::string_view name = ps_seg_word(at);
        if (name == "(NULL)") continue;
        Heard one;
        ps_seg_frames(at, &one.first, &one.last);
        std::int32_t score = 0;
        ps_seg_prob(at, &score, nullptr, nullptr);
        one.loss = std::max(0.0, -logmath_log_to_ln(math, score) * (1 << kScoreShift));
        if (name.front() == kPhoneMark) one.phone = name.substr(1);
        all.push_back(std::move(one));
    }
    return all;
}

// Words and their phones out of what was heard, in which the text's phones stand in their order.
class Events {
public:
    Events(const std::vector<Word>& words, std::size_t samples)
        : words_(words), samples_(samples) {}

    bool Add(const std::vector<Heard>& heard) {
        std::size_t at = 0;
        for (const Word& word : words_) {
            while (at < heard.size() && heard[at].phone.empty()) AddPause(heard[at++]);
            const std::size_t count = LengthAt(word, heard, at);
            if (count == 0) return false;
            AddWord(word, {heard.data() + at, count});
            at += count;
        }
        for (; at < heard.size(); ++at) {
            if (!heard[at].phone.empty()) return false;
            AddPause(heard[at]);
        }
        CloseAt(samples_);
        return true;
    }

    std::vector<TimingEvent> events;

private:
    // How many of the phones at `at` are this word, in the longest of its ways that fits.
    static std::size_t LengthAt(const Word& word, const std::vector<Heard>& heard, std::size_t at) {
        std::size_t longest = 0;
        for (const Phones& phones : word.said) {
            const bool fits =
                at + phones.size() <= heard.size() &&
                std::equal(phones.begin(), phones.end(), heard.begin() + static_cast<long>(at),
                           [](const std::string& a, const Heard& b) { return a == b.phone; });
            if (fits) longest = std::max(longest, phones.size());
        }
        return longest;
    }

    std::uint64_t SampleAt(int frame) const {
        const double at = frame == 0 ? 0 : frame * kFrameSamples + kFrameOffset;
        return std::min(static_cast<std::uint64_t>(at), static_cast<std::uint64_t>(samples_));
    }

    TimingEvent Make(TimingEvent::Kind kind, const Heard& first, const Heard& last) const {
        TimingEvent event;
        event.kind = kind;
        event.start_sample = SampleAt(first.first);
        event.end_sample = SampleAt(last.last + 1);
        return event;
    }

    void AddPause(const Heard& pause) {
        TimingEvent event = Make(TimingEvent::kPhoneme, pause, pause);
        event.label = "SIL";
        events.push_back(std::move(event));
    }

    void AddWord(const Word& word, std::span<const Heard> phones) {
        TimingEvent event = Make(TimingEvent::kWord, phones.front(), phones.back());
        event.text_begin = word.begin;
        event.text_end = word.end;
        double loss = 0;
        for (const Heard& phone : phones) loss += phone.loss;
        event.loss = loss / (phones.back().last + 1 - phones.front().first);
        events.push_back(event);
        for (const Heard& phone : phones) {
            TimingEvent one = Make(TimingEvent::kPhoneme, phone, phone);
            one.text_begin = word.begin;
            one.text_end = word.end;
            one.label = phone.phone;
            one.loss = phone.loss / (phone.last + 1 - phone.first);
            events.push_back(std::move(one));
        }
    }

    void CloseAt(std::size_t samples) {
        if (!events.empty() && events.back().end_sample >= samples) return;
        TimingEvent event;
        event.kind = TimingEvent::kPhoneme;
        event.start_sample = events.empty() ? 0 : events.back().end_sample;
        event.end_sample = samples;
        event.label = "SIL";
        events.push_back(std::move(event));
    }

    const std::vector<Word>& words_;
    std::size_t samples_;
};

Error Failed() {
    return {ErrorKind::kInvalid, "alignment_failed", "no way through the audio"};
}

}  // namespace

std::unique_ptr<Aligner> Aligner::Make() {
    err_set_logfp(nullptr);
    // Frames of silence are kept (their removal moves every time); the beams are wide, since there
    // is one right way, which must not be lost in a noisy spot.
    cmd_ln_t* config = cmd_ln_init(nullptr, ps_args(), TRUE, "-hmm", kModel, "-dict", kDictionary,
                                   "-remove_silence", "no", "-fsgusefiller", "no", "-beam", "1e-80",
                                   "-wbeam", "1e-60", "-pbeam", "1e-80", "-compallsen", "yes",
                                   "-bestpath", "no", "-lw", "1.0", "-wip", "1.0", nullptr);
    if (config == nullptr) return nullptr;
    Decoder decoder(ps_init(config));
    cmd_ln_free_r(config);
    if (!decoder) return nullptr;
    for (const char* phone : kPhones) {
        ps_add_word(decoder.get(), (kPhoneMark + std::string(phone)).c_str(), phone, FALSE);
    }
    return std::unique_ptr<Aligner>(new Aligner(std::move(decoder)));
}

Aligner::Aligner(Decoder decoder) : decoder_(std::move(decoder)), lexicon_(decoder_.get()) {}

Result<std::vector<TimingEvent>> Aligner::Align(std::string_view text,
                                                std::span<const std::int16_t> samples) {
    const std::vector<Word> words = WordsOf(text, lexicon_);
    const Chain chain = ChainOf(words);
    const std::size_t frames = samples.size() / static_cast<std::size_t>(kFrameSamples);
    if (words.empty() || frames < words.size() * kShortest) return Failed();
    ps_decoder_t* decoder = decoder_.get();
    fsg_model_t* grammar = GrammarOf(chain, ps_get_logmath(decoder));
    const bool is_set = ps_set_fsg(decoder, kSearch, grammar) == 0 &&
                        ps_set_search(decoder, kSearch) == 0 && ps_start_utt(decoder) == 0;
    fsg_model_free(grammar);
    if (!is_set) return Failed();
    ps_process_raw(decoder, samples.data(), samples.size(), FALSE, TRUE);
    ps_end_utt(decoder);
    Events events(words, samples.size());
    if (!events.Add(HeardBy(decoder))) return Failed();
    return std::move(events.events);
}

}  // namespace vf::worker
