#pragma once
// Packages for the tests of this folder: just enough of an ONNX file to be recognised, and files.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>

#include "neural/onnx.hpp"

namespace vf::neural {

// A model without weights: a graph whose first input and output have names, and metadata.
inline std::string TinyOnnx(const std::map<std::string, std::string>& metadata = {}) {
    // ir_version 8; graph{input{name: "x"} output{name: "y"}}
    const std::string input = std::string("\x5a\x03\x0a\x01", 4) + "x";
    const std::string output = std::string("\x62\x03\x0a\x01", 4) + "y";
    return std::string("\x08\x08\x3a\x0a", 4) + input + output + EncodeMetadata(metadata);
}

class PackageTest : public testing::Test {
protected:
    PackageTest() {
        std::string name = testing::TempDir() + "/vf-neural-XXXXXX";
        folder_ = mkdtemp(name.data());
    }
    ~PackageTest() override {
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }

    std::filesystem::path Put(const std::string& name, const std::string& content) {
        const std::filesystem::path path = folder_ / name;
        std::filesystem::create_directories(path.parent_path());
        std::ofstream(path, std::ios::binary) << content;
        return path;
    }
    static std::string Get(const std::filesystem::path& path) {
        std::ifstream file(path, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }

    std::filesystem::path folder_;
};

}  // namespace vf::neural
