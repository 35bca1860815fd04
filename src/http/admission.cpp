#include "http/admission.hpp"

#include <algorithm>
#include <exception>

#include "base/ids.hpp"
#include "base/log.hpp"
#include "base/unavailable.hpp"
#include "http/negotiate.hpp"
#include "http/target.hpp"

namespace vf::http {
namespace {

std::string JoinList(const std::vector<std::string>& items) {
    std::string out;
    for (const std::string& item : items) {
        if (!out.empty()) out += ", ";
        out += item;
    }
    return out;
}

Response NoSuchMethod(unsigned allowed, Method method, const Request& request, ErrorFormat format) {
    const std::string allow = AllowHeader(allowed);
    Response response(204);
    if (method != Method::kOptions) {
        response = format(Error(ErrorKind::kMethodNotAllowed, "method_not_allowed",
                                "This path knows " + allow + "."),
                          request);
    }
    response.headers.Set("Allow", allow);
    return response;
}

// 417, 411, 413 and 415, in this order: the header's own faults first, then those of the body.
Result<void> CheckBodyForm(const RequestHead& head, const Request& request,
                           const RouteOptions& options, std::uint64_t max_body) {
    if (request.headers.Has("Expect") && request.minor_version == 1 &&
        !EqualsIgnoringCase(request.headers.Get("Expect"), "100-continue")) {
        return Error(ErrorKind::kExpectationFailed, "expectation_failed",
                     "The only expectation known here is \"100-continue\".");
    }
    const bool carries_body = request.method == Method::kPost || request.method == Method::kPut ||
                              request.method == Method::kPatch;
    if (carries_body && !options.consumes.empty() && !head.has_length && !head.is_chunked) {
        return Error(ErrorKind::kLengthRequired, "length_required",
                     "This request needs a body with a Content-Length or chunked.");
    }
    if (head.content_length > max_body) {
        return Error(ErrorKind::kTooLarge, "body_too_large",
                     "The body is larger than " + std::to_string(max_body) + " bytes.");
    }
    const bool is_typed = head.has_body() || !request.media_type.empty();
    if (!options.consumes.empty() && is_typed &&
        std::ranges::find(options.consumes, request.media_type) == options.consumes.end()) {
        return Error(ErrorKind::kUnsupportedMediaType, "unsupported_media_type",
                     "The Content-Type must be " + JoinList(options.consumes) + ".");
    }
    return {};
}

Result<void> CheckAccept(const Request& request, const RouteOptions& options) {
    if (options.produces.empty() || !request.headers.Has("Accept")) return {};
    if (AcceptsOneOf(request.headers.Joined("Accept"), options.produces)) return {};
    return Error(ErrorKind::kNotAcceptable, "not_acceptable",
                 "This path answers with " + JoinList(options.produces) + " only.");
}

void ResetRequest(RequestHead& head, Request& request) {
    request.minor_version = head.minor_version;
    std::swap(request.target, head.target);
    std::swap(request.headers, head.headers);
    request.body.clear();
    request.path.clear();
    request.path_params.clear();
    request.route = "none";
    request.cancel.reset();
    request.caller = Caller();
    request.caller.address = request.peer.address;
    request.operation.reset();
    request.media_type = MediaTypeWithoutParameters(request.headers.Get("Content-Type"));
    const std::string_view id = request.headers.Get("X-Request-Id");
    if (IsRequestId(id)) {
        request.id = id;
    } else {
        request.id = RequestId::New().Wire();
    }
}

}  // namespace

bool IsRequestId(std::string_view text) {
    constexpr std::size_t kMaxSize = 128;
    return !text.empty() && text.size() <= kMaxSize && std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '.' || c == '_' || c == '-';
    });
}

Admission Admit(RequestHead& head, Request& request, Router& router, std::uint64_t max_body) {
    Admission admission;
    ResetRequest(head, request);
    TargetParts parts;
    Result<void> parsed = ParseTarget(request.target, parts);
    request.path = std::move(parts.path);
    const std::optional<Method> method = ParseMethod(head.method);
    request.method = method.value_or(Method::kGet);
    const auto refuse = [&](const Error& error, ErrorFormat format) {
        admission.answer = format(error, request);
        return std::move(admission);
    };
    if (!parsed) return refuse(parsed.error(), router.ErrorsFor(request.path));
    if (!method && (head.method == "TRACE" || head.method == "CONNECT" || head.method == "QUERY")) {
        // Registered methods that no path has: 405, not 501, which says "never heard of it".
        const unsigned allowed = router.Find(Method::kGet, parts.segments).allowed;
        const ErrorFormat format = router.ErrorsFor(request.path);
        if (allowed != 0) {
            admission.answer = NoSuchMethod(allowed, Method::kGet, request, format);
            return admission;
        }
    }
    if (!method) {
        const Error unknown(ErrorKind::kNotImplemented, "method_not_implemented",
                            "The method " + head.method + " is not known here.");
        return refuse(unknown, router.ErrorsFor(request.path));
    }
    if (request.path == "*") {
        admission.answer = Response(204);
        return admission;
    }
    Router::Match match = router.Find(*method, parts.segments);
    if (!match.route) {
        const ErrorFormat format = router.ErrorsFor(request.path);
        if (match.allowed == 0) {
            return refuse(Error(ErrorKind::kNotFound, "not_found", "There is no such path."),
                          format);
        }
        admission.answer = NoSuchMethod(match.allowed, *method, request, format);
        return admission;
    }
    const RouteOptions& options = match.route->options;
    admission.route = match.route;
    admission.max_body = options.max_body > 0 ? options.max_body : max_body;
    request.route = match.route->pattern;
    request.path_params = std::move(match.params);
    if (options.guard.early) {
        std::optional<Result<void>> allowed;
        try {
            allowed = options.guard.early(request);
        } catch (...) {
            allowed = ErrorOfException(request);
        }
        if (allowed && !*allowed) return refuse(allowed->error(), options.errors);
        admission.is_guard_late = !allowed;
    }
    Result<void> form = CheckBodyForm(head, request, options, admission.max_body);
    if (form) form = CheckAccept(request, options);
    if (!form) return refuse(form.error(), options.errors);
    admission.expects_continue =
        request.minor_version == 1 && head.has_body() && request.headers.Has("Expect");
    return admission;
}

void DescribeBadRequest(RequestHead& head, Request& request) {
    ResetRequest(head, request);
    request.method = ParseMethod(head.method).value_or(Method::kGet);
    TargetParts parts;
    const Result<void> parsed = ParseTarget(request.target, parts);
    if (parsed) request.path = std::move(parts.path);
}

Error ErrorOfException(const Request& request) {
    std::string reason;
    try {
        throw;
    } catch (const UnavailableException& e) {
        return e.error;
    } catch (const std::exception& e) {
        reason = e.what();
    } catch (...) {
        reason = "unknown exception";
    }
    log::Error("handler_failed",
               {{"request_id", request.id}, {"route", request.route}, {"error", reason}});
    return {};
}

}  // namespace vf::http
