// Packages are recognised and completed; manifests and the catalogue are read strictly.
#include <gmock/gmock.h>

#include <set>

#include "neural/catalogue.hpp"
#include "neural/neural_testing.hpp"
#include "neural/package.hpp"
#include "neural/store.hpp"

namespace vf::neural {
namespace {

using testing::HasSubstr;
using Props = std::map<std::string, std::string>;

const Props kVits = {{"comment", "piper"},
                     {"voice", "en-us"},
                     {"language", "English"},
                     {"n_speakers", "1"},
                     {"sample_rate", "16000"}};
constexpr const char* kPiper = R"({"audio":{"sample_rate":22050,"quality":"medium"},
    "espeak":{"voice":"de"},"inference":{"noise_scale":0.3,"length_scale":1.1,"noise_w":0.7},
    "num_speakers":2,"speaker_id_map":{"Bea & Co":1,"anna":0},"phoneme_type":"espeak",
    "language":{"code":"de_DE","name_english":"German"},
    "phoneme_id_map":{"_":[0],"a":[1,2],"ab":[3],"ʊ":[4]}})";

class Packages : public PackageTest {
protected:
    Result<Package> Read(const PackageHints& hints = {}, const std::string& only = "") {
        return Recognise(folder_, "my-model", only, hints);
    }
    std::string Refusal(const PackageHints& hints = {}) {
        const Result<Package> package = Read(hints);
        return package ? "it was taken" : package.error().message();
    }
};

TEST_F(Packages, MetadataIsReadAndAddedAtTheEnd) {
    const std::filesystem::path file = Put("x.onnx", TinyOnnx({{"old", "1"}}));
    std::ofstream(file, std::ios::app | std::ios::binary)
        << EncodeMetadata({{"new", std::string(300, 'n')}, {"old", "2"}});
    const Result<OnnxInfo> info = ReadOnnx(file);
    ASSERT_TRUE(info) << info.error().message();
    EXPECT_EQ(info->Get("new"), std::string(300, 'n'));
    EXPECT_EQ(info->Get("old"), "2") << "the last one counts";
    EXPECT_EQ(info->Get("none"), "");
    EXPECT_EQ(info->inputs, std::vector<std::string>{"x"});
    EXPECT_EQ(info->outputs, std::vector<std::string>{"y"});
}

TEST_F(Packages, WhatIsNoModelIsRefused) {
    const std::string whole = TinyOnnx(kVits);
    for (std::size_t size = 0; size < whole.size(); ++size) {
        const Result<OnnxInfo> info = ReadOnnx(Put("x.onnx", whole.substr(0, size)));
        // A cut between two entries of the metadata cannot be told from a shorter file.
        if (info) EXPECT_LT(info->metadata.size(), kVits.size());
    }
    EXPECT_THAT(ReadOnnx(Put("x.onnx", "")).error().message(), HasSubstr("is empty"));
    EXPECT_THAT(ReadOnnx(folder_ / "none.onnx").error().message(), HasSubstr("cannot be read"));
    EXPECT_FALSE(ReadOnnx(folder_));
    EXPECT_FALSE(ReadOnnx(Put("x.onnx", std::string(100, '\xff'))));
    EXPECT_FALSE(ReadOnnx(Put("x.onnx", std::string(100, '\0'))));
}

TEST_F(Packages, AStockPiperVoiceGetsWhatItLacks) {
    Put("de_DE-anna-medium.onnx", TinyOnnx());
    Put("de_DE-anna-medium.onnx.json", kPiper);
    const Result<Package> package = Read();
    ASSERT_TRUE(package) << package.error().message();
    const Manifest& manifest = package->manifest;
    EXPECT_EQ(manifest.id, "de_de-anna-medium");
    EXPECT_EQ(manifest.kind, "vits");
    EXPECT_EQ(manifest.sample_rate, 22050);
    EXPECT_EQ(manifest.quality, "high");
    EXPECT_EQ(manifest.parts.data_dir, kSystemData);
    EXPECT_DOUBLE_EQ(manifest.parts.length_scale, 1.1);
    ASSERT_EQ(manifest.speakers.size(), 2U);
    EXPECT_EQ(manifest.speakers[1].voice, "de_de-anna-medium-bea-co");
    EXPECT_EQ(manifest.speakers[1].name, "Anna Bea & Co");
    EXPECT_EQ(manifest.speakers[0].language, "de-DE");
    EXPECT_EQ(package->written.at("tokens.txt"), "_ 0\na 1\nʊ 4\n");
    const Props& added = package->metadata.at("model.onnx");
    EXPECT_EQ(added.at("n_speakers"), "2");
    EXPECT_EQ(added.at("voice"), "de");
    EXPECT_EQ(added.at("comment"), "piper");
    EXPECT_EQ(added.at("language"), "German");
}

TEST_F(Packages, PiperJsonOfAnotherKindIsRefused) {
    Put("x.onnx", TinyOnnx());
    const auto refusal = [&](const std::string& json) {
        Put("x.onnx.json", json);
        return Refusal();
    };
    EXPECT_THAT(refusal("{]"), HasSubstr("x.onnx.json is not JSON"));
    EXPECT_THAT(refusal(""), HasSubstr("empty"));
    EXPECT_THAT(refusal("[]"), HasSubstr("is not JSON"));
    EXPECT_THAT(refusal(R"({"model_type":"whisper"})"), HasSubstr("has no \"audio\""));
    EXPECT_THAT(refusal(R"({"audio":{"sample_rate":1e9},"espeak":{"voice":"en"}})"),
                HasSubstr("sample_rate"));
    EXPECT_THAT(refusal(R"({"audio":{"sample_rate":16000},"espeak":{}})"), HasSubstr("espeak"));
    std::string text = kPiper;
    text.replace(text.find("espeak\",\n    \"language"), 6, "text");
    EXPECT_THAT(refusal(text), HasSubstr("phonemised by espeak"));
    text = kPiper;
    text.replace(text.find("\"anna\":0"), 8, "\"anna\":9");
    EXPECT_THAT(refusal(text), HasSubstr("speaker_id_map"));
}

TEST_F(Packages, ModelsWithMetadataAreTakenAsTheyAre) {
    Put("en_US-amy-low.onnx", TinyOnnx(kVits));
    EXPECT_THAT(Refusal(), HasSubstr("tokens.txt is missing"));
    Put("tokens.txt", "_ 0\n");
    Put("espeak-ng-data/phontab", "");
    Put("MODEL_CARD", "* Dataset: x\n* License: CC BY 4.0\n");
    const Result<Package> package = Read();
    ASSERT_TRUE(package) << package.error().message();
    EXPECT_EQ(package->manifest.id, "my-model");
    EXPECT_EQ(package->manifest.licence, "CC BY 4.0");
    EXPECT_EQ(package->manifest.speakers.at(0).language, "en-US");
    EXPECT_EQ(package->manifest.parts.data_dir, "espeak-ng-data");
    EXPECT_TRUE(package->metadata.empty());
    EXPECT_EQ(package->contents.at("model.onnx"), folder_ / "en_US-amy-low.onnx");
}

TEST_F(Packages, KokorosNamesTellLanguageAndGender) {
    Put("model.onnx", TinyOnnx({{"model_type", "kokoro"},
                                {"sample_rate", "24000"},
                                {"voice", "en-us"},
                                {"n_speakers", "4"},
                                {"style_dim", "510,1,256"},
                                {"speaker_names", "af_sky,bm_george,jf_alpha,zf_xiaobei"}}));
    Put("model.int8.onnx", TinyOnnx({{"model_type", "kokoro"}, {"sample_rate", "8000"}}));
    Put("tokens.txt", "_ 0\n");
    EXPECT_THAT(Refusal(), HasSubstr("voices.bin is missing"));
    Put("voices.bin", "");
    Put("lexicon-zh.txt", "");
    Put("lexicon-us-en.txt", "");
    const Result<Package> package = Read();
    ASSERT_TRUE(package) << package.error().message();
    EXPECT_EQ(package->manifest.sample_rate, 24000) << "not the smaller export";
    EXPECT_EQ(package->manifest.parts.lexicon, "lexicon-us-en.txt,lexicon-zh.txt");
    const std::vector<Speaker>& speakers = package->manifest.speakers;
    ASSERT_EQ(speakers.size(), 3U) << "without the Japanese one";
    EXPECT_EQ(speakers[1].voice, "my-model-bm_george");
    EXPECT_EQ(speakers[1].name, "George");
    EXPECT_EQ(speakers[1].gender, "male");
    EXPECT_EQ(speakers[1].language, "en-GB");
    EXPECT_EQ(speakers[2].number, 3);
    EXPECT_EQ(speakers[2].language, "zh-CN");
}

TEST_F(Packages, MatchaNeedsItsVocoder) {
    Put("model-steps-3.onnx", TinyOnnx({{"model_type", "matcha-tts"},
                                        {"sample_rate", "22050"},
                                        {"language", "English"},
                                        {"use_eos_bos", "1"},
                                        {"pad_id", "0"}}));
    Put("tokens.txt", "_ 0\n");
    EXPECT_THAT(Refusal(), HasSubstr("without its vocoder"));
    Put("vocos.onnx", TinyOnnx({{"model_type", "vocos"}}));
    const Result<Package> package = Read();
    ASSERT_TRUE(package) << package.error().message();
    EXPECT_EQ(package->manifest.kind, "matcha");
    EXPECT_EQ(package->contents.at("vocoder.onnx"), folder_ / "vocos.onnx");
    EXPECT_EQ(package->manifest.speakers.at(0).language, "en");
}

TEST_F(Packages, WhatIsMissingIsNamed) {
    EXPECT_THAT(Refusal(), HasSubstr("no .onnx file"));
    Put("a.onnx", TinyOnnx());
    EXPECT_THAT(Refusal(), HasSubstr("neither a a.onnx.json beside it"));
    Put("a.onnx.json", kPiper);
    Put("b.onnx", TinyOnnx());
    Put("b.onnx.json", kPiper);
    EXPECT_THAT(Refusal(), HasSubstr("holds 2 voices"));
    EXPECT_TRUE(Read({}, "b.onnx")) << "when one is named";
    EXPECT_THAT(Read({}, "../b.onnx").error().message(), HasSubstr("cannot be read"));
    Props silent = kVits;
    silent["voice"] = silent["language"] = "";
    Put("a.onnx", TinyOnnx(silent));
    Put("tokens.txt", "_ 0\n");
    EXPECT_THAT(Refusal(), HasSubstr("give --language"));
    const Result<Package> told = Read({"Own Id", "cy-GB", "CC0"});
    ASSERT_TRUE(told) << told.error().message();
    EXPECT_EQ(told->manifest.id, "own-id");
    EXPECT_EQ(told->manifest.speakers.at(0).language, "cy-GB");
    EXPECT_EQ(told->manifest.licence, "CC0");
    EXPECT_THAT(Refusal({"", "Welsh!", ""}), HasSubstr("--language"));
    EXPECT_THAT(Refusal({"", "", std::string(61, 'x')}), HasSubstr("--licence"));
    EXPECT_THAT(Refusal({"...", "", ""}), HasSubstr("--id"));
}

TEST(Names, AreMadeSafe) {
    EXPECT_EQ(SafeId("en_US-Lessac (new!)-medium"), "en_us-lessac-new-medium");
    EXPECT_EQ(SafeId("../../etc"), "etc");
    EXPECT_EQ(SafeId("pt_PT-tugão"), "pt_pt-tug-o");
    EXPECT_EQ(SafeId("---"), "");
    EXPECT_TRUE(IsModelId(SafeId(std::string(200, 'x'))));
    EXPECT_EQ(LanguageTag("en_US"), "en-US");
    EXPECT_EQ(LanguageTag("en-us-nyc"), "en-US");
    EXPECT_EQ(LanguageTag("cmn"), "zh");
    EXPECT_EQ(LanguageTag("hello"), "");
    EXPECT_EQ(LanguageTag(""), "");
    EXPECT_EQ(PeopleName("en_us-libritts_r-medium"), "Libritts r");
    EXPECT_EQ(PeopleName("kokoro"), "Kokoro");
    Manifest many;
    many.id = "m";
    many.speakers = {{0, "Zoë", "Zo\n\x01\xC3\xAB", "en", "neutral"},
                     {1, "zo-", std::string(59, 'x') + "\xC3\xAB", "en", "neutral"},
                     {2, "", "\xff", "en", "neutral"}};
    NameVoices(many);
    EXPECT_EQ(many.speakers[0].name, "Zo\xC3\xAB");
    EXPECT_EQ(many.speakers[0].voice, "m-zo");
    EXPECT_EQ(many.speakers[1].name, std::string(59, 'x')) << "no half characters";
    EXPECT_EQ(many.speakers[1].voice, "m-1") << "each voice has its own id";
    EXPECT_EQ(many.speakers[2].name, "m");
    EXPECT_EQ(many.speakers[2].voice, "m-2");
}

Manifest SomeManifest() {
    Manifest manifest;
    manifest.id = "toy";
    manifest.kind = "vits";
    manifest.quality = "high";
    manifest.sample_rate = 22050;
    manifest.gain_db = -3.5;
    manifest.licence = "a \"quoted\" licence\\";
    manifest.parts.model = "model.onnx";
    manifest.parts.tokens = "tokens.txt";
    manifest.parts.noise_scale = 0.667;
    manifest.speakers.push_back({0, "toy", "Toy", "en-US", "female"});
    manifest.files.push_back({"espeak-ng-data/lang/en", 3, std::string(64, 'a')});
    return manifest;
}

TEST(Manifests, ComeBackAsTheyWereWritten) {
    const Manifest before = SomeManifest();
    const Result<Manifest> after = ParseManifest(WriteManifest(before));
    ASSERT_TRUE(after) << after.error().message();
    EXPECT_EQ(after->id, before.id);
    EXPECT_EQ(after->licence, before.licence);
    EXPECT_DOUBLE_EQ(after->gain_db, -3.5);
    EXPECT_DOUBLE_EQ(after->parts.noise_scale, 0.667);
    EXPECT_EQ(after->speakers.at(0).gender, "female");
    EXPECT_EQ(after->files.at(0).path, "espeak-ng-data/lang/en");
}

TEST(Manifests, ThatLeaveTheirFolderAreRefused) {
    const auto refusal = [](auto change) {
        Manifest manifest = SomeManifest();
        change(manifest);
        const Result<Manifest> read = ParseManifest(WriteManifest(manifest));
        return read ? "it was taken" : read.error().message();
    };
    using M = Manifest&;
    EXPECT_THAT(refusal([](M m) { m.parts.model = "/etc/passwd"; }), HasSubstr("'model'"));
    EXPECT_THAT(refusal([](M m) { m.parts.tokens = "../tokens.txt"; }), HasSubstr("'tokens'"));
    EXPECT_THAT(refusal([](M m) { m.parts.lexicon = "a.txt,../b.txt"; }), HasSubstr("'lexicon'"));
    EXPECT_THAT(refusal([](M m) { m.files[0].path = "a/../../b"; }), HasSubstr("'path'"));
    EXPECT_THAT(refusal([](M m) { m.id = "../x"; }), HasSubstr("'id'"));
    EXPECT_THAT(refusal([](M m) { m.speakers.clear(); }), HasSubstr("[[speaker]]"));
    EXPECT_THAT(refusal([](M m) { m.speakers.push_back(m.speakers[0]); }), HasSubstr("voice's id"));
    EXPECT_THAT(refusal([](M m) { m.files[0].sha256 = "abc"; }), HasSubstr("64"));
    EXPECT_THAT(ParseManifest("id = ").error().message(), HasSubstr("line 1"));
    EXPECT_THAT(ParseManifest("format = 2").error().message(), HasSubstr("another version"));
    EXPECT_FALSE(ParseManifest(""));
}

class Stores : public PackageTest {
protected:
    // An installed model with one file.
    InstalledModel Model() {
        Manifest manifest = SomeManifest();
        const std::filesystem::path file = Put("models/toy/model.onnx", "abc");
        manifest.files = {{"model.onnx", 3, *Sha256OfFile(file)}};
        Put("models/toy/manifest.toml", WriteManifest(manifest));
        return *store_.Find("toy");
    }
    ModelStore store_{folder_};
};

TEST_F(Stores, ADamagedModelIsFound) {
    EXPECT_TRUE(ModelStore::Verify(Model(), true));
    const auto refusal = [&](bool with_hashes) {
        const Result<void> sound = ModelStore::Verify(*store_.Find("toy"), with_hashes);
        return sound ? "sound" : sound.error().message();
    };
    Put("models/toy/model.onnx", "abd");
    EXPECT_EQ(refusal(false), "sound") << "by its size";
    EXPECT_THAT(refusal(true), HasSubstr("other bytes"));
    Put("models/toy/model.onnx", "ab");
    EXPECT_THAT(refusal(false), HasSubstr("2 bytes instead of 3"));
    std::filesystem::remove(folder_ / "models/toy/model.onnx");
    EXPECT_THAT(refusal(false), HasSubstr("missing"));
    Put("models/toy/manifest.toml", "rubbish");
    EXPECT_THAT(refusal(false), HasSubstr("manifest.toml: line 1"));
}

TEST_F(Stores, OnlyWholeModelsAreListed) {
    EXPECT_TRUE(store_.List().empty());
    const InstalledModel toy = Model();
    Put("models/.staging-install/model/manifest.toml", "");
    Put("models/Bad Name/manifest.toml", "");
    Put("models/file", "");
    Put("models/empty/x", "");
    const std::vector<InstalledModel> models = store_.List();
    ASSERT_EQ(models.size(), 2U);
    EXPECT_FALSE(models[0].manifest) << "one without a manifest is told";
    EXPECT_EQ(models[1].stamp, toy.stamp);
    EXPECT_FALSE(store_.Find("../models/toy"));
}

TEST_F(Stores, OneCommandAtATimeAndNothingIsLeft) {
    Put("models/.staging-install/open/x", "of a command that was killed");
    {
        const Result<StoreLock> lock = store_.Lock();
        ASSERT_TRUE(lock) << lock.error().message();
        EXPECT_FALSE(std::filesystem::exists(folder_ / "models/.staging-install"));
        EXPECT_EQ(store_.Lock().error().code(), "models_locked");
    }
    EXPECT_TRUE(store_.Lock());
}

TEST_F(Stores, APublishedFolderTakesTheOldOnesPlace) {
    const InstalledModel old = Model();
    const Result<std::filesystem::path> staged = store_.Stage("install");
    ASSERT_TRUE(staged);
    Put("models/.staging-install/model.onnx", "new");
    ASSERT_TRUE(store_.Publish(*staged, "toy"));
    EXPECT_EQ(Get(folder_ / "models/toy/model.onnx"), "new");
    EXPECT_EQ(Get(*staged / "model.onnx"), "abc") << "the old one, to be cleared";
    ASSERT_TRUE(store_.Remove("toy"));
    EXPECT_EQ(store_.Remove("toy").error().code(), "model_not_found");
    EXPECT_EQ(store_.Remove("..").error().code(), "model_not_found");
}

TEST(KnownModels, AreReadStrictly) {
    const auto known =
        LoadKnownModels(std::filesystem::path(VF_SOURCE_DIR) / "models/catalogue.toml");
    ASSERT_TRUE(known) << known.error().message();
    std::set<std::string> names;
    for (const KnownModel& model : *known) {
        EXPECT_TRUE(names.insert(model.name).second) << model.name;
        EXPECT_FALSE(model.languages.empty()) << model.name;
        for (const KnownFile& file : model.files) EXPECT_TRUE(file.url.starts_with("https://"));
    }
    EXPECT_TRUE(names.contains("piper/en_US-lessac-medium"));
    const auto refusal = [](const char* text) {
        const auto read = ParseKnownModels(text, "c.toml");
        return read ? "it was taken" : read.error().message();
    };
    EXPECT_THAT(refusal("[[model]]\nname = 1\nfiles = [\"x\"]"), HasSubstr("c.toml, line 2"));
    EXPECT_THAT(refusal("[[model]]\nname = \"x\""), HasSubstr("'files'"));
    EXPECT_THAT(refusal("[[model]]\nname=\"x\"\nfiles=[{url=\"u\",sha256=\"1\"}]"),
                HasSubstr("64 digits"));
    EXPECT_THAT(refusal("[["), HasSubstr("line 1"));
}

}  // namespace
}  // namespace vf::neural
