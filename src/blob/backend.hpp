#pragma once
// Where sealed objects are kept. An object's name comes from our own id and from nothing else, its
// bytes are ciphertext already. Inside src/blob; on the loop, not thread-safe.

#include <cstdint>
#include <memory>
#include <string_view>

#include "base/byte_pipe.hpp"
#include "base/ids.hpp"
#include "base/result.hpp"
#include "base/task.hpp"

namespace vf::blob {

class Backend {
public:
    virtual ~Backend() = default;

    virtual std::string_view name() const = 0;  // "files", "s3": column `backend`

    // Takes `source` to its end. Success: the object is whole and will outlast a power failure.
    // Otherwise (also when `source` fails) nothing can be read under this id; what may be left over
    // goes with Remove(). Abandons `source` when it gives up. kUnavailable
    // "blob_storage_unavailable".
    virtual Task<Result<void>> Put(BlobId id, std::shared_ptr<BytePipe> source) = 0;

    // `length` > 0 bytes from `offset`. The pipe fails when they break off. kNotFound
    // "blob_not_found": there is no such object; kUnavailable "blob_storage_unavailable".
    virtual Task<Result<std::shared_ptr<BytePipe>>> Get(BlobId id, std::uint64_t offset,
                                                        std::uint64_t length) = 0;

    // Removes the object and whatever an unfinished Put() left. No error when there is none.
    virtual Task<Result<void>> Remove(BlobId id) = 0;
};

// "blob_storage_unavailable", with Retry-After, for everything that is wrong with a storage: the
// log has the reason, the client cannot do anything about it.
Error StorageUnavailable();

}  // namespace vf::blob
