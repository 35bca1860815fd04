#pragma once
// The older form of the native reply: the audio is stored, and the answer says where.

#include <memory>
#include <string>

#include "base/result.hpp"
#include "base/task.hpp"
#include "blob/blob.hpp"
#include "http/request.hpp"
#include "http/response.hpp"
#include "speech/speech.hpp"

namespace vf::native {

// How long the link and what it is for are there.
inline constexpr std::chrono::hours kLinkTime{24};

// True when the Accept list likes application/json better than audio.
bool WantsLink(const http::Request& request);

// Stores the audio for the caller's team and answers {"audio_url", "quality_score", "duration",
// "request_id", "expires_at"}. The speech must have been asked for with wants_quality. Errors:
// those of blob::Blobs::Put.
Task<Result<http::Response>> LinkResponse(const http::Request& request,
                                          std::shared_ptr<speech::Speech> speech, std::string audio,
                                          blob::Blobs& blobs);

}  // namespace vf::native
