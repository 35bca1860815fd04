-- Pronunciation dictionaries of teams. A version never changes once made; a dictionary is a name and
-- the way to its latest version.
CREATE TABLE dictionaries (
    id          uuid        PRIMARY KEY,
    team_id     uuid        NOT NULL REFERENCES teams ON DELETE CASCADE,
    name        text        NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    description text        NOT NULL DEFAULT '' CHECK (length(description) <= 2000),
    latest_id   uuid        NOT NULL,
    created_by  text        NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    archived_at timestamptz
);
CREATE UNIQUE INDEX dictionaries_by_name ON dictionaries (team_id, name) WHERE archived_at IS NULL;
CREATE INDEX dictionaries_by_team ON dictionaries (team_id, id);
SELECT vf_wall('dictionaries');

CREATE TABLE dictionary_versions (
    id            uuid        PRIMARY KEY,
    team_id       uuid        NOT NULL REFERENCES teams ON DELETE CASCADE,
    dictionary_id uuid        NOT NULL REFERENCES dictionaries ON DELETE CASCADE,
    number        bigint      NOT NULL CHECK (number > 0),  -- of the dictionary, from 1
    rules         jsonb       NOT NULL,                     -- an array, in the order of the rules
    rule_count    bigint      NOT NULL CHECK (rule_count >= 0),
    created_by    text        NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    UNIQUE (dictionary_id, number)
);
CREATE INDEX dictionary_versions_by_dictionary ON dictionary_versions (team_id, dictionary_id, id);
SELECT vf_wall('dictionary_versions');

ALTER TABLE dictionaries ADD CONSTRAINT dictionaries_latest FOREIGN KEY (latest_id)
    REFERENCES dictionary_versions DEFERRABLE INITIALLY DEFERRED;

-- What a team's requests use that name none, in this order.
CREATE TABLE dictionary_defaults (
    team_id       uuid    NOT NULL REFERENCES teams ON DELETE CASCADE,
    position      integer NOT NULL CHECK (position BETWEEN 0 AND 2),
    dictionary_id uuid    NOT NULL REFERENCES dictionaries ON DELETE CASCADE,
    PRIMARY KEY (team_id, position),
    UNIQUE (team_id, dictionary_id)
);
CREATE INDEX dictionary_defaults_by_dictionary ON dictionary_defaults (dictionary_id);
SELECT vf_wall('dictionary_defaults');
