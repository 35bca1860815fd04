#include "blob/s3_backend.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/log.hpp"

namespace vf::blob {
namespace {

using http::Method;

constexpr std::uint64_t kErrorBytes = 64 * 1024;

std::shared_ptr<const std::string> Shared(std::string bytes) {
    return std::make_shared<const std::string>(std::move(bytes));
}

S3Call CallFor(Method method, std::string key) {
    S3Call call;
    call.method = method;
    call.key = std::move(key);
    return call;
}

// Reads on until there is more than `size`, or the end.
Task<void> Fill(std::shared_ptr<BytePipe> source, std::string* buffer, std::uint64_t size) {
    while (buffer->size() <= size) {
        const std::optional<std::string> chunk = co_await source->Read();
        if (!chunk) co_return;
        *buffer += *chunk;
    }
}

Error BrokenSource(const BytePipe& source) {
    return source.error() ? *source.error() : StorageUnavailable();
}

std::optional<std::uint64_t> LengthOf(const S3Reply& reply) {
    const std::string_view text = reply.headers.Get("Content-Length");
    std::uint64_t length = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), length);
    if (read.ec != std::errc() || read.ptr != text.data() + text.size()) return std::nullopt;
    return length;
}

}  // namespace

struct S3Backend::Upload {
    std::string key;
    std::string id;
    std::vector<std::string> etags;  // of the parts, in order
};

S3Backend::S3Backend(S3Client client, std::string prefix, std::uint64_t part_bytes)
    : client_(std::move(client)), prefix_(std::move(prefix)), part_bytes_(part_bytes) {}

Task<Result<void>> S3Backend::Probe() {
    S3Call call = CallFor(Method::kHead, "");
    Result<S3Reply> reply = co_await client_.Call(std::move(call));
    if (!reply) co_return reply.error();
    if (!reply->ok()) co_return client_.Refused("probe", *reply);
    co_return Result<void>();
}

Task<Result<void>> S3Backend::PutWhole(std::string key, std::string bytes) {
    S3Call call = CallFor(Method::kPut, std::move(key));
    call.body = Shared(std::move(bytes));
    call.headers.emplace_back("Content-Type", "application/octet-stream");
    Result<S3Reply> reply = co_await client_.Call(std::move(call));
    if (!reply) co_return reply.error();
    if (!reply->ok()) co_return client_.Refused("put", *reply);
    co_return Result<void>();
}

Task<Result<void>> S3Backend::Begin(Upload& upload) {
    S3Call call = CallFor(Method::kPost, upload.key);
    call.query.emplace_back("uploads", "");
    call.headers.emplace_back("Content-Type", "application/octet-stream");
    Result<S3Reply> reply = co_await client_.Call(std::move(call));
    if (!reply) co_return reply.error();
    upload.id = XmlText(reply->body, "UploadId");
    if (!reply->ok() || upload.id.empty()) co_return client_.Refused("begin_parts", *reply);
    co_return Result<void>();
}

Task<Result<void>> S3Backend::PutPart(Upload& upload, std::string bytes) {
    S3Call call = CallFor(Method::kPut, upload.key);
    call.query.emplace_back("partNumber", std::to_string(upload.etags.size() + 1));
    call.query.emplace_back("uploadId", upload.id);
    call.body = Shared(std::move(bytes));
    Result<S3Reply> reply = co_await client_.Call(std::move(call));
    if (!reply) co_return reply.error();
    upload.etags.emplace_back(reply->headers.Get("ETag"));
    if (!reply->ok() || upload.etags.back().empty()) co_return client_.Refused("put_part", *reply);
    co_return Result<void>();
}

Task<Result<void>> S3Backend::Complete(Upload& upload) {
    S3Call call = CallFor(Method::kPost, upload.key);
    call.query.emplace_back("uploadId", upload.id);
    std::string xml = "<CompleteMultipartUpload>";
    for (std::size_t i = 0; i < upload.etags.size(); ++i) {
        xml += fmt::format("<Part><PartNumber>{}</PartNumber><ETag>{}</ETag></Part>", i + 1,
                           XmlEscape(upload.etags[i]));
    }
    call.body = Shared(xml + "</CompleteMultipartUpload>");
    call.headers.emplace_back("Content-Type", "application/xml");
    Result<S3Reply> reply = co_await client_.Call(std::move(call));
    if (!reply) co_return reply.error();
    if (reply->ok()) co_return Result<void>();
    if (reply->code == "NoSuchUpload" && reply->attempts > 1) {
        // An attempt before this one did it, and its answer got lost.
        S3Call ask = CallFor(Method::kHead, upload.key);
        Result<S3Reply> found = co_await client_.Call(std::move(ask));
        if (found && found->ok()) co_return Result<void>();
    }
    co_return client_.Refused("complete_parts", *reply);
}

Task<void> S3Backend::Abort(std::string key, std::string upload_id) {
    S3Call call = CallFor(Method::kDelete, std::move(key));
    call.query.emplace_back("uploadId", std::move(upload_id));
    Result<S3Reply> reply = co_await client_.Call(std::move(call));
    if (reply && !reply->ok() && reply->status != 404) {
        log::Warning("blob_abort_failed", {{"status", reply->status}, {"code", reply->code}});
    }
}

Task<Result<void>> S3Backend::PutInParts(Upload& upload, std::string buffer,
                                         std::shared_ptr<BytePipe> source) {
    Result<void> done = co_await Begin(upload);
    if (!done) co_return done;
    while (buffer.size() > part_bytes_) {
        std::string part = buffer.substr(0, part_bytes_);
        buffer.erase(0, part_bytes_);
        done = co_await PutPart(upload, std::move(part));
        if (!done) co_return done;
        co_await Fill(source, &buffer, part_bytes_);
    }
    if (!source->complete()) co_return BrokenSource(*source);
    done = co_await PutPart(upload, std::move(buffer));
    if (!done) co_return done;
    co_return co_await Complete(upload);
}

Task<Result<void>> S3Backend::Put(BlobId id, std::shared_ptr<BytePipe> source) {
    Upload upload;
    upload.key = KeyOf(id);
    std::string buffer;
    co_await Fill(source, &buffer, part_bytes_);
    Result<void> done;
    if (buffer.size() > part_bytes_) {
        done = co_await PutInParts(upload, std::move(buffer), source);
    } else if (!source->complete()) {
        done = BrokenSource(*source);
    } else {
        done = co_await PutWhole(upload.key, std::move(buffer));
    }
    if (!done) {
        source->Abandon();
        if (!upload.id.empty()) co_await Abort(upload.key, upload.id);
    }
    co_return done;
}

Task<Result<std::shared_ptr<BytePipe>>> S3Backend::Get(BlobId id, std::uint64_t offset,
                                                       std::uint64_t length) {
    S3Call call = CallFor(Method::kGet, KeyOf(id));
    call.headers.emplace_back("Range", fmt::format("bytes={}-{}", offset, offset + length - 1));
    call.stream_response = true;
    // An error's body may be longer than a short range.
    call.max_response_bytes = std::max(length, kErrorBytes);
    Result<S3Reply> reply = co_await client_.Call(std::move(call));
    if (!reply) co_return reply.error();
    if (reply->status == 404 && reply->code != "NoSuchBucket") {
        co_return Error(ErrorKind::kNotFound, "blob_not_found", "There is no such stored object.");
    }
    // A storage that knows no ranges sends all of it: right only when all of it was asked for.
    const bool is_right = reply->ok() && reply->pipe && LengthOf(*reply) == length &&
                          (reply->status == 206 || offset == 0);
    if (!is_right) {
        if (reply->pipe) reply->pipe->Abandon();
        co_return client_.Refused("get", *reply);
    }
    co_return reply->pipe;
}

Task<Result<void>> S3Backend::Remove(BlobId id) {
    const std::string key = KeyOf(id);
    S3Call call = CallFor(Method::kDelete, key);
    Result<S3Reply> reply = co_await client_.Call(std::move(call));
    if (!reply) co_return reply.error();
    const bool is_gone = reply->status == 404 && reply->code != "NoSuchBucket";
    if (!reply->ok() && !is_gone) co_return client_.Refused("delete", *reply);
    S3Call list = CallFor(Method::kGet, "");
    list.query.emplace_back("uploads", "");
    list.query.emplace_back("prefix", key);
    Result<S3Reply> uploads = co_await client_.Call(std::move(list));
    if (!uploads) co_return uploads.error();
    std::string_view rest = uploads->body;
    while (uploads->ok()) {
        const std::size_t at = rest.find("<Upload>");
        if (at == std::string_view::npos) break;
        rest.remove_prefix(at + 1);
        const std::string_view one = rest.substr(0, rest.find("</Upload>"));
        if (XmlText(one, "Key") != key) continue;
        std::string upload_id = XmlText(one, "UploadId");
        co_await Abort(key, std::move(upload_id));
    }
    co_return Result<void>();
}

}  // namespace vf::blob
