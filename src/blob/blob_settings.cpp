#include "blob/blob.hpp"

namespace vf::blob {

void DeclareSettings(SettingsSchema& schema, BlobOptions& options) {
    using namespace std::chrono_literals;
    schema.Choice("blob.backend", options.backend, {"files", "s3"},
                  {"\"files\"",
                   "Where stored objects go: a folder of this server's data folder, or a bucket, "
                   "which several servers can share."});
    schema.Bytes("blob.max_bytes", options.max_bytes, 1024, 1ULL << 30U,
                 {"\"64MiB\"", "The largest object that may be uploaded."});
    schema.Integer("blob.puts_at_once", options.puts_at_once, 1, 1024,
                   {"8",
                    "Objects that are being stored at once; with S3 each holds one part in "
                    "memory."});
    schema.Integer("blob.puts_waiting", options.puts_waiting, 0, 100'000,
                   {"256", "Objects that may wait until they are stored."});
    schema.Duration("blob.put_wait", options.put_wait, 10ms, 10min,
                    {"\"30s\"", "How long an object may wait until it is stored."});
    schema.Duration(
        "blob.write_timeout", options.write_timeout, 10s, 24h,
        {"\"15m\"", "After so long without a sign of life a half-written object is removed."});
    schema.Duration("blob.sweep_interval", options.sweep_interval, 50ms, 1h,
                    {"\"30s\"", "How often expired and deleted objects are removed."});
    schema.Text("blob.s3_endpoint", options.s3_endpoint,
                {"\"https://s3.eu-central-1.amazonaws.com\"",
                 "Address of the S3 storage: scheme, host and port."});
    schema.Text("blob.s3_region", options.s3_region,
                {"\"us-east-1\"", "Region that S3 requests are signed for."});
    schema.Text("blob.s3_bucket", options.s3_bucket,
                {"\"voiceflow\"", "The bucket; it must exist."});
    schema.Text("blob.s3_access_key", options.s3_access_key,
                {"\"AKIA…\"", "Access key id of the S3 storage."});
    schema.Secret("blob.s3_secret_key", options.s3_secret_key,
                  {"\"…\"", "Secret access key of the S3 storage."});
    schema.Flag("blob.s3_path_style", options.s3_path_style,
                {"true", "The bucket stands in the path; false: in the host's name."});
    schema.Text("blob.s3_prefix", options.s3_prefix,
                {"\"voiceflow/\"", "What the keys of all objects start with."});
    schema.Bytes("blob.s3_part_bytes", options.s3_part_bytes, 5ULL << 20U, 1ULL << 30U,
                 {"\"16MiB\"", "Larger objects are sent in parts of this size."});
    schema.Duration("blob.s3_timeout", options.s3_timeout, 100ms, 10min,
                    {"\"30s\"", "How long one request to the S3 storage may take."});
}

}  // namespace vf::blob
