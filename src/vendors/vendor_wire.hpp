#pragma once
// The vendors' own wires: what is sent to them, and what their errors and lists of voices mean.
// Pure.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "engines/speaker.hpp"
#include "engines/voice.hpp"
#include "http/client.hpp"
#include "vendors/vendors.hpp"

namespace vf::vendors {

// The rate that every vendor is asked for.
inline constexpr int kSampleRate = 24'000;

// What is needed to ask a vendor for something.
struct Account {
    Vendor vendor = Vendor::kElevenLabs;
    std::string base_url;
    std::string api_key;
    std::string model;
};

std::string DefaultUrl(Vendor vendor);    // "https://api.elevenlabs.io"
std::string DefaultModel(Vendor vendor);  // "eleven_multilingual_v2"
// What the vendor's models speak, BCP 47.
const std::vector<std::string>& DefaultLanguages(Vendor vendor);
// Speed and what else the vendor does natively, in `voice`.
void SetAbilities(Vendor vendor, engines::Voice& voice);

// `plain`: audio alone, of a vendor (Cartesia) that has a route without times.
http::ClientRequest SpeechCall(const Account& account, const std::string& voice,
                               const engines::SegmentRequest& request, bool plain);

// Whether a vendor's voice can be part of our ids and of a path.
bool IsVoiceId(std::string_view id);

// None: the vendor has no list; KnownVoices() has what is to be known then.
std::optional<http::ClientRequest> VoicesCall(const Account& account);
std::vector<VendorVoice> KnownVoices(Vendor vendor);
// At most `limit`; voices that cannot be spoken with (odd ids) are left out. kUnavailable
// "vendor_answer_unreadable".
Result<std::vector<VendorVoice>> ReadVoices(Vendor vendor, std::string_view body,
                                            std::size_t limit);

// Of an answer of status 400 and above. `body`: its first few KiB. Nothing of the answer but a code
// of ours and, where it looks like one, the vendor's own is in the message: vendors repeat texts
// and parts of keys.
//   kUnavailable  vendor_key_refused, vendor_quota_exhausted, vendor_unavailable
//   kRateLimited  vendor_rate_limited, with the vendor's Retry-After
//   kInvalid      vendor_refused (the text or a parameter), vendor_voice_not_found
Error ErrorOf(Vendor vendor, int status, const http::Headers& headers, std::string_view body);
// Of a failed exchange (http::HttpClient): vendor_unavailable, vendor_timeout,
// vendor_address_refused.
Error ErrorOf(Vendor vendor, const Error& transport);

// "ElevenLabs", for people.
std::string_view DisplayName(Vendor vendor);

}  // namespace vf::vendors
