#pragma once
// Objects in a bucket of Amazon S3 or anything that speaks its API. The key is a prefix and our own
// id. Objects up to one part are written by one request, larger ones in parts, each kept until the
// storage has taken it, so that it can be sent again.

#include "blob/backend.hpp"
#include "blob/s3_client.hpp"

namespace vf::blob {

class S3Backend : public Backend {
public:
    // `part_bytes` at least 5 MiB, as S3 wants (all parts but the last).
    S3Backend(S3Client client, std::string prefix, std::uint64_t part_bytes);

    std::string_view name() const override { return "s3"; }
    Task<Result<void>> Put(BlobId id, std::shared_ptr<BytePipe> source) override;
    Task<Result<std::shared_ptr<BytePipe>>> Get(BlobId id, std::uint64_t offset,
                                                std::uint64_t length) override;
    Task<Result<void>> Remove(BlobId id) override;

    // Asks for the bucket, so that a wrong setting is logged at start.
    Task<Result<void>> Probe();

private:
    struct Upload;  // one multipart upload
    std::string KeyOf(BlobId id) const { return prefix_ + id.uuid.Hex(); }
    Task<Result<void>> PutWhole(std::string key, std::string bytes);
    Task<Result<void>> Begin(Upload& upload);
    Task<Result<void>> PutPart(Upload& upload, std::string bytes);
    Task<Result<void>> Complete(Upload& upload);
    Task<void> Abort(std::string key, std::string upload_id);
    Task<Result<void>> PutInParts(Upload& upload, std::string buffer,
                                  std::shared_ptr<BytePipe> source);

    S3Client client_;
    std::string prefix_;
    std::uint64_t part_bytes_;
};

}  // namespace vf::blob
