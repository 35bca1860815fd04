-- Background work (src/jobs). Payload and result are encrypted by the server and expire.
CREATE TABLE jobs (
    id                uuid        PRIMARY KEY,
    team_id           uuid        NOT NULL REFERENCES teams ON DELETE CASCADE,
    key_id            uuid        REFERENCES api_keys ON DELETE SET NULL,  -- with which it was made
    kind              text        NOT NULL CHECK (kind ~ '^[a-z][a-z0-9_]{0,62}$'),
    state             text        NOT NULL DEFAULT 'queued' CHECK (state IN
                          ('queued', 'running', 'succeeded', 'failed', 'cancelled', 'dead')),
    live              boolean     NOT NULL,
    payload           bytea,
    payload_expires_at timestamptz NOT NULL,
    keep_payload      interval    NOT NULL,
    result            bytea,
    result_type       text,                              -- media type
    result_expires_at timestamptz,
    keep_result       interval    NOT NULL,
    progress          double precision NOT NULL DEFAULT 0 CHECK (progress BETWEEN 0 AND 1),
    note              text        NOT NULL DEFAULT '',
    attempt           integer     NOT NULL DEFAULT 0,    -- how often it was started
    max_attempts      integer     NOT NULL CHECK (max_attempts BETWEEN 1 AND 100),
    run_at            timestamptz NOT NULL,              -- not before
    holder            text,                              -- the process that runs it
    lease_until       timestamptz,
    cancel_requested  boolean     NOT NULL DEFAULT false,
    error_code        text,
    error_message     text,
    created_at        timestamptz NOT NULL DEFAULT now(),
    started_at        timestamptz,                       -- of the last attempt
    finished_at       timestamptz,
    CHECK ((state = 'running') = (holder IS NOT NULL AND lease_until IS NOT NULL)),
    CHECK ((state IN ('queued', 'running')) = (finished_at IS NULL))
);
CREATE INDEX jobs_of_team ON jobs (team_id, id);
CREATE INDEX jobs_open ON jobs (team_id) WHERE state IN ('queued', 'running');
CREATE INDEX jobs_to_claim ON jobs (kind, team_id, run_at, id) WHERE state = 'queued';
CREATE INDEX jobs_by_lease ON jobs (lease_until) WHERE state = 'running';
CREATE INDEX jobs_dead ON jobs (id) WHERE state = 'dead';
CREATE INDEX jobs_by_end ON jobs (finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX jobs_by_payload_end ON jobs (payload_expires_at) WHERE payload IS NOT NULL;
CREATE INDEX jobs_by_result_end ON jobs (result_expires_at) WHERE result IS NOT NULL;
SELECT vf_wall('jobs');
