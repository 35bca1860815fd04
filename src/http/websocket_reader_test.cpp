// Frames of clients, right and wrong.
#include "http/websocket_reader.hpp"

#include <gtest/gtest.h>

namespace vf::http {
namespace {

using Event = WebSocketReader::Event;

constexpr std::uint64_t kMax = 1000;

// A masked frame; `first` is the byte with the final bit and the opcode.
std::string Frame(int first, std::string payload) {
    std::string out(1, static_cast<char>(first));
    const std::size_t size = payload.size();
    if (size < 126) {
        out += static_cast<char>(0x80 | size);
    } else {
        out += static_cast<char>(0x80 | 126);
        out += static_cast<char>(size >> 8U);
        out += static_cast<char>(size & 0xffU);
    }
    const std::string mask = "\x11\x22\x33\x44";
    out += mask;
    for (std::size_t i = 0; i < size; ++i) payload[i] = static_cast<char>(payload[i] ^ mask[i % 4]);
    return out + payload;
}

struct Read {
    std::string events;  // "T:hello "
    std::uint16_t code = 0;
};

Read ReadAll(std::string_view bytes, std::size_t step) {
    WebSocketReader reader(kMax);
    Read read;
    while (!bytes.empty()) {
        reader.Feed(bytes.substr(0, step));
        bytes.remove_prefix(std::min(step, bytes.size()));
        for (;;) {
            const Event event = reader.Next();
            if (event == Event::kNeedMore) break;
            read.events += "?TBPOCF"[static_cast<int>(event)];
            if (event != Event::kFailed) read.events += ":" + reader.payload();
            read.events += ' ';
            if (event == Event::kClose || event == Event::kFailed) read.code = reader.close_code();
        }
    }
    return read;
}

// The same however the bytes are cut.
Read Expect(const std::string& bytes) {
    Read whole = ReadAll(bytes, bytes.size());
    for (const std::size_t step : {1, 2, 3, 7}) {
        const Read pieces = ReadAll(bytes, step);
        EXPECT_EQ(pieces.events, whole.events);
        EXPECT_EQ(pieces.code, whole.code);
    }
    return whole;
}

std::uint16_t CodeOf(const std::string& bytes) {
    const Read read = Expect(bytes);
    EXPECT_TRUE(read.events.ends_with("F ")) << read.events;
    return read.code;
}

TEST(WebSocketReader, ReadsMessagesWithControlFramesInBetween) {
    EXPECT_EQ(Expect(Frame(0x81, "hello") + Frame(0x82, std::string(300, 'x'))).events,
              "T:hello B:" + std::string(300, 'x') + " ");
    EXPECT_EQ(Expect(Frame(0x01, "he") + Frame(0x89, "ping") + Frame(0x00, "") +
                     Frame(0x80, "llo") + Frame(0x8a, ""))
                  .events,
              "P:ping T:hello O: ");
    EXPECT_EQ(Expect(Frame(0x81, "")).events, "T: ");
}

TEST(WebSocketReader, ACharacterMayBeCutByFragmentsButNotByTheEnd) {
    EXPECT_EQ(Expect(Frame(0x01, "\xc3") + Frame(0x80, "\xa4")).events, "T:\xc3\xa4 ");
    EXPECT_EQ(CodeOf(Frame(0x81, "\xc3")), 1007);
    EXPECT_EQ(CodeOf(Frame(0x81, "\xed\xa0\x80")), 1007);
    EXPECT_EQ(Expect(Frame(0x82, "\xff")).events, "B:\xff ");
}

TEST(WebSocketReader, ClosesSayTheirCode) {
    const std::string code_1000("\x03\xe8", 2);
    Read read = Expect(Frame(0x88, code_1000 + "bye") + Frame(0x81, "late"));
    EXPECT_EQ(read.events, "C:bye ");
    EXPECT_EQ(read.code, 1000);
    EXPECT_EQ(Expect(Frame(0x88, "")).code, 1005);
    EXPECT_EQ(Expect(Frame(0x88, "\x0f\xa0")).code, 4000);
    EXPECT_EQ(CodeOf(Frame(0x88, "\x03")), 1002);
    EXPECT_EQ(CodeOf(Frame(0x88, std::string("\x03\xed", 2))), 1002);  // 1005
    EXPECT_EQ(CodeOf(Frame(0x88, std::string("\x00\x00", 2))), 1002);
    EXPECT_EQ(CodeOf(Frame(0x88, std::string("\x07\xd0", 2))), 1002);  // 2000
    EXPECT_EQ(CodeOf(Frame(0x88, code_1000 + "\xff")), 1007);
}

TEST(WebSocketReader, RefusesWhatIsNoFrame) {
    EXPECT_EQ(CodeOf(std::string("\x81\x05hello")), 1002);  // not masked
    for (const int reserved : {0xc1, 0xa1, 0x91}) EXPECT_EQ(CodeOf(Frame(reserved, "x")), 1002);
    for (const int opcode : {0x83, 0x87, 0x8b, 0x8f}) EXPECT_EQ(CodeOf(Frame(opcode, "")), 1002);
    EXPECT_EQ(CodeOf(Frame(0x80, "x")), 1002);                          // continues nothing
    EXPECT_EQ(CodeOf(Frame(0x01, "a") + Frame(0x81, "b")), 1002);       // begins in between
    EXPECT_EQ(CodeOf(Frame(0x09, "")), 1002);                           // a ping in fragments
    EXPECT_EQ(CodeOf(Frame(0x89, std::string(126, 'x'))), 1002);        // a long ping
    EXPECT_EQ(CodeOf(std::string("\x81\xfe\0\5maskhello", 13)), 1002);  // a long short length
    EXPECT_EQ(CodeOf("\x81\xff" + std::string(8, '\xff') + "mask"), 1002);
    EXPECT_EQ(CodeOf("GET / HTTP/1.1\r\n\r\n"), 1002);
}

TEST(WebSocketReader, MessagesAreBounded) {
    EXPECT_EQ(Expect(Frame(0x82, std::string(kMax, 'x'))).events.size(), kMax + 3);
    EXPECT_EQ(CodeOf(Frame(0x82, std::string(kMax + 1, 'x')).substr(0, 8)), 1009);
    EXPECT_EQ(CodeOf(Frame(0x02, std::string(kMax, 'x')) + Frame(0x80, "x")), 1009);
    // A length that would wrap around is too long as well.
    EXPECT_EQ(CodeOf("\x82\xff" + std::string("\x7f") + std::string(7, '\xff') + "mask"), 1009);
}

TEST(WebSocketReader, WritesFramesInTheirShortestForm) {
    const auto head = [](std::uint64_t size) {
        std::string out;
        AppendFrameHead(out, Opcode::kBinary, size);
        return out;
    };
    EXPECT_EQ(head(125), "\x82\x7d");
    EXPECT_EQ(head(126), std::string("\x82\x7e\x00\x7e", 4));
    EXPECT_EQ(head(65535), "\x82\x7e\xff\xff");
    EXPECT_EQ(head(65536), std::string("\x82\x7f\0\0\0\0\0\1\0\0", 10));
    std::string close;
    AppendCloseFrame(close, 1008, std::string(122, 'x') + "\xc3\xa4");
    EXPECT_EQ(close.size(), 2U + 2 + 122);
    EXPECT_EQ(close.substr(0, 4), std::string("\x88\x7c\x03\xf0", 4));
}

}  // namespace
}  // namespace vf::http
