// The pool with a worker that behaves: speaking, queueing, cancelling, recycling, the cage.
#include <csignal>

#include "engines/engines_fixture.hpp"
#include "engines/protocol.hpp"

namespace vf::engines {
namespace {

using namespace std::chrono_literals;

TEST_F(EnginesTest, SpeaksTheWholeSegmentWithItsWords) {
    Start();
    EXPECT_TRUE(engines_->ready());
    const Spoken spoken = Speak("fake-clicks", "one two three");
    EXPECT_TRUE(spoken.complete);
    ASSERT_EQ(spoken.samples.size(), 3U * 3'200);
    ASSERT_EQ(spoken.events.size(), 3U);
    EXPECT_EQ(spoken.events[1].label, "two");
    EXPECT_EQ(spoken.events[1].text_begin, 4U);
    EXPECT_EQ(spoken.events[1].text_end, 7U);
    EXPECT_EQ(spoken.events[1].start_sample, 3'200U);
    EXPECT_NE(spoken.samples[3'200], 0);
    EXPECT_GT(spoken.chunks, 3U) << "it streams";
    EXPECT_EQ(Stats().segments, 1U);
    EXPECT_NEAR(Stats().audio_seconds, 0.6, 1e-9);
}

TEST_F(EnginesTest, ShowsTheVoicesOfTheHello) {
    Start();
    const Voice* voice = engines_->catalogue().Find("fake-tone");
    ASSERT_NE(voice, nullptr);
    EXPECT_EQ(voice->engine, "fake");
    EXPECT_EQ(voice->sample_rate, 16'000);
    EXPECT_EQ(engines_->catalogue().Find("alloy"), nullptr);
    EXPECT_EQ(engines_->catalogue().All().front()->id, "fake-tone");
}

TEST_F(EnginesTest, ClampsSpeedAndPitchToTheVoice) {
    Start();
    SegmentRequest request{.voice = "fake-tone", .text = "0123456789", .speed = 8, .pitch = 99};
    EXPECT_EQ(Speak(request).samples.size(), 4'000U) << "half a second, twice as fast";
}

TEST_F(EnginesTest, RefusesWhatCannotBeSpokenBeforeAWorkerSeesIt) {
    Start();
    EXPECT_EQ(Speak("nobody", "hello").error, "voice_not_found");
    EXPECT_EQ(Speak("fake-tone", "").error, "empty_text");
    EXPECT_EQ(Speak("fake-tone", std::string(kMaxTextBytes + 1, 'a')).error, "text_too_long");
    EXPECT_EQ(Speak("fake-tone", "\xC3").error, "invalid_utf8");
    EXPECT_EQ(Speak("fake-tone", std::string("a\0b", 3)).error, "invalid_text");
    EXPECT_TRUE(Speak("fake-tone", std::string(kMaxTextBytes, 'a')).complete);
    EXPECT_EQ(Stats().restarts, 0U);
}

TEST_F(EnginesTest, HandsPronunciationsOn) {
    Start();
    const std::string text = "one two three";
    const Spoken spoken = Speak(
        {.voice = "fake-tone", .text = text, .pronunciations = {{0, 3, "w ah n"}, {8, 13, "x"}}});
    ASSERT_TRUE(spoken.complete) << spoken.error;
    ASSERT_EQ(spoken.events.size(), 3U);
    EXPECT_EQ(spoken.events[0].label, "w ah n");
    EXPECT_EQ(spoken.events[1].label, "two");
    EXPECT_EQ(spoken.events[2].label, "x");
    EXPECT_EQ(spoken.events[2].text_begin, 8U);
    const Spoken wrong =
        Speak({.voice = "fake-tone", .text = text, .pronunciations = {{0, 14, "x"}}});
    EXPECT_EQ(wrong.error, "invalid_pronunciation");
    EXPECT_EQ(Stats().restarts, 0U);
}

TEST_F(EnginesTest, SilenceIsAnAnswerToo) {
    Start();
    const Spoken spoken = Speak("fake-silent", "...");
    EXPECT_TRUE(spoken.complete);
    EXPECT_TRUE(spoken.samples.empty());
}

TEST_F(EnginesTest, TakesManyEvents) {
    Start();
    const Spoken spoken = Speak("fake-big-events", std::string(20, 'a'));
    EXPECT_TRUE(spoken.complete);
    EXPECT_EQ(spoken.events.size(), 2 * kMaxEventsPerFrame);
}

TEST_F(EnginesTest, EventsCanBeLeftOut) {
    Start();
    SegmentRequest request{.voice = "fake-clicks", .text = "one two"};
    request.wants_events = false;
    EXPECT_TRUE(Speak(request).events.empty());
}

TEST_F(EnginesTest, QueueIsBoundedAndSaysWhenToComeBack) {
    options_.queue_limit = 2;
    options_.queue_timeout = 60s;
    Start();
    auto busy = Begin("fake-slow", std::string(200, 'a'));
    ASSERT_TRUE(busy);
    std::vector<std::string> order;
    for (const std::string name : {"first", "second"}) {
        asio::co_spawn(
            loop_, engines_->Speak({.voice = "fake-tone", .text = name}),
            [&order, name](std::exception_ptr, Result<std::unique_ptr<Utterance>> result) {
                order.push_back(result ? name : result.error().code());
            });
    }
    Until([&] { return Stats().queued == 2; });
    auto refused = Begin("fake-tone", "third");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), "no_worker");
    EXPECT_EQ(refused.error().status(), 503);
    EXPECT_TRUE(refused.error().retry_after());
    busy->reset();
    Until([&] { return order.size() == 2; });
    EXPECT_EQ(order, (std::vector<std::string>{"first", "second"}));
}

TEST_F(EnginesTest, WaitingInTheQueueHasADeadline) {
    options_.queue_timeout = 50ms;
    Start();
    auto busy = Begin("fake-slow", std::string(400, 'a'));
    ASSERT_TRUE(busy);
    EXPECT_EQ(Speak("fake-tone", "hello").error, "no_worker");
    EXPECT_EQ(Stats().queued, 0U);
}

TEST_F(EnginesTest, CancellingFreesTheWorkerWithoutLosingIt) {
    options_.cancel_grace = 20s;
    Start();
    const std::vector<int> before = engines_->WorkerPidsForTest("fake");
    auto utterance = Begin("fake-flood", "endless");
    ASSERT_TRUE(utterance);
    ASSERT_TRUE(Run((*utterance)->Next()));
    utterance->reset();
    EXPECT_TRUE(Speak("fake-tone", "hello").complete);
    EXPECT_EQ(engines_->WorkerPidsForTest("fake"), before);
    EXPECT_EQ(Stats().restarts, 0U);
}

TEST_F(EnginesTest, CancelIsObeyedWithinAChunk) {
    Start();
    auto utterance = Begin("fake-slow", std::string(2'000, 'a'));  // 100 s of audio in real time
    ASSERT_TRUE(utterance);
    ASSERT_TRUE(Run((*utterance)->Next()));
    const auto start = std::chrono::steady_clock::now();
    utterance->reset();
    Until([&] { return Stats().idle == 1; });
    EXPECT_LT(std::chrono::steady_clock::now() - start, 5s);
    EXPECT_EQ(Stats().restarts, 0U);
}

TEST_F(EnginesTest, ASlowCallerDoesNotHoldTheWorker) {
    Start();
    auto utterance = Begin("fake-tone", std::string(400, 'a'));  // 20 s, 640 kB
    ASSERT_TRUE(utterance);
    Until([&] { return Stats().idle == 1; });
    Spoken spoken;
    Drain(**utterance, spoken);
    EXPECT_TRUE(spoken.complete);
    EXPECT_EQ(spoken.samples.size(), 20U * 16'000);
}

TEST_F(EnginesTest, ACallerSlowerThanTheBufferIsGivenUp) {
    options_.segment_buffer = 64 << 10;
    options_.segment_timeout = 200ms;
    Start();
    auto utterance = Begin("fake-flood", "endless");
    ASSERT_TRUE(utterance);
    Until([&] { return Stats().idle == 1; });
    Spoken spoken;
    Drain(**utterance, spoken);
    EXPECT_EQ(spoken.error, "caller_too_slow");
    EXPECT_EQ(Stats().restarts, 0U) << "not the worker's fault";
}

TEST_F(EnginesTest, BackPressureLosesNothing) {
    options_.segment_buffer = 64 << 10;
    Start();
    EXPECT_EQ(Speak("fake-tone", std::string(400, 'a')).samples.size(), 20U * 16'000);
}

TEST_F(EnginesTest, RecyclesAfterSoManySegments) {
    options_.recycle_after = 3;
    Start();
    const std::vector<int> before = engines_->WorkerPidsForTest("fake");
    for (int i = 0; i < 7; ++i) EXPECT_TRUE(Speak("fake-tone", "hello").complete);
    EXPECT_EQ(Stats().recycled, 2U);
    EXPECT_EQ(Stats().restarts, 0U);
    EXPECT_NE(engines_->WorkerPidsForTest("fake"), before);
}

TEST_F(EnginesTest, IsReadyWhileItsWorkersAreRecycled) {
    options_.recycle_after = 1;
    options_.workers_per_engine = 1;
    Start();
    int moments_without = 0;
    for (int i = 0; i < 20; ++i) {
        EXPECT_TRUE(Speak("fake-tone", "hello").complete);
        if (Stats().workers == 0) ++moments_without;
        EXPECT_TRUE(engines_->ready());
    }
    EXPECT_GT(moments_without, 0);
}

TEST_F(EnginesTest, WorkersHaveNothingButTheirSocket) {
    ::setenv("VF_TEST_SECRET", "secret", 1);
    Start();
    const Spoken report = Speak("fake-report", "report");
    ASSERT_TRUE(report.complete);
    std::vector<std::string> lines;
    for (const TimingEvent& event : report.events) lines.push_back(event.label);
    for (const char* expected :
         {"fds=4", "socket=EPERM", "unix=EPERM", "exec=EPERM", "fork=EPERM", "write=EPERM",
          "read=EPERM", "kill=EPERM", "core=0", "variables=0", "root=0"}) {
        EXPECT_NE(std::ranges::find(lines, expected), lines.end()) << expected;
    }
    EXPECT_FALSE(std::filesystem::exists("/tmp/vf_worker_was_here"));
}

TEST_F(EnginesTest, WorkersHaveLittleMemory) {
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
    GTEST_SKIP() << "sanitizers need the address space";
#endif
#endif
    options_.memory_limit = 256 << 20;
    Start();
    const Spoken report = Speak("fake-report", "report");
    ASSERT_FALSE(report.events.empty());
    const std::string& last = report.events.back().label;
    ASSERT_TRUE(last.starts_with("mib="));
    const int available = std::stoi(last.substr(4));
    EXPECT_GT(available, 100);
    EXPECT_LT(available, 256);
}

TEST_F(EnginesTest, RespawnedWorkersHoldNoMoreDescriptors) {
    options_.workers_per_engine = 3;
    Start();
    Until([&] { return Stats().idle == 3; });
    for (const int pid : engines_->WorkerPidsForTest("fake")) kill(pid, SIGKILL);
    Until([&] { return Stats().restarts == 3 && Stats().idle == 3; });
    const Spoken report = Speak("fake-report", "report");
    ASSERT_FALSE(report.events.empty());
    EXPECT_EQ(report.events.front().label, "fds=4");
}

TEST_F(EnginesTest, StoppingFailsWhatIsBeingSpokenAndLeavesNoProcess) {
    Start();
    const std::vector<int> pids = engines_->WorkerPidsForTest("fake");
    auto utterance = Begin("fake-slow", std::string(400, 'a'));
    ASSERT_TRUE(utterance);
    Run(engines_->Stop());
    for (const int pid : pids) EXPECT_EQ(kill(pid, 0), -1);
    Spoken spoken;
    Drain(**utterance, spoken);
    EXPECT_EQ(spoken.error, "stopping");
    EXPECT_EQ(Speak("fake-tone", "hello").error, "stopping");
    EXPECT_FALSE(engines_->ready());
}

TEST_F(EnginesTest, SettingsAreDeclared) {
    SettingsSchema schema;
    EngineOptions options;
    DeclareSettings(schema, options);
    const std::vector<std::string> arguments{"--engines.enable=fake", "--engines.queue_limit=5"};
    ASSERT_TRUE(schema.Load("", {}, arguments));
    EXPECT_EQ(options.enable, "fake");
    EXPECT_EQ(options.queue_limit, 5);
    const std::vector<std::string> bad{"--engines.queue_limit=0"};
    EXPECT_FALSE(schema.Load("", {}, bad));
    EXPECT_THROW(Engines(loop_, {.enable = "../../bin/sh"}), std::runtime_error);
}

}  // namespace
}  // namespace vf::engines
