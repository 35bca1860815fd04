// Header and library agree: every field that is set under its name in the header comes out of the
// library under the same name. The structures carry no size, so nothing else would notice.
#include "sherpa/library.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <list>

namespace vf::worker {
namespace {

using testing::HasSubstr;

constexpr const char* kFolder = VF_BINARY_DIR "/../lib/voiceflow";

// Gives each field a value of its own and knows how the library prints it.
class Filler {
public:
    void Text(const char*& field, const std::string& name) {
        kept_.push_back(fmt::format("/nowhere/{}-{}", name, ++count_));
        field = kept_.back().c_str();
        expected_.push_back(kept_.back());
    }
    void Real(float& field, const std::string& name) {
        field = static_cast<float>(++count_) + 0.5F;
        expected_.push_back(fmt::format("{}={}", name, field));
    }
    void Whole(std::int32_t& field, const std::string& name) {
        field = 1'000 + ++count_;
        expected_.push_back(fmt::format("{}={}", name, field));
    }
    const std::list<std::string>& expected() const { return expected_; }

private:
    std::list<std::string> kept_;
    std::list<std::string> expected_;
    int count_ = 0;
};

void FillModels(SherpaOnnxOfflineTtsModelConfig& model, Filler& fill) {
    fill.Text(model.vits.model, "vits-model");
    fill.Text(model.vits.lexicon, "vits-lexicon");
    fill.Text(model.vits.tokens, "vits-tokens");
    fill.Text(model.vits.data_dir, "vits-data");
    fill.Real(model.vits.noise_scale, "noise_scale");
    fill.Real(model.vits.noise_scale_w, "noise_scale_w");
    fill.Real(model.vits.length_scale, "length_scale");
    fill.Text(model.matcha.acoustic_model, "matcha-model");
    fill.Text(model.matcha.vocoder, "matcha-vocoder");
    fill.Text(model.matcha.lexicon, "matcha-lexicon");
    fill.Text(model.matcha.tokens, "matcha-tokens");
    fill.Text(model.matcha.data_dir, "matcha-data");
    fill.Real(model.matcha.noise_scale, "noise_scale");
    fill.Real(model.matcha.length_scale, "length_scale");
    fill.Text(model.kokoro.model, "kokoro-model");
    fill.Text(model.kokoro.voices, "kokoro-voices");
    fill.Text(model.kokoro.tokens, "kokoro-tokens");
    fill.Text(model.kokoro.data_dir, "kokoro-data");
    fill.Real(model.kokoro.length_scale, "length_scale");
    fill.Text(model.kokoro.lexicon, "kokoro-lexicon");
    fill.Text(model.kokoro.lang, "kokoro-lang");
    fill.Text(model.kitten.model, "kitten-model");
    fill.Text(model.kitten.voices, "kitten-voices");
    fill.Text(model.kitten.tokens, "kitten-tokens");
    fill.Text(model.kitten.data_dir, "kitten-data");
    fill.Real(model.kitten.length_scale, "length_scale");
    fill.Whole(model.num_threads, "num_threads");
    fill.Text(model.provider, "provider");
}

TEST(SherpaLibrary, PrintsEveryFieldUnderItsName) {
    const Result<SherpaLibrary> library = OpenSherpa(kFolder);
    ASSERT_TRUE(library) << library.error().message();
    EXPECT_STREQ(library->version(), VF_SHERPA_VERSION);
    Filler fill;
    SherpaOnnxOfflineTtsConfig config{};
    FillModels(config.model, fill);
    fill.Text(config.rule_fsts, "rule-fsts");
    fill.Text(config.rule_fars, "rule-fars");
    fill.Whole(config.max_num_sentences, "max_num_sentences");
    fill.Real(config.silence_scale, "silence_scale");
    config.model.debug = 1;
    testing::internal::CaptureStderr();
    // No such file: it prints what it was given and refuses.
    EXPECT_EQ(library->create(&config), nullptr);
    const std::string printed = testing::internal::GetCapturedStderr();
    for (const std::string& expected : fill.expected()) EXPECT_THAT(printed, HasSubstr(expected));
}

TEST(SherpaLibrary, AFolderWithoutItIsToldWithItsName) {
    const Result<SherpaLibrary> library = OpenSherpa("/nowhere/at/all");
    ASSERT_FALSE(library);
    EXPECT_EQ(library.error().code(), "library_missing");
    EXPECT_THAT(library.error().message(), HasSubstr("/nowhere/at/all/libonnxruntime.so"));
}

}  // namespace
}  // namespace vf::worker
