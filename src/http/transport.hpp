#pragma once
// Bytes in and out of one non-blocking socket, plain or TLS. Nothing here waits: the connection
// waits for the descriptor and tries again.

#include <sys/uio.h>

#include <cstddef>
#include <memory>
#include <string>

#include "base/result.hpp"

struct ssl_ctx_st;

namespace vf::http {

struct IoResult {
    enum class Kind { kDone, kWantRead, kWantWrite, kEnd, kError };
    Kind kind = Kind::kError;
    std::size_t bytes = 0;
};

class Transport {
public:
    virtual ~Transport() = default;
    virtual IoResult Read(char* out, std::size_t size) = 0;
    // Writes as much of the pieces as fits now.
    virtual IoResult Write(const iovec* pieces, int count) = 0;
    // True when Read() has bytes without the socket becoming readable.
    virtual bool HasPending() const { return false; }
    // Says that nothing more will be written.
    virtual void FinishWriting() = 0;
};

// `fd` must outlive the transport, which does not close it.
std::unique_ptr<Transport> MakePlainTransport(int fd);

// Certificate and settings shared by all TLS connections of a server: TLS 1.2 or later, ALPN
// http/1.1, no renegotiation.
class TlsContext {
public:
    // Reads PEM files; the error is a sentence for the operator.
    static Result<TlsContext> Load(const std::string& certificate, const std::string& key);

    std::unique_ptr<Transport> MakeTransport(int fd) const;

private:
    std::shared_ptr<ssl_ctx_st> context_;
};

}  // namespace vf::http
