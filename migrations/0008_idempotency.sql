-- Requests that carried an Idempotency-Key: the same key with the same request is answered again and
-- charged once. The operation's id is kept, so that whatever has to be done again is accounted under
-- the id that was (or was not) charged the first time. Kept for a day.
CREATE TABLE idempotent_requests (
    team_id        uuid        NOT NULL REFERENCES teams ON DELETE CASCADE,
    key_sha256     bytea       NOT NULL CHECK (length(key_sha256) = 32),
    request_sha256 bytea       NOT NULL CHECK (length(request_sha256) = 32),
    operation_id   uuid        NOT NULL,
    node_id        uuid        NOT NULL,  -- that works on it, or did
    state          text        NOT NULL CHECK (state IN ('working', 'done')),
    lease_until    timestamptz NOT NULL,  -- a node that works longer is taken for dead
    status         smallint,
    headers        jsonb,
    blob_id        uuid,                  -- the body; null: too large to keep
    expires_at     timestamptz NOT NULL,
    PRIMARY KEY (team_id, key_sha256)
);
CREATE INDEX idempotent_requests_by_expiry ON idempotent_requests (expires_at);
CREATE INDEX idempotent_requests_at_work ON idempotent_requests (node_id) WHERE state = 'working';
SELECT vf_wall('idempotent_requests');
