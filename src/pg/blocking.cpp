#include "pg/blocking.hpp"

#include <libpq-fe.h>

#include "pg/pool_core.hpp"

namespace vf::pg {

BlockingConnection::BlockingConnection(const std::string& url, std::chrono::milliseconds timeout) {
    ConnectRequest request;
    request.url = url;
    request.application_name = "voiceflow-setup";
    request.timeout = timeout;
    ConnectOutcome outcome = Connect(request);
    if (!outcome.conn) {
        throw DatabaseUnavailable(
            Error(ErrorKind::kUnavailable, "database_unavailable", outcome.error), false);
    }
    conn_ = std::move(outcome.conn);
}

Rows BlockingConnection::Run(const std::string& sql) {
    return Take(PQexec(conn_.get(), sql.c_str()));
}

Rows BlockingConnection::Run(const char* sql, const std::vector<std::string>& parameters) {
    std::vector<const char*> values;
    for (const std::string& parameter : parameters) values.push_back(parameter.c_str());
    return Take(PQexecParams(conn_.get(), sql, static_cast<int>(values.size()), nullptr,
                             values.data(), nullptr, nullptr, 0));
}

Rows BlockingConnection::Take(pg_result* result) {
    const ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK || status == PGRES_EMPTY_QUERY) {
        return Rows(result);
    }
    const char* sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char* primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const std::string state = sqlstate == nullptr ? "" : sqlstate;
    std::string message = primary == nullptr ? CleanMessage(PQerrorMessage(conn_.get())) : primary;
    const char* position = PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION);
    if (position != nullptr) message += std::string(" at character ") + position;
    PQclear(result);
    if (state.empty() || PQstatus(conn_.get()) == CONNECTION_BAD) {
        throw DatabaseUnavailable(Error(ErrorKind::kUnavailable, "database_unavailable", message),
                                  true);
    }
    throw QueryError(state, "", message);
}

}  // namespace vf::pg
