// What becomes of a segment and of the pool when a worker dies, hangs or lies.
#include <csignal>

#include "engines/engines_fixture.hpp"

namespace vf::engines {
namespace {

using namespace std::chrono_literals;

class EnginesFaults : public EnginesTest {
protected:
    // After whatever happened, the pool speaks again.
    void ExpectHealthy() {
        EXPECT_TRUE(Speak("fake-tone", "hello").complete);
        EXPECT_EQ(Stats().workers, static_cast<std::size_t>(options_.workers_per_engine));
    }
};

TEST_F(EnginesFaults, ACrashBeforeAudioIsTriedOnceMoreAndThenQuarantined) {
    Start();
    EXPECT_EQ(Speak("fake-crash-before-audio", "boom").error, "text_not_speakable");
    EXPECT_EQ(Stats().restarts, 2U);
    EXPECT_EQ(Speak("fake-crash-before-audio", "boom").error, "text_not_speakable");
    EXPECT_EQ(Stats().restarts, 2U) << "no third worker";
    EXPECT_EQ(Speak("fake-crash-before-audio", "bang").error, "text_not_speakable");
    EXPECT_EQ(Stats().restarts, 4U) << "another text has its own two tries";
    ExpectHealthy();
}

TEST_F(EnginesFaults, QuarantineCanBeOff) {
    options_.quarantine_size = 0;
    Start();
    EXPECT_EQ(Speak("fake-crash-before-audio", "boom").error, "engine_failed");
    EXPECT_EQ(Speak("fake-crash-before-audio", "boom").error, "engine_failed");
    EXPECT_EQ(Stats().restarts, 4U);
}

TEST_F(EnginesFaults, NoSecondTryOnceTheCallerHasAudio) {
    options_.segment_timeout = 5s;
    Start();
    auto utterance = Begin("fake-hang-after-audio", "half");
    ASSERT_TRUE(utterance);
    auto first = Run((*utterance)->Next());
    ASSERT_TRUE(first && *first);
    for (const int pid : engines_->WorkerPidsForTest("fake")) kill(pid, SIGKILL);
    Spoken spoken;
    Drain(**utterance, spoken);
    EXPECT_EQ(spoken.error, "engine_failed");
    EXPECT_FALSE(spoken.complete);
    Until([&] { return Stats().idle == 1; });
    EXPECT_EQ(Stats().restarts, 1U);
    ExpectHealthy();
}

TEST_F(EnginesFaults, KilledBeforeAudioTheSegmentIsSpokenByAnotherWorker) {
    Start();
    auto utterance = Begin("fake-late", "patience");
    ASSERT_TRUE(utterance);
    for (const int pid : engines_->WorkerPidsForTest("fake")) kill(pid, SIGKILL);
    Spoken spoken;
    Drain(**utterance, spoken);
    EXPECT_TRUE(spoken.complete) << spoken.error;
    EXPECT_EQ(spoken.samples.size(), 3'200U) << "each sample once";
    EXPECT_EQ(Stats().restarts, 1U);
}

TEST_F(EnginesFaults, AWorkerThatDiesWhileIdleIsReplaced) {
    Start();
    const std::vector<int> before = engines_->WorkerPidsForTest("fake");
    kill(before.at(0), SIGKILL);
    Until([&] { return Stats().restarts == 1 && Stats().idle == 1; });
    EXPECT_NE(engines_->WorkerPidsForTest("fake"), before);
    ExpectHealthy();
}

// Audio that was buffered but not handed out may be thrown away, so these are tried twice too.
TEST_F(EnginesFaults, CrashAndExitInMidSentenceNeverLookComplete) {
    Start();
    for (const char* voice : {"fake-crash", "fake-exit"}) {
        const Spoken spoken = Speak(voice, "half a sentence");
        EXPECT_FALSE(spoken.complete) << voice;
        EXPECT_FALSE(spoken.error.empty()) << voice;
    }
    ExpectHealthy();
}

TEST_F(EnginesFaults, NoFirstChunkInTimeIsATimeout) {
    options_.first_chunk_timeout = 100ms;
    options_.quarantine_size = 0;
    Start();
    EXPECT_EQ(Speak("fake-hang", "hang").error, "engine_timeout");
    EXPECT_EQ(Stats().restarts, 2U);
    EXPECT_EQ(Speak("fake-spin", "spin").error, "engine_timeout");
    ExpectHealthy();
}

TEST_F(EnginesFaults, NoEndInTimeIsATimeout) {
    options_.segment_timeout = 300ms;
    Start();
    const Spoken spoken = Speak("fake-hang-after-audio", "hang");
    EXPECT_EQ(spoken.error, "engine_timeout");
    EXPECT_FALSE(spoken.samples.empty());
    EXPECT_EQ(Stats().restarts, 1U);
    ExpectHealthy();
}

TEST_F(EnginesFaults, EndlessAudioIsCutOff) {
    options_.segment_audio = 2s;
    Start();
    const Spoken spoken = Speak("fake-flood", "endless");
    EXPECT_FALSE(spoken.complete);
    EXPECT_LE(spoken.samples.size(), 2U * 16'000);
    ExpectHealthy();
}

TEST_F(EnginesFaults, AWorkerDeafToCancelIsReplaced) {
    options_.cancel_grace = 50ms;
    Start();
    auto utterance = Begin("fake-stubborn", "on and on");
    ASSERT_TRUE(utterance);
    auto first = Run((*utterance)->Next());
    ASSERT_TRUE(first && *first);
    utterance->reset();
    Until([&] { return Stats().restarts == 1 && Stats().idle == 1; });
    ExpectHealthy();
}

TEST_F(EnginesFaults, LiarsAreKilled) {
    Start();
    std::uint64_t restarts = 0;
    for (const char* voice :
         {"fake-garbage", "fake-oversized", "fake-half-sample", "fake-empty-audio", "fake-lie-id",
          "fake-lie-events", "fake-lie-hello"}) {
        const Spoken spoken = Speak(voice, "lie");
        EXPECT_FALSE(spoken.complete) << voice;
        EXPECT_EQ(spoken.error, "text_not_speakable") << voice;
        restarts += 2;
        EXPECT_EQ(Stats().restarts, restarts) << voice;
    }
    EXPECT_FALSE(Speak("fake-lie-total", "lie").complete);
    ExpectHealthy();
}

TEST_F(EnginesFaults, WhatComesAfterTheEndHurtsNobodyElse) {
    Start();
    const Spoken spoken = Speak("fake-lie-order", "lie");
    EXPECT_TRUE(spoken.complete) << "the segment had ended properly";
    EXPECT_TRUE(spoken.samples.empty());
    Until([&] { return Stats().restarts == 1 && Stats().idle == 1; });
    ExpectHealthy();
    EXPECT_EQ(Stats().restarts, 1U);
}

TEST_F(EnginesFaults, FramesMayComeByteByByte) {
    Start();
    const Spoken spoken = Speak("fake-dribble", "slowly");
    EXPECT_TRUE(spoken.complete);
    EXPECT_EQ(spoken.samples.size(), 320U);
}

TEST_F(EnginesFaults, TheWorkersRefusalReachesTheCaller) {
    Start();
    EXPECT_EQ(Speak("fake-refuse", "no").error, "text_refused");
    EXPECT_EQ(Stats().restarts, 0U);
    EXPECT_EQ(Stats().failed, 1U);
}

TEST_F(EnginesFaults, WhatALibraryPrintsIsReadAndItsTextNotLogged) {
    Start();
    testing::internal::CaptureStderr();
    EXPECT_TRUE(Speak("fake-chatty", "my-secret-words").complete);
    Until([&] { return Stats().idle == 1; });
    const std::string log = testing::internal::GetCapturedStderr();
    EXPECT_EQ(log.find("my-secret-words"), std::string::npos);
}

TEST_F(EnginesFaults, CancelInTheQueueLeavesNoTrace) {
    Start();
    auto busy = Begin("fake-late", "patience");
    ASSERT_TRUE(busy);
    {
        asio::io_context other;
        asio::co_spawn(loop_, engines_->Speak({.voice = "fake-tone", .text = "waiting"}),
                       [](std::exception_ptr, Result<std::unique_ptr<Utterance>>) {});
        Until([&] { return Stats().queued == 1; });
    }
    busy->reset();
    Until([&] { return Stats().queued == 0 && Stats().idle == 1; });
    ExpectHealthy();
}

TEST_F(EnginesFaults, AnEngineWithoutAProgramIsAbsent) {
    options_.enable = "nothing,fake";
    Start();
    EXPECT_TRUE(engines_->ready());
    EXPECT_FALSE(engines_->stats().at(0).available);
    EXPECT_TRUE(engines_->stats().at(1).available);
    EXPECT_TRUE(Speak("fake-tone", "hello").complete);
}

TEST_F(EnginesFaults, AnEngineWithoutItsDataIsAbsent) {
    options_.enable = "fake-absent";
    options_.worker_dir = FolderWith("fake-absent");
    Start();
    EXPECT_FALSE(engines_->ready());
    EXPECT_FALSE(Stats().available);
    Until([&] { return engines_->WorkerPidsForTest("fake-absent").empty(); });
}

TEST_F(EnginesFaults, WorkersThatNeverIntroduceThemselvesDoNotHoldTheStart) {
    for (const std::string name :
         {"fake-old", "fake-mute", "fake-early-crash", "fake-other-name"}) {
        options_.enable = name;
        options_.worker_dir = FolderWith(name);
        options_.start_timeout = 200ms;
        Start();
        EXPECT_FALSE(engines_->ready()) << name;
        EXPECT_EQ(Speak("fake-tone", "hello").error, "voice_not_found") << name;
        Run(engines_->Stop());
    }
}

}  // namespace
}  // namespace vf::engines
