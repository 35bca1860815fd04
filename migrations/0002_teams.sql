-- The ground under many tenants: accounts, teams, who pays, plans, API keys; and the wall between
-- teams. Row-level security holds for the owner too (FORCE). The login roles are members of the two
-- groups, which the server makes before it migrates (src/pg/roles.hpp):
--   voiceflow_app     sees the rows of the team that `vf.team` names, and nothing when it names none
--   voiceflow_system  crosses teams: key look-ups, ingest, readers, sweepers, operators' commands

GRANT USAGE ON SCHEMA public TO voiceflow_app, voiceflow_system;
GRANT SELECT ON instance, schema_migrations TO voiceflow_app, voiceflow_system;
GRANT INSERT ON instance TO voiceflow_system;

-- The team of the present statement; null outside of one.
CREATE FUNCTION vf_team() RETURNS uuid LANGUAGE sql STABLE AS
$$ SELECT NULLIF(current_setting('vf.team', true), '')::uuid $$;

-- Puts the wall around a table with a team column, and says what each group may do behind it.
CREATE FUNCTION vf_wall(target regclass, team_column text DEFAULT 'team_id') RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', target);
    EXECUTE format('CREATE POLICY of_team ON %s TO voiceflow_app USING (%I = vf_team()) '
                   'WITH CHECK (%I = vf_team())', target, team_column, team_column);
    EXECUTE format('CREATE POLICY of_system ON %s TO voiceflow_system USING (true) '
                   'WITH CHECK (true)', target);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO voiceflow_app, voiceflow_system',
                   target);
END $$;
REVOKE EXECUTE ON FUNCTION vf_wall FROM PUBLIC;

-- A time as it stands on the wire: UTC, milliseconds, Z.
CREATE FUNCTION vf_rfc3339(at timestamptz) RETURNS text LANGUAGE sql IMMUTABLE AS
$$ SELECT to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') $$;

-- Plans are data. An allowance without a value has no bound; an overage without a price is refused.
CREATE TABLE plans (
    id                      text    PRIMARY KEY CHECK (id ~ '^[a-z0-9][a-z0-9_-]{0,62}$'),
    catalogue               text    NOT NULL,
    name                    text    NOT NULL,
    tier                    text    NOT NULL CHECK (tier IN ('free', 'paid', 'enterprise')),
    currency                text    NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    price_minor             bigint  NOT NULL CHECK (price_minor >= 0),
    requests                bigint  CHECK (requests >= 0),
    characters              bigint  CHECK (characters >= 0),
    audio_ms                bigint  CHECK (audio_ms >= 0),
    over_request_milli      bigint  CHECK (over_request_milli >= 0),
    over_character_milli    bigint  CHECK (over_character_milli >= 0),
    over_audio_second_milli bigint  CHECK (over_audio_second_milli >= 0),
    concurrency             bigint  CHECK (concurrency > 0),
    text_characters         bigint  CHECK (text_characters > 0),
    voices                  bigint  CHECK (voices >= 0),
    deployments             bigint  CHECK (deployments >= 0),
    storage_bytes           bigint  CHECK (storage_bytes >= 0),
    quality                 text    NOT NULL CHECK (quality IN ('standard', 'premium', 'studio')),
    offered                 boolean NOT NULL DEFAULT true,  -- to new customers
    updated_at              timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN plans.price_minor IS 'a month, in minor units of the currency';
COMMENT ON COLUMN plans.over_request_milli IS 'thousandths of a minor unit';
GRANT SELECT ON plans TO voiceflow_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON plans TO voiceflow_system;

-- A person. Contributor and operator are profiles of it.
CREATE TABLE accounts (
    id                uuid        PRIMARY KEY,
    email             text        NOT NULL,           -- as its owner writes it
    email_canonical   text        NOT NULL UNIQUE,    -- what makes two addresses the same
    name              text        NOT NULL DEFAULT '',
    password_hash     text,                           -- null: none set
    email_verified_at timestamptz,
    is_operator       boolean     NOT NULL DEFAULT false,
    created_at        timestamptz NOT NULL DEFAULT now(),
    deleted_at        timestamptz
);
GRANT SELECT, INSERT, UPDATE, DELETE ON accounts TO voiceflow_system;

-- Who pays, for one or more teams; the plan belongs to it.
CREATE TABLE billing_accounts (
    id          uuid        PRIMARY KEY,
    name        text        NOT NULL,
    plan_id     text        NOT NULL REFERENCES plans,
    created_at  timestamptz NOT NULL DEFAULT now()
);
GRANT SELECT, INSERT, UPDATE, DELETE ON billing_accounts TO voiceflow_system;

-- The tenant. A parent is a reseller's team with clients below it.
CREATE TABLE teams (
    id                 uuid        PRIMARY KEY,
    parent_id          uuid        REFERENCES teams,
    billing_account_id uuid        NOT NULL REFERENCES billing_accounts,
    name               text        NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    is_personal        boolean     NOT NULL DEFAULT false,
    created_at         timestamptz NOT NULL DEFAULT now(),
    deleted_at         timestamptz
);
CREATE INDEX teams_by_billing_account ON teams (billing_account_id);
CREATE INDEX teams_by_parent ON teams (parent_id) WHERE parent_id IS NOT NULL;

-- The demo team (base/caller.hpp, kDemoTeam): billed to nobody, bounded by nothing but the machine.
INSERT INTO plans (id, catalogue, name, tier, currency, price_minor, quality, offered)
    VALUES ('demo', 'built-in', 'Demo', 'free', 'USD', 0, 'studio', false);
INSERT INTO billing_accounts (id, name, plan_id)
    VALUES ('01930000-0000-7000-8000-0000000000de', 'Demo', 'demo');
INSERT INTO teams (id, billing_account_id, name)
    VALUES ('01930000-0000-7000-8000-0000000000de', '01930000-0000-7000-8000-0000000000de', 'Demo');

SELECT vf_wall('teams', 'id');

CREATE TABLE memberships (
    team_id    uuid        NOT NULL REFERENCES teams ON DELETE CASCADE,
    account_id uuid        NOT NULL REFERENCES accounts ON DELETE CASCADE,
    role       text        NOT NULL CHECK (role IN ('owner', 'admin', 'developer', 'viewer')),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (team_id, account_id)
);
CREATE INDEX memberships_by_account ON memberships (account_id);
SELECT vf_wall('memberships');

-- The secret itself is nowhere: SHA-256 of 256 random bits is what is kept.
CREATE TABLE api_keys (
    id                uuid        PRIMARY KEY,
    team_id           uuid        NOT NULL REFERENCES teams ON DELETE CASCADE,
    name              text        NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    description       text        NOT NULL DEFAULT '',
    live              boolean     NOT NULL,
    prefix            text        NOT NULL,            -- the first characters, to tell keys apart
    secret_sha256     bytea       NOT NULL UNIQUE CHECK (length(secret_sha256) = 32),
    scopes            text[]      NOT NULL,
    created_by        uuid        REFERENCES accounts ON DELETE SET NULL,
    created_at        timestamptz NOT NULL DEFAULT now(),
    expires_at        timestamptz,
    revoked_at        timestamptz,
    last_used_at      timestamptz,
    last_used_address text,
    requests          bigint      NOT NULL DEFAULT 0
);
CREATE INDEX api_keys_by_team ON api_keys (team_id, id);
SELECT vf_wall('api_keys');

-- What was set, for a team or (no team) for the installation.
CREATE TABLE settings (
    team_id    uuid        REFERENCES teams ON DELETE CASCADE,
    name       text        NOT NULL,
    value      jsonb       NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE NULLS NOT DISTINCT (team_id, name)
);
SELECT vf_wall('settings');

-- Whatever changes what a caller may do, for the caches of every node: notified at once, and read
-- again by polling in case a notification is lost. Old rows are swept.
CREATE TABLE access_changes (
    seq     bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind    text        NOT NULL,  -- the table that changed
    subject text        NOT NULL,  -- the id of its row
    at      timestamptz NOT NULL DEFAULT clock_timestamp()
);
GRANT SELECT, INSERT, DELETE ON access_changes TO voiceflow_system;
GRANT INSERT ON access_changes TO voiceflow_app;

CREATE FUNCTION vf_access_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed text := CASE TG_OP WHEN 'INSERT' THEN to_jsonb(NEW) ELSE to_jsonb(OLD) END ->> 'id';
BEGIN
    INSERT INTO access_changes (kind, subject) VALUES (TG_TABLE_NAME, changed);
    PERFORM pg_notify('vf_access', TG_TABLE_NAME || ' ' || changed);
    RETURN NULL;
END $$;

-- The first account or key ends the demo mode.
CREATE TRIGGER access_changed AFTER INSERT ON accounts FOR EACH ROW
    EXECUTE FUNCTION vf_access_changed();
CREATE TRIGGER access_changed
    AFTER INSERT OR DELETE OR UPDATE OF revoked_at, expires_at, scopes, team_id
    ON api_keys FOR EACH ROW EXECUTE FUNCTION vf_access_changed();
CREATE TRIGGER access_changed AFTER DELETE OR UPDATE OF deleted_at, billing_account_id
    ON teams FOR EACH ROW EXECUTE FUNCTION vf_access_changed();
CREATE TRIGGER access_changed AFTER DELETE OR UPDATE OF plan_id
    ON billing_accounts FOR EACH ROW EXECUTE FUNCTION vf_access_changed();
CREATE TRIGGER access_changed AFTER DELETE OR UPDATE
    ON plans FOR EACH ROW EXECUTE FUNCTION vf_access_changed();
