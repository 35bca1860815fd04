// Models that come and go: pools of their own, voices that join and leave the catalogue.
#include <csignal>

#include "engines/engines_fixture.hpp"
#include "engines/spawn_plans.hpp"

namespace vf::engines {
namespace {

using namespace std::chrono_literals;

// The fake worker plays the one that loads models.
class EnginesModels : public EnginesTest {
protected:
    EnginesModels() {
        options_.enable = "";
        options_.worker_dir = FolderWith("sherpa");
        options_.model_start_timeout = 20s;
        folder_ = testing::TempDir();
    }
    void Add(const std::string& id) {
        engines_->AddModel({id, folder_});
        Run(engines_->WaitModels());
    }
    std::string folder_;
};

TEST_F(EnginesModels, AModelBringsItsVoicesAndTakesThemAway) {
    Start();
    EXPECT_FALSE(engines_->ready());
    EXPECT_EQ(Speak("fake-tone", "hello").error, "voice_not_found");
    Add("toy");
    EXPECT_TRUE(engines_->ready());
    const Voice* voice = engines_->catalogue().Find("fake-tone");
    ASSERT_NE(voice, nullptr);
    EXPECT_EQ(voice->model, "toy");
    EXPECT_EQ(Stats().name, "sherpa:toy");
    EXPECT_TRUE(Speak("fake-tone", "hello").complete);
    engines_->RemoveModel("toy");
    EXPECT_EQ(engines_->catalogue().Find("fake-tone"), nullptr);
    EXPECT_TRUE(engines_->catalogue().All().empty());
    EXPECT_EQ(voice->id, "fake-tone") << "still there for whoever holds it";
}

TEST_F(EnginesModels, WhatIsBeingSpokenEndsWhole) {
    Start();
    Add("toy");
    auto utterance = Begin("fake-slow", "patience");
    ASSERT_TRUE(utterance);
    engines_->RemoveModel("toy");
    Spoken spoken;
    Drain(**utterance, spoken);
    EXPECT_TRUE(spoken.complete) << spoken.error;
    // The next sentence of the same request.
    EXPECT_TRUE(Speak("fake-tone", "hello").complete);
}

TEST_F(EnginesModels, TheProcessesOfARemovedModelEnd) {
    options_.segment_timeout = 1s;
    Start();
    Add("toy");
    EXPECT_EQ(engines_->WorkerPidsForTest("sherpa:toy").size(), 1U);
    engines_->RemoveModel("toy");
    Until([&] { return engines_->stats().empty(); });
    EXPECT_EQ(Speak("fake-tone", "hello").error, "voice_not_found");
}

TEST_F(EnginesModels, AModelIsReplacedByItsNextVersion) {
    Start();
    Add("toy");
    const Voice* before = engines_->catalogue().Find("fake-tone");
    const std::vector<int> pids = engines_->WorkerPidsForTest("sherpa:toy");
    engines_->RemoveModel("toy");
    Add("toy");
    EXPECT_EQ(engines_->catalogue().Find("fake-tone"), before) << "the same voice takes no room";
    ASSERT_TRUE(Speak("fake-tone", "hello").complete);
    EXPECT_EQ(engines_->stats().size(), 2U);
    EXPECT_EQ(engines_->stats().at(1).segments, 1U) << "the new one works";
}

TEST_F(EnginesModels, TwoModelsDoNotShareWorkers) {
    Start();
    Add("one");
    engines_->AddModel({"two", folder_});
    Run(engines_->WaitModels());
    // The first keeps ids that both have.
    ASSERT_NE(engines_->catalogue().Find("fake-tone"), nullptr);
    EXPECT_EQ(engines_->catalogue().Find("fake-tone")->model, "one");
    for (const int pid : engines_->WorkerPidsForTest("sherpa:two")) kill(pid, SIGKILL);
    EXPECT_TRUE(Speak("fake-tone", "hello").complete);
}

TEST_F(EnginesModels, AModelWhoseFolderIsNotThereIsGivenUp) {
    Start();
    folder_ += "/nothing-here";
    Add("toy");
    EXPECT_TRUE(engines_->catalogue().All().empty());
    EXPECT_FALSE(engines_->ready());
    EXPECT_EQ(Stats().restarts, 3U) << "and no more tries";
}

TEST_F(EnginesModels, TheProgramIsToldAboutItsModel) {
    options_.worker_dir = "/usr/libexec/voiceflow";
    options_.model_memory_limit = 1ULL << 30;
    options_.model_workers = 1'000;
    const SpawnPlan plan = PlanForModel(options_, "/var/lib/models/toy");
    EXPECT_EQ(plan.program, "/usr/libexec/voiceflow/voiceflow-worker-sherpa");
    EXPECT_EQ(plan.library_folder, "/usr/lib/voiceflow");
    EXPECT_EQ(plan.model_folder, "/var/lib/models/toy");
    EXPECT_EQ(plan.memory_limit, 1ULL << 30);
    EXPECT_EQ(plan.threads, 1) << "never more than there are cores";
}

}  // namespace
}  // namespace vf::engines
