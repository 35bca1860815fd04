-- A team's own accounts at vendors of speech, and what their use cost.

-- The key is encrypted with the server's key, bound to team and row. Voices: an array of
-- {"id", "name", "languages", "gender"}.
CREATE TABLE vendor_connections (
    id                 uuid        PRIMARY KEY,
    team_id            uuid        NOT NULL REFERENCES teams ON DELETE CASCADE,
    vendor             text        NOT NULL CHECK (vendor IN ('elevenlabs', 'openai', 'cartesia')),
    name               text        NOT NULL CHECK (name ~ '^[a-z0-9][a-z0-9_-]{0,31}$'),
    base_url           text        NOT NULL CHECK (length(base_url) BETWEEN 1 AND 300),
    sealed_key         bytea       NOT NULL,
    key_hint           text        NOT NULL CHECK (length(key_hint) <= 4),
    model              text        NOT NULL CHECK (length(model) BETWEEN 1 AND 100),
    voices             jsonb       NOT NULL,
    price_per_million  bigint      CHECK (price_per_million >= 0),  -- minor units, a million characters
    currency           text        CHECK (currency ~ '^[A-Z]{3}$'),
    fallback           integer     CHECK (fallback BETWEEN 1 AND 100),
    last_error_code    text,
    last_error_message text,
    last_error_at      timestamptz,
    created_by         text        NOT NULL,
    created_at         timestamptz NOT NULL DEFAULT now(),
    updated_at         timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT vendor_connections_name UNIQUE (team_id, name),
    CHECK ((price_per_million IS NULL) = (currency IS NULL))
);
CREATE INDEX vendor_connections_by_team ON vendor_connections (team_id, id);
SELECT vf_wall('vendor_connections');

-- Apart from charge_milli: what the team's own vendor account paid, not what we charge.
ALTER TABLE usage_rows ADD COLUMN vendor_milli bigint NOT NULL DEFAULT 0;
ALTER TABLE usage_rows ADD COLUMN vendor_currency text NOT NULL DEFAULT '';
COMMENT ON COLUMN usage_rows.vendor_milli IS 'thousandths of a minor unit of vendor_currency';
