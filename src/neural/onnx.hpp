#pragma once
// The few things about an ONNX file that can be known without an ONNX library: its metadata and the
// names of what goes in and comes out. Metadata can be added at the file's end, since protobuf
// takes a repeated field wherever it stands.

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace vf::neural {

struct OnnxInfo {
    std::map<std::string, std::string> metadata;
    std::vector<std::string> inputs;
    std::vector<std::string> outputs;
    // The value, or "" when there is none.
    std::string Get(const std::string& key) const;
};

// Walks over the file without taking it into memory. Error: kInvalid bad_onnx, saying what is wrong
// with it: empty, cut off, no model.
Result<OnnxInfo> ReadOnnx(const std::filesystem::path& file);

// The bytes that add `pairs` when they are put behind a model's last byte.
std::string EncodeMetadata(const std::map<std::string, std::string>& pairs);

}  // namespace vf::neural
