-- Stored objects of teams. The bytes are elsewhere (a folder or S3), sealed; what stands here is who
-- owns them, how to open them and when they go. A row is there before its object and goes after it,
-- so that no object is ever without a row, whatever crashes in between.
CREATE TABLE blobs (
    id           uuid        PRIMARY KEY,
    team_id      uuid        NOT NULL REFERENCES teams,
    name         text        NOT NULL DEFAULT '' CHECK (length(name) <= 255),  -- to show; never a path
    content_type text        NOT NULL CHECK (length(content_type) BETWEEN 3 AND 255),
    bytes        bigint      NOT NULL CHECK (bytes >= 0),  -- while writing: what is reserved
    sha256       bytea       CHECK (length(sha256) = 32),  -- of the plain content
    backend      text        NOT NULL CHECK (backend IN ('files', 's3')),
    key_id       text        NOT NULL,                     -- of the server's key file
    live         boolean     NOT NULL,
    state        text        NOT NULL CHECK (state IN ('writing', 'ready', 'deleting')),
    created_at   timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz,
    -- When the sweeper has to look at the row. Writing: its writer has given up by then. Ready: when
    -- it expires. Deleting: the next try to remove the object.
    sweep_after  timestamptz,
    CHECK (state = 'ready' OR sweep_after IS NOT NULL),
    CHECK (state <> 'ready' OR (sha256 IS NOT NULL AND sweep_after IS NOT DISTINCT FROM expires_at))
);
CREATE INDEX blobs_by_team ON blobs (team_id, id) WHERE state = 'ready';
CREATE INDEX blobs_to_sweep ON blobs (sweep_after) WHERE sweep_after IS NOT NULL;
SELECT vf_wall('blobs');

-- What a team's blobs take, reservations included; locked by whoever wants more, so that a quota
-- holds whoever writes at the same time.
CREATE TABLE blob_totals (
    team_id uuid   PRIMARY KEY REFERENCES teams ON DELETE CASCADE,
    bytes   bigint NOT NULL CHECK (bytes >= 0)
);
SELECT vf_wall('blob_totals');
