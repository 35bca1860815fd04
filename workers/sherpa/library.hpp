#pragma once
// The speech library that this program opens while it runs: a table of the functions it uses.
// Opened before the cage closes, since the files may stand where only the server's user may go.

#include <sherpa-onnx/c-api/c-api.h>

#include <string>

#include "base/result.hpp"

namespace vf::worker {

struct SherpaLibrary {
    decltype(&SherpaOnnxGetVersionStr) version = nullptr;
    decltype(&SherpaOnnxCreateOfflineTts) create = nullptr;
    decltype(&SherpaOnnxDestroyOfflineTts) destroy = nullptr;
    decltype(&SherpaOnnxOfflineTtsSampleRate) sample_rate = nullptr;
    decltype(&SherpaOnnxOfflineTtsNumSpeakers) speakers = nullptr;
    decltype(&SherpaOnnxOfflineTtsGenerateWithConfig) generate = nullptr;
    decltype(&SherpaOnnxDestroyOfflineTtsGeneratedAudio) free_audio = nullptr;
};

// Opens libsherpa-onnx-c-api.so in `folder` and libonnxruntime.so beside it. The structures of the
// header carry no size, so the library's version must be the header's to the last number.
// Errors: kUnavailable library_missing, library_version.
Result<SherpaLibrary> OpenSherpa(const std::string& folder);

}  // namespace vf::worker
