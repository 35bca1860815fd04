// Every format: an independent decoder gets back what was written; streams and files have the
// headers they should have; the cut into calls is invisible.
#include "audio/encoder.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "audio/test_audio.hpp"

namespace vf::audio {
namespace {

std::vector<std::string> InputOptions(Format format, int rate) {
    switch (format) {
        case Format::kPcm: return {"-f", "s16le", "-ar", std::to_string(rate), "-ac", "1"};
        case Format::kPcmFloat: return {"-f", "f32le", "-ar", std::to_string(rate), "-ac", "1"};
        case Format::kUlaw:
        case Format::kPcmu: return {"-f", "mulaw", "-ar", std::to_string(rate), "-ac", "1"};
        case Format::kAlaw:
        case Format::kPcma: return {"-f", "alaw", "-ar", std::to_string(rate), "-ac", "1"};
        default: return {};
    }
}

std::string Stream(std::span<const float> samples, const EncoderOptions& options, unsigned seed,
                   std::size_t longest = 3000) {
    auto encoder = MakeEncoder(options);
    EXPECT_TRUE(encoder.ok());
    std::string bytes;
    InRandomPieces(samples, longest, seed,
                   [&](std::span<const float> piece) { bytes += (*encoder)->Write(piece); });
    return bytes + (*encoder)->Finish();
}

std::uint32_t U32(const std::string& bytes, std::size_t at) {
    std::uint32_t value = 0;
    for (int i = 3; i >= 0; --i) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
    return value;
}

class EveryFormat : public testing::TestWithParam<Format> {};
INSTANTIATE_TEST_SUITE_P(Audio, EveryFormat,
                         testing::Values(Format::kWav, Format::kMp3, Format::kOpus, Format::kFlac,
                                         Format::kAac, Format::kPcm, Format::kUlaw, Format::kAlaw,
                                         Format::kPcmFloat, Format::kWavFloat, Format::kWavUlaw,
                                         Format::kWavAlaw, Format::kPcmu, Format::kPcma),
                         [](const auto& param) { return std::string(InfoOf(param.param).name); });

TEST_P(EveryFormat, DecodesToTheSameToneAtEveryRate) {
    const FormatInfo& info = InfoOf(GetParam());
    for (const int rate : info.sample_rates) {
        for (const bool whole : {false, true}) {
            const auto tone = Tone(rate, 440, 2.0, 0.25);
            const EncoderOptions options{.format = info.format, .sample_rate = rate};
            const std::string bytes =
                whole ? EncodeWhole(tone, options).value() : Stream(tone, options, 1);
            std::string complaints;
            const auto decoded = Decode(bytes, std::string(info.extension), rate,
                                        InputOptions(info.format, rate), &complaints);
            SCOPED_TRACE(std::to_string(rate) + (whole ? " whole " : " stream ") + complaints);
            const double seconds = static_cast<double>(decoded.size()) / rate;
            EXPECT_NEAR(seconds, 2.0, 0.165);
            ASSERT_GT(decoded.size(), tone.size() / 2);
            const auto middle = std::span(decoded).subspan(decoded.size() / 4, decoded.size() / 2);
            EXPECT_NEAR(AmplitudeAt(middle, rate, 440), 0.25, 0.02);
            EXPECT_NEAR(Rms(middle), 0.25 / std::sqrt(2), 0.02);
            // ffmpeg grumbles at WAV without a size, and reads it.
            if (info.format != Format::kWav || whole) EXPECT_EQ(complaints, "");
        }
    }
}

TEST_P(EveryFormat, DurationStaysWithinOnePercentOr150MsAtTheDefaultRate) {
    const FormatInfo& info = InfoOf(GetParam());
    for (const double seconds : {0.1, 0.5, 1.0, 3.337}) {
        const auto tone = Tone(info.default_rate, 300, seconds, 0.25);
        const EncoderOptions options{.format = info.format, .sample_rate = info.default_rate};
        const auto decoded =
            Decode(Stream(tone, options, 7), std::string(info.extension), info.default_rate,
                   InputOptions(info.format, info.default_rate), nullptr);
        EXPECT_NEAR(static_cast<double>(decoded.size()) / info.default_rate, seconds,
                    std::max(0.15, seconds * 0.01));
        // Nothing is lost at the end.
        EXPECT_GE(decoded.size(), tone.size());
    }
}

TEST_P(EveryFormat, TheCutIntoCallsDoesNotChangeAByte) {
    const FormatInfo& info = InfoOf(GetParam());
    const auto noise = Noise(info.default_rate, 1.3, 0.5, 3);
    const EncoderOptions options{.format = info.format, .sample_rate = info.default_rate};
    auto one = MakeEncoder(options);
    std::string expected = (*one)->Write(noise);
    expected += (*one)->Finish();
    for (const std::size_t longest : {7U, 500U, 5000U}) {
        EXPECT_TRUE(Stream(noise, options, 11, longest) == expected) << longest;
    }
}

TEST_P(EveryFormat, EmptyAndTinyInputsAreLegalFiles) {
    const FormatInfo& info = InfoOf(GetParam());
    const EncoderOptions options{.format = info.format, .sample_rate = info.default_rate};
    const bool raw = !InputOptions(info.format, info.default_rate).empty();
    for (const std::size_t length : {0U, 1U, 17U}) {
        const std::vector<float> samples(length, 0.1F);
        for (const std::string& bytes :
             {Stream(samples, options, 1), EncodeWhole(samples, options).value()}) {
            if (raw && length == 0) {
                EXPECT_EQ(bytes, "");
                continue;
            }
            std::string complaints;
            const auto decoded = Decode(bytes, std::string(info.extension), info.default_rate,
                                        InputOptions(info.format, info.default_rate), &complaints);
            EXPECT_LE(decoded.size(), length + static_cast<std::size_t>(info.default_rate) / 6)
                << complaints;
            if (length > 0) EXPECT_GE(decoded.size(), length) << complaints;
        }
    }
}

TEST_P(EveryFormat, ClampsWhatIsTooLoudOrNotANumber) {
    const FormatInfo& info = InfoOf(GetParam());
    std::vector<float> samples(4000, 3.0F);
    samples[10] = std::numeric_limits<float>::quiet_NaN();
    samples[11] = -std::numeric_limits<float>::infinity();
    const EncoderOptions options{.format = info.format, .sample_rate = info.default_rate};
    const std::string bytes = Stream(samples, options, 5);
    const auto decoded = Decode(bytes, std::string(info.extension), info.default_rate,
                                InputOptions(info.format, info.default_rate), nullptr);
    ASSERT_GE(decoded.size(), samples.size());
    EXPECT_TRUE(std::all_of(decoded.begin(), decoded.end(),
                            [](float sample) { return std::abs(sample) < 2; }));
}

TEST(Encoder, WavSaysItsSizesOnlyWhenTheyAreKnown) {
    const auto tone = Tone(24000, 440, 0.25);
    const EncoderOptions options{.format = Format::kWav};
    const std::string stream = Stream(tone, options, 2);
    EXPECT_EQ(stream.size(), 44 + tone.size() * 2);
    EXPECT_EQ(U32(stream, 4), 0xFFFFFFFF);
    EXPECT_EQ(U32(stream, 40), 0xFFFFFFFF);
    const std::string whole = EncodeWhole(tone, options).value();
    EXPECT_EQ(U32(whole, 4), whole.size() - 8);
    EXPECT_EQ(U32(whole, 40), tone.size() * 2);
    EXPECT_EQ(whole.substr(44), stream.substr(44));
}

TEST(Encoder, TheExactHeaderFitsOverAStreamThatWasKept) {
    const auto tone = Tone(24000, 440, 0.25);
    for (const Format format : {Format::kWav, Format::kFlac}) {
        auto encoder = MakeEncoder({.format = format});
        std::string bytes = (*encoder)->Write(tone);
        bytes += (*encoder)->Finish();
        const std::string header = (*encoder)->Header();
        EXPECT_TRUE(bytes.replace(0, header.size(), header) ==
                    EncodeWhole(tone, {.format = format}).value());
    }
}

TEST(Encoder, FlacCarriesLengthAndChecksum) {
    const auto tone = Tone(24000, 440, 0.25);
    const std::string whole = EncodeWhole(tone, {.format = Format::kFlac}).value();
    const auto length =
        static_cast<unsigned char>(whole[24]) << 8 | static_cast<unsigned char>(whole[25]);
    EXPECT_EQ(static_cast<std::size_t>(length), tone.size());
    EXPECT_NE(whole.substr(26, 16), std::string(16, '\0'));
    EXPECT_EQ(Decode(whole, "flac", 24000, {}, nullptr).size(), tone.size());
}

TEST(Encoder, Mp3HasAnInfoFrameOnlyAsAWholeFile) {
    const auto tone = Tone(24000, 440, 1.0);
    const EncoderOptions options{.format = Format::kMp3};
    const std::string stream = Stream(tone, options, 2);
    const std::string whole = EncodeWhole(tone, options).value();
    const auto has_tag = [](const std::string& bytes) {
        return bytes.substr(0, 200).find("Info") != std::string::npos ||
               bytes.substr(0, 200).find("Xing") != std::string::npos;
    };
    EXPECT_FALSE(has_tag(stream));
    EXPECT_TRUE(has_tag(whole));
    // With it decoders cut delay and padding to the sample.
    EXPECT_EQ(Decode(whole, "mp3", 24000, {}, nullptr).size(), tone.size());
}

TEST(Encoder, AacLosesNeitherBeginningNorEnd) {
    // A click at both ends: the decoder gives them back as far apart as they were.
    std::vector<float> clicks(20000);
    clicks.front() = clicks[1] = 0.9F;
    clicks.back() = clicks[clicks.size() - 2] = 0.9F;
    const auto decoded =
        Decode(EncodeWhole(clicks, {.format = Format::kAac}).value(), "aac", 24000, {}, nullptr);
    ASSERT_GE(decoded.size(), clicks.size() + 1600);
    const auto loudest = [&](std::size_t begin, std::size_t end) {
        return std::max_element(decoded.begin() + static_cast<std::ptrdiff_t>(begin),
                                decoded.begin() + static_cast<std::ptrdiff_t>(end)) -
               decoded.begin();
    };
    EXPECT_NEAR(static_cast<double>(loudest(0, 10000)), 1600, 2);
    EXPECT_NEAR(static_cast<double>(loudest(10000, decoded.size())), 1600 + 19999, 2);
}

TEST(Encoder, OpusEndsWithTheLastPageAndStartsEarly) {
    const auto tone = Tone(24000, 440, 2.0);
    auto encoder = MakeEncoder({.format = Format::kOpus});
    std::string bytes = (*encoder)->Write({});
    EXPECT_EQ(bytes.substr(0, 4), "OggS");
    const std::size_t headers = bytes.size();
    std::size_t first_sound = 0;
    std::size_t at = 0;
    for (; at + 240 <= tone.size(); at += 240) {
        bytes += (*encoder)->Write(std::span(tone).subspan(at, 240));
        if (first_sound == 0 && bytes.size() > headers) first_sound = at + 240;
    }
    EXPECT_LE(first_sound, 24000 * 60 / 1000);
    bytes += (*encoder)->Finish();
    const std::size_t last_page = bytes.rfind("OggS");
    ASSERT_NE(last_page, std::string::npos);
    EXPECT_EQ(bytes[last_page + 5] & 4, 4);  // end of stream
    EXPECT_EQ(Decode(bytes, "ogg", 24000, {}, nullptr).size(), tone.size());
    std::size_t pages = 0;
    for (std::size_t page = 0; (page = bytes.find("OggS", page)) != std::string::npos; ++page) {
        ++pages;
    }
    EXPECT_NEAR(static_cast<double>(pages), 23, 5);  // one each 100 ms, and the headers
}

TEST(Encoder, OpusClosesAfterAnyNumberOfSamples) {
    for (const int rate : InfoOf(Format::kOpus).sample_rates) {
        const auto tone = Tone(rate, 440, 0.06);
        for (std::size_t length = 0; length < tone.size(); length += length < 20 ? 1 : 97) {
            const auto part = std::span(tone).first(length);
            EXPECT_FALSE(Stream(part, {.format = Format::kOpus, .sample_rate = rate}, 1).empty());
        }
    }
}

TEST(Encoder, SoundComesOutSoonInEveryFormat) {
    for (const FormatInfo& info : Formats()) {
        auto encoder = MakeEncoder({.format = info.format, .sample_rate = info.default_rate});
        const std::size_t header = (*encoder)->Write({}).size();
        const auto noise = Noise(info.default_rate, 1, 0.3, 1);
        std::size_t needed = 0;
        for (std::size_t at = 0; at + 80 <= noise.size() && needed == 0; at += 80) {
            if (!(*encoder)->Write(std::span(noise).subspan(at, 80)).empty()) needed = at + 80;
        }
        EXPECT_LE(static_cast<double>(needed) / info.default_rate, 0.11) << info.name;
        EXPECT_LE(header, 300U);
    }
}

TEST(Encoder, FormatsForVendorsAreNotOffered) {
    EXPECT_EQ(Formats().size(), 8U);
    for (const char* name : {"pcm_f32le", "wav_f32le", "wav_ulaw", "wav_alaw", "pcmu", "pcma"}) {
        EXPECT_EQ(FindFormat(name), nullptr) << name;
    }
    EXPECT_EQ(CheckRate(Format::kPcmu, 44100).value(), 44100);
}

TEST(Encoder, RefusesWhatTheFormatDoesNotHave) {
    EXPECT_EQ(FindFormat("ogg"), nullptr);
    EXPECT_EQ(FindFormat("WAV"), nullptr);
    ASSERT_NE(FindFormat("alaw"), nullptr);
    EXPECT_EQ(FindFormat("alaw")->media_type, "audio/PCMA");
    EXPECT_EQ(CheckRate(Format::kUlaw, 0).value(), 8000);
    EXPECT_EQ(CheckRate(Format::kMp3, 0).value(), 24000);
    const auto wrong = CheckRate(Format::kOpus, 44100);
    ASSERT_FALSE(wrong);
    EXPECT_EQ(wrong.error().kind(), ErrorKind::kInvalid);
    EXPECT_EQ(wrong.error().message(),
              "The format opus has the sample rates 8000, 12000, 16000, 24000 and 48000 Hz.");
    EXPECT_FALSE(MakeEncoder({.format = Format::kAac, .sample_rate = 8000}));
    EXPECT_FALSE(MakeEncoder({.format = Format::kMp3, .sample_rate = -1}));
    EXPECT_FALSE(MakeEncoder({.format = Format::kWav, .bit_rate = 64000}));
    EXPECT_FALSE(MakeEncoder({.format = Format::kMp3, .bit_rate = 999000}));
    EXPECT_TRUE(MakeEncoder({.format = Format::kMp3, .bit_rate = 96000}));
}

TEST(Encoder, G711MatchesTheStandardsOwnValues) {
    // Decoder output values of G.711, tables 1a and 2a, through an independent decoder.
    std::vector<float> ramp;
    for (int value = -32768; value < 32768; value += 61)
        ramp.push_back(static_cast<float>(value) / 32768);
    for (const Format format : {Format::kUlaw, Format::kAlaw}) {
        const std::string bytes = Stream(ramp, {.format = format, .sample_rate = 8000}, 1);
        const auto decoded = Decode(bytes, "raw", 8000, InputOptions(format, 8000), nullptr);
        ASSERT_EQ(decoded.size(), ramp.size());
        for (std::size_t i = 0; i < ramp.size(); ++i) {
            // Half a step: 1/32 of the value, and a fixed part near zero.
            EXPECT_NEAR(decoded[i], ramp[i], std::abs(ramp[i]) / 31 + 0.0006) << ramp[i];
        }
    }
    const std::vector<float> silence(3, 0.0F);
    EXPECT_EQ(Stream(silence, {.format = Format::kUlaw, .sample_rate = 8000}, 1), "\xFF\xFF\xFF");
    EXPECT_EQ(Stream(silence, {.format = Format::kAlaw, .sample_rate = 8000}, 1), "\xD5\xD5\xD5");
}

}  // namespace
}  // namespace vf::audio
