-- What was spoken lately, and how a team's voices speak when a request does not say.

-- One speech. Its text and whatever tells of the text are encrypted with the server's key; its audio
-- is a stored object, without a foreign key, since either may go first.
CREATE TABLE history_items (
    id            uuid        PRIMARY KEY,
    team_id       uuid        NOT NULL REFERENCES teams ON DELETE CASCADE,
    request_id    text        NOT NULL CHECK (length(request_id) BETWEEN 1 AND 128),
    voice         text        NOT NULL,
    voice_name    text        NOT NULL,
    model         text        NOT NULL,
    sealed        bytea       NOT NULL,  -- text, settings, alignments, dialogue
    characters    bigint      NOT NULL CHECK (characters >= 0),
    output_format text        NOT NULL,
    content_type  text        NOT NULL,
    extension     text        NOT NULL,
    blob_id       uuid,
    live          boolean     NOT NULL,
    created_at    timestamptz NOT NULL,
    expires_at    timestamptz NOT NULL
);
CREATE INDEX history_items_by_team ON history_items (team_id, id);
CREATE INDEX history_items_by_request ON history_items (team_id, request_id, created_at);
CREATE INDEX history_items_by_expiry ON history_items (expires_at);
SELECT vf_wall('history_items');

CREATE TABLE voice_settings (
    team_id           uuid             NOT NULL REFERENCES teams ON DELETE CASCADE,
    voice             text             NOT NULL CHECK (length(voice) BETWEEN 1 AND 200),
    stability         double precision NOT NULL CHECK (stability BETWEEN 0 AND 1),
    similarity_boost  double precision NOT NULL CHECK (similarity_boost BETWEEN 0 AND 1),
    style             double precision NOT NULL CHECK (style BETWEEN 0 AND 1),
    use_speaker_boost boolean          NOT NULL,
    speed             double precision NOT NULL CHECK (speed BETWEEN 0.7 AND 1.2),
    updated_at        timestamptz      NOT NULL DEFAULT now(),
    PRIMARY KEY (team_id, voice)
);
SELECT vf_wall('voice_settings');
