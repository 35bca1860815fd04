-- The outbox: every change of state, written in the transaction that makes it (src/events).
--
-- A number is taken before its transaction commits, so that numbers become visible out of order: a
-- reader that remembers the last one it saw would lose those of slower transactions. Whoever
-- appends therefore holds a shared advisory lock to the end of its transaction, from before it
-- takes a number. Every event up to the number N is final as soon as nobody holds the lock any more
-- of those who held it after N was the sequence's last value. Readers then go by the number alone,
-- which is also the order of cause and effect: of two transactions that change the same thing, the
-- second takes its numbers after the first has ended. (The order of transaction ids is not: the
-- second may have had its id first.) Long transactions that append nothing delay nobody.

CREATE TABLE events (
    seq        bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id         uuid        NOT NULL UNIQUE,
    team_id    uuid        NOT NULL REFERENCES teams ON DELETE CASCADE,
    type       text        NOT NULL CHECK (type ~ '^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$' AND
                                           length(type) <= 64),
    resource   text        NOT NULL CHECK (length(resource) <= 200),  -- wire id of what changed
    live       boolean     NOT NULL,
    data       jsonb       NOT NULL CHECK (jsonb_typeof(data) = 'object'),
    actor      jsonb       CHECK (jsonb_typeof(actor) = 'object'),    -- null: the server itself
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX events_by_team ON events (team_id, seq);
SELECT vf_wall('events');
GRANT SELECT ON SEQUENCE events_seq_seq TO voiceflow_system;

-- Fires before the first row's number is taken. The keys are "vfev" and 0.
CREATE FUNCTION vf_event_appending() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(1986422134, 0);
    RETURN NULL;
END $$;
CREATE TRIGGER event_appending BEFORE INSERT ON events
    FOR EACH STATEMENT EXECUTE FUNCTION vf_event_appending();

-- Delivered at the commit, once a team however many events it appended.
CREATE FUNCTION vf_event_appended() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('vf_events', NEW.team_id::text);
    RETURN NULL;
END $$;
CREATE TRIGGER event_appended AFTER INSERT ON events
    FOR EACH ROW EXECUTE FUNCTION vf_event_appended();

-- How far each reader is, and which process runs it now.
CREATE TABLE event_readers (
    name        text        PRIMARY KEY CHECK (name ~ '^[a-z][a-z0-9_]{0,62}$'),
    seq         bigint      NOT NULL,      -- everything up to this one is done
    holder      text,                      -- null: nobody
    lease_until timestamptz NOT NULL DEFAULT '-infinity',
    moved_at    timestamptz NOT NULL DEFAULT now(),  -- when it last got on, or had nothing to do
    created_at  timestamptz NOT NULL DEFAULT now()
);
GRANT SELECT, INSERT, UPDATE, DELETE ON event_readers TO voiceflow_system;
