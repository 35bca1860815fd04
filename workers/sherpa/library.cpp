#include "sherpa/library.hpp"

#include <dlfcn.h>

#include <string_view>

namespace vf::worker {
namespace {

Error Missing(const std::string& what) {
    return Error(ErrorKind::kUnavailable, "library_missing", what);
}

void* Open(const std::string& file) {
    return dlopen(file.c_str(), RTLD_NOW | RTLD_GLOBAL);
}

std::string Reason() {
    const char* reason = dlerror();
    return reason == nullptr ? "unknown reason" : reason;
}

}  // namespace

Result<SherpaLibrary> OpenSherpa(const std::string& folder) {
    // By its own path first: the other one then finds it loaded, whatever its search path says.
    if (Open(folder + "/libonnxruntime.so") == nullptr) return Missing(Reason());
    void* handle = Open(folder + "/libsherpa-onnx-c-api.so");
    if (handle == nullptr) return Missing(Reason());
    SherpaLibrary library;
    bool is_whole = true;
    const auto bind = [&](auto& function, const char* name) {
        function =
            reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(handle, name));
        is_whole = is_whole && function != nullptr;
    };
    bind(library.version, "SherpaOnnxGetVersionStr");
    bind(library.create, "SherpaOnnxCreateOfflineTts");
    bind(library.destroy, "SherpaOnnxDestroyOfflineTts");
    bind(library.sample_rate, "SherpaOnnxOfflineTtsSampleRate");
    bind(library.speakers, "SherpaOnnxOfflineTtsNumSpeakers");
    bind(library.generate, "SherpaOnnxOfflineTtsGenerateWithConfig");
    bind(library.free_audio, "SherpaOnnxDestroyOfflineTtsGeneratedAudio");
    if (library.version == nullptr || std::string_view(library.version()) != VF_SHERPA_VERSION) {
        const std::string found = library.version == nullptr ? "none" : library.version();
        return Error(ErrorKind::kUnavailable, "library_version",
                     "the speech library's version is " + found +
                         ", this program was made for " VF_SHERPA_VERSION
                         ": run scripts/setup and build again");
    }
    if (!is_whole) return Missing("the speech library lacks a function");
    return library;
}

}  // namespace vf::worker
