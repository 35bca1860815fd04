// The routes that speak: whole, streamed, and both with the times of the characters.

#include <fmt/format.h>

#include <map>

#include "base/utf8.hpp"
#include "dialects/elevenlabs/elevenlabs_alignment.hpp"
#include "dialects/elevenlabs/elevenlabs_deps.hpp"
#include "dialects/elevenlabs/elevenlabs_error.hpp"
#include "dialects/elevenlabs/elevenlabs_speech_body.hpp"
#include "dialects/elevenlabs/stored_settings.hpp"
#include "dialects/elevenlabs/voice_settings.hpp"
#include "dialects/speech_response.hpp"
#include "speech/catalogue_match.hpp"
#include "speech/timed_reader.hpp"

namespace vf::elevenlabs {
namespace {

using http::Request;
using http::Response;

constexpr std::size_t kPipeBytes = 256 * 1024;
constexpr std::size_t kMaxContext = 1'000;       // characters of the texts around that matter
constexpr std::uint64_t kMaxBody = 1ULL << 20U;  // 40,000 characters of any script, escaped

enum class Shape { kWhole, kStream, kTimed, kTimedStream };

// How many speeches of a team these routes have under way, for the headers that clients read.
class UnderWay {
public:
    class Token {
    public:
        Token(std::shared_ptr<std::map<TeamId, std::int64_t>> counts, TeamId team)
            : counts_(std::move(counts)), team_(team) {
            ++(*counts_)[team_];
        }
        ~Token() {
            if (--(*counts_)[team_] == 0) counts_->erase(team_);
        }
        Token(const Token&) = delete;
        Token& operator=(const Token&) = delete;
        std::int64_t count() const { return counts_->at(team_); }

    private:
        std::shared_ptr<std::map<TeamId, std::int64_t>> counts_;
        TeamId team_;
    };
    std::shared_ptr<Token> Enter(TeamId team) { return std::make_shared<Token>(counts_, team); }

private:
    std::shared_ptr<std::map<TeamId, std::int64_t>> counts_ =
        std::make_shared<std::map<TeamId, std::int64_t>>();
};

// One speech from its request to its end.
struct Work {
    SpeechBody body;
    VoiceSettings settings;
    history::Item item;
    std::shared_ptr<UnderWay::Token> token;
    std::shared_ptr<speech::Speech> speech;
    std::unique_ptr<history::Recording> recording;  // null: nothing is kept
};

std::string Joined(const std::vector<std::string>& texts) {
    std::string out;
    for (const std::string& text : texts) {
        if (!out.empty()) out += ' ';
        out += text;
    }
    return out;
}

// The last, or the first, kMaxContext characters.
std::string Edge(std::string text, bool is_end) {
    if (text.size() <= kMaxContext) return text;
    if (is_end) return text.substr(Utf8Floor(text, text.size() - kMaxContext));
    return text.substr(0, Utf8Floor(text, kMaxContext));
}

// The voice must be one of ours; the language is ignored where the voice does not speak it.
Result<const engines::Voice*> FindVoice(speech::SpeechRequest& request,
                                        const engines::VoiceView& voices) {
    const engines::Voice* voice = voices.Find(request.voice);
    if (!voice) {
        return Error(ErrorKind::kNotFound, "voice_not_found",
                     "There is no voice with the id \"" + request.voice +
                         "\". GET /v1/voices lists the voices.");
    }
    if (!request.language.empty() && speech::IsLanguageTag(request.language) &&
        speech::LanguageMatch(*voice, request.language) == 0) {
        request.language.clear();
    }
    return voice;
}

// What stands in the database: the voice's settings, dictionaries, the texts of other requests.
Task<Result<void>> LookUp(Work& work, const Deps& deps, TeamId team) {
    SpeechBody& body = work.body;
    speech::SpeechRequest& speech = body.speech;
    const voices::StoredSettings stored = co_await deps.voice_settings.Find(team, speech.voice);
    Result<VoiceSettings> settings = ReadVoiceSettings(body.voice_settings, FromStored(stored));
    if (!settings) co_return std::move(settings).error();
    work.settings = *settings;
    Apply(work.settings, speech);
    Result<void> found =
        co_await dialects::UseDictionaries(speech, deps.dictionaries, body.dictionaries);
    if (!found) co_return std::move(found).error();
    if (!body.previous_ids.empty()) {
        const auto texts = co_await deps.history.TextsOfRequests(team, body.previous_ids);
        if (!texts.empty()) speech.previous_text = Joined(texts);
    }
    if (!body.next_ids.empty()) {
        const auto texts = co_await deps.history.TextsOfRequests(team, body.next_ids);
        if (!texts.empty()) speech.next_text = Joined(texts);
    }
    speech.previous_text = Edge(std::move(speech.previous_text), true);
    speech.next_text = Edge(std::move(speech.next_text), false);
    co_return Result<void>();
}

void NameVoices(json::value& dialogue, const engines::VoiceView& voices) {
    if (!dialogue.is_array()) return;
    for (json::value& turn : dialogue.get_array()) {
        json::object& one = turn.get_object();
        const engines::Voice* voice = voices.Find(std::string(one["voice_id"].as_string()));
        if (voice) one["voice_name"] = voice->name;
    }
}

void FillItem(Work& work, const Request& request, const engines::Voice& voice) {
    history::Item& item = work.item;
    item.request_id = request.id;
    item.voice = voice.id;
    item.voice_name = voice.name;
    item.model = work.body.speech.model;
    item.text = work.body.speech.text;
    item.settings = ToJson(work.settings);
    item.dialogue = std::move(work.body.dialogue);
    item.output_format = work.body.output.name;
    const audio::FormatInfo& format = audio::InfoOf(work.body.output.format);
    item.content_type = format.media_type;
    item.extension = format.extension;
}

Task<Result<std::shared_ptr<Work>>> Start(Request& request, const Deps& deps, UnderWay& under_way,
                                          SpeechBody body, Shape shape) {
    auto work = std::make_shared<Work>();
    work->body = std::move(body);
    speech::SpeechRequest& speech = work->body.speech;
    const engines::VoiceView voices = co_await deps.speech.Voices(request.caller.team);
    const Result<const engines::Voice*> voice = FindVoice(speech, voices);
    if (!voice) co_return voice.error();
    NameVoices(work->body.dialogue, voices);
    dialects::Sign(speech, request);
    Result<void> ready = co_await LookUp(*work, deps, request.caller.team);
    if (!ready) co_return std::move(ready).error();
    speech.whole = shape == Shape::kWhole || shape == Shape::kTimed;
    if (work->body.is_logged) work->recording = deps.history.Record();
    speech.wants_timing =
        shape == Shape::kTimed || shape == Shape::kTimedStream || work->recording != nullptr;
    FillItem(*work, request, **voice);
    work->token = under_way.Enter(request.caller.team);
    auto started = co_await deps.speech.Start(std::move(speech));
    if (!started) co_return std::move(started).error();
    work->speech = *std::move(started);
    dialects::AbandonOnCancel(request, *work->speech);
    co_return work;
}

// The reply is over: what it was is kept, unless the client went away.
void Keep(const std::shared_ptr<Work>& work, const Deps& deps, const Caller& caller) {
    if (!work->recording) return;
    work->recording->ReplaceStart(work->speech->exact_header);
    work->item.characters = static_cast<std::int64_t>(work->speech->characters);
    if (work->item.dialogue.is_null() && work->item.voice != work->speech->voice) {
        work->item.voice = work->item.voice_name = work->speech->voice;  // who spoke instead
    }
    work->item.alignments = Alignments(work->speech->timeline);
    deps.history.Keep(caller, std::move(work->item), std::move(work->recording));
}

Response Answer(const Request& request, const Deps& deps, const std::shared_ptr<Work>& work) {
    Response response = dialects::AudioResponse(work->speech);
    const Caller& caller = request.caller;
    std::int64_t most = deps.max_concurrent;
    if (caller.plan && caller.plan->concurrency) most = *caller.plan->concurrency;
    response.headers.Set("request-id", request.id);
    response.headers.Set("character-cost", std::to_string(work->speech->characters));
    response.headers.Set("current-concurrent-requests", std::to_string(work->token->count()));
    response.headers.Set("maximum-concurrent-requests", std::to_string(most));
    response.headers.Set("x-trace-id", request.id);
    response.headers.Set("x-region", "default");
    if (work->recording) response.headers.Set("history-item-id", work->item.id.Wire());
    response.on_done = [work, deps = &deps, caller,
                        done = std::move(response.on_done)](bool is_whole) {
        if (done) done(is_whole);
        if (is_whole) Keep(work, *deps, caller);
        work->token.reset();
    };
    return response;
}

// Audio on its way to the client and into the recording.
Task<void> Copy(std::shared_ptr<Work> work, std::shared_ptr<BytePipe> out) {
    BytePipe& audio = *work->speech->pipe;
    for (;;) {
        std::optional<std::string> chunk = co_await audio.Read();
        if (!chunk) break;
        if (work->recording) work->recording->Append(*chunk);
        const bool taken = co_await out->Write(*std::move(chunk));
        if (!taken) {
            audio.Abandon();
            co_return;
        }
    }
    if (audio.failed()) {
        out->Fail(*audio.error());
    } else if (audio.abandoned()) {
        out->Fail(Error());
    } else {
        out->Finish();
    }
}

// One JSON object a line, the last one too.
Task<void> WriteLines(std::shared_ptr<Work> work, std::shared_ptr<BytePipe> out) {
    speech::TimedReader reader(work->speech);
    for (;;) {
        Result<std::optional<speech::TimedChunk>> next = co_await reader.Next();
        if (!next) {
            out->Fail(next.error());
            co_return;
        }
        if (!*next) break;
        const speech::TimedChunk& chunk = **next;
        const bool is_nothing =
            chunk.audio.empty() && chunk.characters.empty() && chunk.normalised_characters.empty();
        if (work->recording) work->recording->Append(chunk.audio);
        if (is_nothing) continue;
        std::string line = json::Print(TimedAudio(chunk.audio, Alignment(chunk.characters),
                                                  Alignment(chunk.normalised_characters))) +
                           "\n";
        const bool taken = co_await out->Write(std::move(line));
        if (!taken) {
            work->speech->pipe->Abandon();
            co_return;
        }
    }
    if (work->speech->pipe->abandoned()) {
        out->Fail(Error());
    } else {
        out->Finish();
    }
}

Task<Result<Response>> AnswerWhole(Request& request, const Deps& deps, std::shared_ptr<Work> work,
                                   Shape shape) {
    Result<std::string> audio = co_await deps.speech.Collect(work->speech);
    if (!audio) co_return std::move(audio).error();
    Response response = Answer(request, deps, work);
    if (work->recording) work->recording->Append(*audio);
    if (shape == Shape::kTimed) {
        const speech::Timeline& timeline = work->speech->timeline;
        response.headers.Set("Content-Type", "application/json");
        response.body = json::Print(TimedAudio(*audio, Alignment(timeline.characters),
                                               Alignment(timeline.normalised_characters)));
    } else {
        response.body = *std::move(audio);
    }
    co_return response;
}

Task<Result<Response>> AnswerStream(Request& request, const Deps& deps, std::shared_ptr<Work> work,
                                    Shape shape) {
    const Result<void> first = co_await deps.speech.WaitForAudio(work->speech);
    if (!first) co_return first.error();
    const Executor executor = co_await asio::this_coro::executor;
    Response response = Answer(request, deps, work);
    auto out = std::make_shared<BytePipe>(executor, kPipeBytes);
    out->OnAbandon([pipe = work->speech->pipe] { pipe->Abandon(); });
    if (shape == Shape::kTimedStream) {
        response.headers.Set("Content-Type", "application/x-ndjson");
        Spawn(executor, WriteLines(work, out), "elevenlabs_lines");
        response.body = http::StreamBody{out, std::nullopt};
    } else if (work->recording) {
        Spawn(executor, Copy(work, out), "elevenlabs_copy");
        response.body = http::StreamBody{out, std::nullopt};
    } else {
        response.body = http::StreamBody{work->speech->pipe, std::nullopt};
    }
    co_return response;
}

using ReadBodyOf = Result<SpeechBody> (*)(const Request&);

Task<Response> Speak(Request& request, const Deps& deps, UnderWay& under_way, ReadBodyOf read,
                     Shape shape) {
    Result<SpeechBody> body = read(request);
    if (!body) co_return ErrorResponse(body.error(), request);
    auto work = co_await Start(request, deps, under_way, *std::move(body), shape);
    if (!work) co_return ErrorResponse(work.error(), request);
    Result<Response> response;
    if (shape == Shape::kWhole || shape == Shape::kTimed) {
        response = co_await AnswerWhole(request, deps, *work, shape);
    } else {
        response = co_await AnswerStream(request, deps, *work, shape);
    }
    if (!response) co_return ErrorResponse(response.error(), request);
    co_return *std::move(response);
}

}  // namespace

void AddSpeechRoutes(http::Router& router, const Deps& deps) {
    http::RouteOptions options;
    options.errors = &ErrorResponse;
    options.guard = deps.access.Guard(Scope::kSpeechWrite);
    options.consumes = {"application/json"};
    options.max_body = kMaxBody;
    auto under_way = std::make_shared<UnderWay>();
    const auto add = [&](const char* pattern, ReadBodyOf read, Shape shape) {
        http::Handler inner = [deps = &deps, under_way, read, shape](Request& request) {
            return Speak(request, *deps, *under_way, read, shape);
        };
        router.Add(http::Method::kPost, pattern,
                   deps.idempotency.Wrap(std::move(inner), &ErrorResponse), options);
    };
    add("/v1/text-to-speech/{voice_id}", &ReadSpeech, Shape::kWhole);
    add("/v1/text-to-speech/{voice_id}/stream", &ReadSpeech, Shape::kStream);
    add("/v1/text-to-speech/{voice_id}/with-timestamps", &ReadSpeech, Shape::kTimed);
    add("/v1/text-to-speech/{voice_id}/stream/with-timestamps", &ReadSpeech, Shape::kTimedStream);
    add("/v1/text-to-dialogue", &ReadDialogue, Shape::kWhole);
    add("/v1/text-to-dialogue/stream", &ReadDialogue, Shape::kStream);
}

}  // namespace vf::elevenlabs
