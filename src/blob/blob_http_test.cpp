#include "blob/blob_http.hpp"

#include <gtest/gtest.h>

#include "blob/blob_impl.hpp"
#include "blob/s3_client.hpp"

namespace vf::blob {
namespace {

using Kind = RangeOf::Kind;

TEST(Ranges, AreReadAsTheStandardSays) {
    struct Case {
        const char* header;
        Kind kind;
        std::uint64_t first;
        std::uint64_t last;
    };
    for (const Case& c : std::initializer_list<Case>{
             {"bytes=0-0", Kind::kRange, 0, 0},
             {"bytes=0-99", Kind::kRange, 0, 99},
             {"bytes=10-", Kind::kRange, 10, 99},
             {"bytes=10-1000", Kind::kRange, 10, 99},
             {"bytes=-1", Kind::kRange, 99, 99},
             {"bytes=-100", Kind::kRange, 0, 99},
             {"bytes=-1000", Kind::kRange, 0, 99},
             {"BYTES=5-6", Kind::kRange, 5, 6},
             {" bytes= 5-6 ", Kind::kRange, 5, 6},
             {"bytes=99-18446744073709551616", Kind::kRange, 99, 99},
             {"bytes=100-", Kind::kUnsatisfiable, 0, 0},
             {"bytes=100-200", Kind::kUnsatisfiable, 0, 0},
             {"bytes=-0", Kind::kUnsatisfiable, 0, 0},
             {"bytes=99999999999999999999-", Kind::kUnsatisfiable, 0, 0},
             {"", Kind::kNone, 0, 0},
             {"bytes", Kind::kNone, 0, 0},
             {"bytes=", Kind::kNone, 0, 0},
             {"bytes=-", Kind::kNone, 0, 0},
             {"bytes=5-3", Kind::kNone, 0, 0},
             {"bytes=a-b", Kind::kNone, 0, 0},
             {"bytes=0x1-5", Kind::kNone, 0, 0},
             {"bytes=+1-5", Kind::kNone, 0, 0},
             {"bytes=1-5,7-9", Kind::kNone, 0, 0},
             {"seconds=1-5", Kind::kNone, 0, 0},
         }) {
        const RangeOf found = ParseRange(c.header, 100);
        EXPECT_EQ(found.kind, c.kind) << c.header;
        EXPECT_EQ(found.range.first, c.first) << c.header;
        EXPECT_EQ(found.range.last, c.last) << c.header;
    }
    EXPECT_EQ(ParseRange("bytes=0-", 0).kind, Kind::kUnsatisfiable);
    EXPECT_EQ(ParseRange("bytes=-5", 0).kind, Kind::kUnsatisfiable);
}

TEST(Ranges, CountForTheVersionThatTheCallerHas) {
    BlobInfo info;
    info.bytes = 100;
    info.sha256 = std::string(64, 'a');
    http::Request request;
    request.headers.Add("Range", "bytes=0-9");
    EXPECT_EQ(RangeFor(request, info).kind, Kind::kRange);
    request.headers.Set("If-Range", Etag(info));
    EXPECT_EQ(RangeFor(request, info).kind, Kind::kRange);
    for (const std::string& other : {std::string("\"other\""), "W/\"" + info.sha256 + "\"",
                                     std::string("Sat, 21 Nov 2026 17:30:12 GMT")}) {
        request.headers.Set("If-Range", other);
        EXPECT_EQ(RangeFor(request, info).kind, Kind::kNone) << other;
    }
}

std::string DispositionOf(std::string name) {
    BlobInfo info;
    info.name = std::move(name);
    return ContentDisposition(info);
}

TEST(ContentDisposition, HoldsNoPathAndNoSecondHeader) {
    EXPECT_EQ(DispositionOf("speech.wav"),
              "attachment; filename=\"speech.wav\"; filename*=UTF-8''speech.wav");
    EXPECT_EQ(DispositionOf("../../etc/passwd"),
              "attachment; filename=\"___.._etc_passwd\"; filename*=UTF-8''___.._etc_passwd");
    EXPECT_EQ(DispositionOf("..\\boot.ini"),
              "attachment; filename=\"___boot.ini\"; filename*=UTF-8''___boot.ini");
    EXPECT_EQ(DispositionOf("Grüße.wav"),
              "attachment; filename=\"Gr__e.wav\"; filename*=UTF-8''Gr%C3%BC%C3%9Fe.wav");
    EXPECT_EQ(
        DispositionOf("a\"; filename=\"b"),
        "attachment; filename=\"a_; filename=_b\"; filename*=UTF-8''a%22%3B%20filename%3D%22b");
    EXPECT_EQ(DispositionOf("100%41"),
              "attachment; filename=\"100_41\"; filename*=UTF-8''100%2541");
    // What cannot be stored as a name would do no harm either.
    EXPECT_EQ(DispositionOf("a\r\nX: y"),
              "attachment; filename=\"a__X: y\"; filename*=UTF-8''a%0D%0AX%3A%20y");
    EXPECT_NE(DispositionOf("").find("filename=\"blob_"), std::string::npos);
}

TEST(Put, ChecksWhatIsToldAboutTheContent) {
    const Clock::time_point now = Clock::from_time_t(1'000'000);
    const auto code = [&](const PutOptions& options) {
        const Result<void> checked = CheckPut(options, now);
        return checked ? std::string("ok") : checked.error().fields().front().path;
    };
    PutOptions good;
    EXPECT_EQ(code(good), "ok");
    for (const std::string& name :
         {std::string("../../etc/passwd"), std::string("Grüße 😀.wav"), std::string(255, 'x')}) {
        PutOptions options;
        options.name = name;
        EXPECT_EQ(code(options), "ok") << name;
    }
    std::string emoji;
    for (int i = 0; i < 255; ++i) emoji += "😀";
    PutOptions wide;
    wide.name = emoji;
    EXPECT_EQ(code(wide), "ok");
    for (const std::string& name :
         {std::string(1000, 'x'), std::string("a\0b", 3), std::string("a\r\nb"),
          std::string("a\x7F"), std::string("\xFF"), std::string("a\u202Egnp.exe"),
          std::string("a\u2028b"), std::string("a\u0085b"), emoji + "x"}) {
        PutOptions options;
        options.name = name;
        EXPECT_EQ(code(options), "name") << name;
    }
    for (const std::string& type :
         {std::string(), std::string("audio"), std::string("/wav"), std::string("audio/"),
          std::string("audio/wav\r\nX: y"), std::string("audio/\xC3\xBC")}) {
        PutOptions options;
        options.content_type = type;
        EXPECT_EQ(code(options), "Content-Type") << type;
    }
    PutOptions late;
    late.expires_at = now;
    EXPECT_EQ(code(late), "expires_in");
}

TEST(Xml, FindsTextsAndResolvesEntities) {
    EXPECT_EQ(XmlText("<a><Code>NoSuch&amp;Key&lt;&quot;</Code></a>", "Code"), "NoSuch&Key<\"");
    EXPECT_EQ(XmlText("<a><Code>x", "Code"), "");
    EXPECT_EQ(XmlText("", "Code"), "");
    EXPECT_EQ(XmlEscape("a&b<\"c\">"), "a&amp;b&lt;&quot;c&quot;&gt;");
}

}  // namespace
}  // namespace vf::blob
