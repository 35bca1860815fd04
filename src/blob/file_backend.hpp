#pragma once
// Objects as files of one folder: <root>/xx/<32 digits>, where xx are the last two digits (the
// first ones are the time and would put a day into one folder). A file is written beside, synced,
// renamed and its folder synced: it is there whole, or not at all. Names come from our own ids
// only. One server owns the folder (its data folder is locked).

#include <filesystem>

#include "blob/backend.hpp"

namespace vf::blob {

class FileBackend : public Backend {
public:
    // Files are read and written on `threads`, which must outlive it.
    FileBackend(std::filesystem::path root, asio::thread_pool& threads);

    // Makes the folders and removes what a crash left half-written. Blocking. For the operator:
    // blob_folder.
    Result<void> Open();

    std::string_view name() const override { return "files"; }
    Task<Result<void>> Put(BlobId id, std::shared_ptr<BytePipe> source) override;
    Task<Result<std::shared_ptr<BytePipe>>> Get(BlobId id, std::uint64_t offset,
                                                std::uint64_t length) override;
    Task<Result<void>> Remove(BlobId id) override;

    std::filesystem::path PathOf(BlobId id) const;

private:
    std::filesystem::path TemporaryOf(BlobId id) const;

    std::filesystem::path root_;
    asio::thread_pool& threads_;
};

}  // namespace vf::blob
