-- One row for every operation, written by the shippers of the nodes (src/usage) and never changed.
-- The operation's id is a UUIDv7, so that it is the partition key as well: a month's partition
-- begins at the first id of its first millisecond, UTC.
CREATE TABLE usage_rows (
    id                 uuid        NOT NULL PRIMARY KEY,
    team_id            uuid        NOT NULL,  -- no foreign keys: a row outlives what it names
    key_id             uuid,
    billing_account_id uuid        NOT NULL,
    node_id            uuid        NOT NULL,
    started_at         timestamptz NOT NULL,
    characters         bigint      NOT NULL,
    audio_ms           bigint      NOT NULL,
    engine_ms          bigint      NOT NULL,
    bytes              bigint      NOT NULL,
    charge_milli       bigint      NOT NULL,
    status             smallint    NOT NULL,
    live               boolean     NOT NULL,
    cached             boolean     NOT NULL,
    streamed           boolean     NOT NULL,
    kind               text        NOT NULL,
    delivery           text        NOT NULL,
    route              text        NOT NULL,
    voice              text        NOT NULL,
    model              text        NOT NULL,
    engine             text        NOT NULL,
    region             text        NOT NULL,
    deployment         text        NOT NULL
) PARTITION BY RANGE (id);
COMMENT ON COLUMN usage_rows.charge_milli IS 'thousandths of a minor unit, beyond the allowance';
CREATE INDEX usage_rows_by_team ON usage_rows (team_id, id DESC);

SELECT vf_wall('usage_rows');
REVOKE INSERT, UPDATE, DELETE ON usage_rows FROM voiceflow_app;
REVOKE UPDATE ON usage_rows FROM voiceflow_system;

-- The smallest UUIDv7 of a time's millisecond.
CREATE FUNCTION vf_first_id(at timestamptz) RETURNS uuid LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog AS
$$ SELECT (lpad(to_hex(floor(extract(epoch FROM at) * 1000)::bigint), 12, '0')
           || '00000000000000000000')::uuid $$;

-- Makes the partition of a month, when it is missing; callable by every node at once. The tables
-- belong to the owner and nobody else may touch them but through usage_rows.
CREATE FUNCTION vf_usage_partition(month date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    first date;
    name  text;
BEGIN
    IF month IS NULL OR month < date '2020-01-01' OR month >= date '2101-01-01' THEN
        RAISE EXCEPTION 'no partition for %: outside of 2020 to 2100', month
            USING ERRCODE = 'datetime_field_overflow';
    END IF;
    first := date_trunc('month', month::timestamp)::date;
    name := 'usage_rows_' || to_char(first, 'YYYY_MM');
    IF to_regclass('public.' || name) IS NOT NULL THEN
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock(8533465783822118000 + 1);
    -- Asked of the table: the look-up by name may remember that there was none before the lock.
    IF EXISTS (SELECT FROM pg_class WHERE relname = name
               AND relnamespace = 'public'::regnamespace) THEN
        RETURN;
    END IF;
    -- ATTACH lets readers and writers of other months go on, CREATE … PARTITION OF would not.
    EXECUTE format('CREATE TABLE public.%I (LIKE public.usage_rows INCLUDING DEFAULTS '
                   'INCLUDING CONSTRAINTS)', name);
    EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('ALTER TABLE public.%I FORCE ROW LEVEL SECURITY', name);
    EXECUTE format('ALTER TABLE public.usage_rows ATTACH PARTITION public.%I '
                   'FOR VALUES FROM (%L) TO (%L)', name,
                   public.vf_first_id(first::timestamp AT TIME ZONE 'UTC'),
                   public.vf_first_id((first + interval '1 month') AT TIME ZONE 'UTC'));
END $$;
REVOKE EXECUTE ON FUNCTION vf_usage_partition FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vf_usage_partition TO voiceflow_system;
