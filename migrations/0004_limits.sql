-- What may be used: budgets of a calendar month (UTC), and the blocks of them that nodes hold.
--
--   left = bound - used - (units of the leases that count)
--
-- A node admits work from its leases without asking (src/limits). `used` is moved by the ingest of
-- usage rows only, in the transaction that inserts them, which takes the same amount off the node's
-- leases: whatever crashes, a unit is in a lease or in `used`, and never in both. Whoever changes a
-- lease's units has locked its budget first; whoever locks several budgets does so in the order of
-- the unique key.

CREATE TABLE budgets (
    id         uuid     PRIMARY KEY,
    subject    text     NOT NULL CHECK (subject IN ('billing', 'team', 'key')),
    subject_id uuid     NOT NULL,
    team_id    uuid,    -- null for 'billing'; no reference: usage of a team that is gone still counts
    metric     text     NOT NULL
               CHECK (metric IN ('requests', 'characters', 'audio_ms', 'spend_milli')),
    period     date     NOT NULL CHECK (extract(day FROM period) = 1),
    live       boolean  NOT NULL,
    bound      bigint   CHECK (bound >= 0),           -- null: only counted
    hard       boolean  NOT NULL DEFAULT false,       -- refuse beyond the bound
    used       bigint   NOT NULL DEFAULT 0 CHECK (used >= 0),
    alerted    smallint NOT NULL DEFAULT 0 CHECK (alerted IN (0, 80, 100)),  -- of this bound
    UNIQUE (subject, subject_id, metric, period, live),
    CHECK ((subject = 'billing') = (team_id IS NULL))
);
COMMENT ON COLUMN budgets.bound IS 'requests, characters, milliseconds, or thousandths of a minor unit';
CREATE INDEX budgets_by_period ON budgets (period);  -- old ones are swept
SELECT vf_wall('budgets');
REVOKE INSERT, UPDATE, DELETE ON budgets FROM voiceflow_app;

-- What a team or a key may cost in a month, beyond what its plan includes.
CREATE TABLE spending_bounds (
    subject     text        NOT NULL CHECK (subject IN ('team', 'key')),
    subject_id  uuid        NOT NULL,
    team_id     uuid        NOT NULL REFERENCES teams ON DELETE CASCADE,
    bound_milli bigint      NOT NULL CHECK (bound_milli >= 0),
    hard        boolean     NOT NULL DEFAULT true,  -- false: alerts only
    updated_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (subject, subject_id),
    CHECK (subject <> 'team' OR subject_id = team_id)
);
COMMENT ON COLUMN spending_bounds.bound_milli IS 'thousandths of a minor unit of the plan''s currency';
SELECT vf_wall('spending_bounds');

CREATE FUNCTION vf_spending_bound_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed text := coalesce(to_jsonb(NEW), to_jsonb(OLD)) ->> 'subject_id';
BEGIN
    INSERT INTO access_changes (kind, subject) VALUES (TG_TABLE_NAME, changed);
    PERFORM pg_notify('vf_access', TG_TABLE_NAME || ' ' || changed);
    RETURN NULL;
END $$;
CREATE TRIGGER access_changed AFTER INSERT OR DELETE OR UPDATE
    ON spending_bounds FOR EACH ROW EXECUTE FUNCTION vf_spending_bound_changed();

-- One run of one node's process. Its heartbeat is one row, however many leases it holds.
CREATE TABLE lease_holders (
    id         uuid        PRIMARY KEY,
    node_id    uuid        NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);
CREATE INDEX lease_holders_by_node ON lease_holders (node_id);
CREATE INDEX lease_holders_by_expiry ON lease_holders (expires_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON lease_holders TO voiceflow_system;

-- Units taken from a budget and not yet in `used`. The open one (no expiry of its own) is what its
-- holder admits from; a closed one waits for the rows of what was admitted.
CREATE TABLE leases (
    id         uuid        PRIMARY KEY,
    seq        bigint      GENERATED ALWAYS AS IDENTITY,  -- shipped rows are taken off the oldest
    budget_id  uuid        NOT NULL REFERENCES budgets ON DELETE CASCADE,
    holder_id  uuid        NOT NULL REFERENCES lease_holders ON DELETE CASCADE,
    units      bigint      NOT NULL CHECK (units >= 0),
    expires_at timestamptz                                -- null: open, expires with its holder
);
CREATE UNIQUE INDEX leases_open ON leases (budget_id, holder_id) WHERE expires_at IS NULL;
CREATE INDEX leases_by_budget ON leases (budget_id) WHERE units > 0;
CREATE INDEX leases_by_holder ON leases (holder_id);
CREATE INDEX leases_closed ON leases (expires_at) WHERE expires_at IS NOT NULL;
GRANT SELECT, INSERT, UPDATE, DELETE ON leases TO voiceflow_system;

-- The bound that is in force now: of the plan, where an allowance is hard unless more has a price
-- (test usage is never billed: hard), or the spending bound. No row or a null bound: only counted.
CREATE FUNCTION vf_budget_bound(of_subject text, of_id uuid, of_metric text, of_live boolean)
RETURNS TABLE (bound bigint, hard boolean) LANGUAGE sql STABLE AS $$
    SELECT CASE of_metric WHEN 'requests' THEN p.requests
                          WHEN 'characters' THEN p.characters
                          WHEN 'audio_ms' THEN p.audio_ms END,
           NOT of_live OR CASE of_metric WHEN 'requests' THEN p.over_request_milli
                                         WHEN 'characters' THEN p.over_character_milli
                                         ELSE p.over_audio_second_milli END IS NULL
    FROM billing_accounts a JOIN plans p ON p.id = a.plan_id
    WHERE of_subject = 'billing' AND a.id = of_id AND of_metric <> 'spend_milli'
    UNION ALL
    SELECT s.bound_milli, s.hard FROM spending_bounds s
    WHERE of_live AND of_metric = 'spend_milli' AND s.subject = of_subject AND s.subject_id = of_id
$$;

-- Takes a block: about an eighth of what is left, at least what is needed or wanted, at most
-- `block`. Less than needed: nothing when the budget is hard, what there is when it is not.
-- A block of 0 takes what is needed only.
-- A holder counts five seconds longer for others than for itself, which covers a heartbeat that
-- commits late. status: 'ok', 'unbounded' (nothing to take), 'expired' (the holder is).
CREATE FUNCTION vf_lease_take(
    new_budget uuid, of_subject text, of_id uuid, of_team uuid, of_metric text, of_period date,
    of_live boolean, new_lease uuid, of_holder uuid, needed bigint, wanted bigint, block bigint)
RETURNS TABLE (status text, budget uuid, granted bigint, remaining bigint, bound bigint, hard boolean)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    b      budgets;
    f      record;
    spare  bigint;
    amount bigint;
BEGIN
    -- The common answer for spending bounds writes nothing.
    IF (SELECT v.bound FROM vf_budget_bound(of_subject, of_id, of_metric, of_live) v) IS NULL THEN
        RETURN QUERY SELECT 'unbounded', NULL::uuid, 0::bigint, NULL::bigint, NULL::bigint, false;
        RETURN;
    END IF;
    INSERT INTO budgets (id, subject, subject_id, team_id, metric, period, live)
        SELECT new_budget, of_subject, of_id, of_team, of_metric, of_period, of_live
        WHERE NOT EXISTS (SELECT 1 FROM budgets x WHERE x.subject = of_subject
            AND x.subject_id = of_id AND x.metric = of_metric AND x.period = of_period
            AND x.live = of_live)
        ON CONFLICT DO NOTHING;
    SELECT x.* INTO STRICT b FROM budgets x WHERE x.subject = of_subject AND x.subject_id = of_id
        AND x.metric = of_metric AND x.period = of_period AND x.live = of_live
        FOR NO KEY UPDATE;
    -- From here on every statement sees what others committed before the lock was ours.
    SELECT v.bound, v.hard INTO f FROM vf_budget_bound(of_subject, of_id, of_metric, of_live) v;
    IF b.bound IS DISTINCT FROM f.bound OR b.hard <> coalesce(f.hard, false) THEN
        UPDATE budgets x SET bound = f.bound, hard = coalesce(f.hard, false),
            alerted = CASE WHEN x.bound IS NOT DISTINCT FROM f.bound THEN x.alerted ELSE 0 END
            WHERE x.id = b.id;
    END IF;
    IF f.bound IS NULL THEN
        RETURN QUERY SELECT 'unbounded', b.id, 0::bigint, NULL::bigint, NULL::bigint, false;
        RETURN;
    END IF;
    IF NOT EXISTS (SELECT 1 FROM lease_holders h
                   WHERE h.id = of_holder AND h.expires_at > clock_timestamp()) THEN
        RETURN QUERY SELECT 'expired', b.id, 0::bigint, NULL::bigint, f.bound, f.hard;
        RETURN;
    END IF;
    SELECT f.bound - b.used - coalesce(sum(l.units), 0) INTO spare
        FROM leases l JOIN lease_holders h ON h.id = l.holder_id
        WHERE l.budget_id = b.id AND l.units > 0
        AND h.expires_at + interval '5 seconds' > clock_timestamp()
        AND (l.expires_at IS NULL OR l.expires_at > clock_timestamp());
    spare := greatest(spare, 0);
    amount := least(spare, greatest(needed, least(block, greatest((spare + 7) / 8, wanted))));
    IF f.hard AND amount < needed THEN
        amount := 0;
    END IF;
    IF amount > 0 THEN
        INSERT INTO leases (id, budget_id, holder_id, units)
            VALUES (new_lease, b.id, of_holder, amount)
            ON CONFLICT (budget_id, holder_id) WHERE expires_at IS NULL
            DO UPDATE SET units = leases.units + EXCLUDED.units;
    END IF;
    RETURN QUERY SELECT 'ok', b.id, amount, spare - amount, f.bound, f.hard;
END $$;

-- Closes the holder's open lease, of which it still held `held` units, and opens one with `kept`
-- of them. What stays in the closed one was admitted and waits for its rows, for `tail` at most.
-- So units are given back (kept < held), and so whatever an answer that never came left behind is
-- put right. False: the holder is expired.
CREATE FUNCTION vf_lease_turn(of_budget uuid, of_holder uuid, new_lease uuid, held bigint,
                              kept bigint, tail interval)
RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM budgets b WHERE b.id = of_budget FOR NO KEY UPDATE;
    IF NOT EXISTS (SELECT 1 FROM lease_holders h
                   WHERE h.id = of_holder AND h.expires_at > clock_timestamp()) THEN
        RETURN false;
    END IF;
    DELETE FROM leases l WHERE l.budget_id = of_budget AND l.holder_id = of_holder
        AND l.expires_at IS NULL AND l.units <= held;
    UPDATE leases l SET units = l.units - held, expires_at = clock_timestamp() + tail
        WHERE l.budget_id = of_budget AND l.holder_id = of_holder AND l.expires_at IS NULL;
    IF kept > 0 THEN
        INSERT INTO leases (id, budget_id, holder_id, units)
            VALUES (new_lease, of_budget, of_holder, kept);
    END IF;
    RETURN true;
END $$;

-- Moves `used` by what a batch of new rows adds, one array element for a budget and a node, takes
-- the same off the leases of that node, and returns the budgets that reached a new alert level
-- (80 or 100 % of their bound; a new bound starts anew).
CREATE FUNCTION vf_budget_ingest(new_ids uuid[], subjects text[], subject_ids uuid[], team_ids uuid[],
    metrics text[], periods date[], lives boolean[], nodes uuid[], amounts bigint[])
RETURNS TABLE (budget uuid, subject text, subject_id uuid, team uuid, metric text, period date,
               live boolean, bound bigint, used bigint, level int)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    ids uuid[];  -- of the budgets, element by element
BEGIN
    INSERT INTO budgets (id, subject, subject_id, team_id, metric, period, live)
        SELECT DISTINCT ON (d.subject, d.subject_id, d.metric, d.period, d.live)
               d.id, d.subject, d.subject_id, d.team, d.metric, d.period, d.live
        FROM unnest(new_ids, subjects, subject_ids, team_ids, metrics, periods, lives)
             AS d(id, subject, subject_id, team, metric, period, live)
        WHERE NOT EXISTS (SELECT 1 FROM budgets x WHERE x.subject = d.subject
            AND x.subject_id = d.subject_id AND x.metric = d.metric AND x.period = d.period
            AND x.live = d.live)
        ORDER BY d.subject, d.subject_id, d.metric, d.period, d.live
        ON CONFLICT DO NOTHING;
    SELECT array_agg(x.id ORDER BY d.n) INTO ids
        FROM unnest(subjects, subject_ids, metrics, periods, lives) WITH ORDINALITY
             AS d(subject, subject_id, metric, period, live, n)
        JOIN budgets x ON x.subject = d.subject AND x.subject_id = d.subject_id
            AND x.metric = d.metric AND x.period = d.period AND x.live = d.live;
    PERFORM 1 FROM budgets x WHERE x.id = ANY (ids)
        ORDER BY x.subject, x.subject_id, x.metric, x.period, x.live FOR NO KEY UPDATE;

    -- Oldest first. A dead holder's leases take part, so that what its journal still brings is not
    -- taken off its successor's; what a living holder closed too long ago does not.
    WITH d AS (SELECT d.id, d.node, sum(d.amount) AS amount
               FROM unnest(ids, nodes, amounts) AS d(id, node, amount) GROUP BY 1, 2),
    l AS (SELECT l.id, d.amount,
                 coalesce(sum(l.units) OVER (PARTITION BY l.budget_id, h.node_id ORDER BY l.seq
                     ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS before
          FROM d JOIN leases l ON l.budget_id = d.id
          JOIN lease_holders h ON h.id = l.holder_id AND h.node_id = d.node
          WHERE l.units > 0 AND (l.expires_at IS NULL OR l.expires_at > clock_timestamp()
                                 OR h.expires_at < clock_timestamp()))
    UPDATE leases x SET units = greatest(0, x.units - (l.amount - l.before))
        FROM l WHERE x.id = l.id AND l.amount > l.before;

    RETURN QUERY
    WITH d AS (SELECT d.id, sum(d.amount)::bigint AS amount
               FROM unnest(ids, amounts) AS d(id, amount) GROUP BY 1),
    n AS (SELECT x.id, x.used + d.amount AS used, f.bound, coalesce(f.hard, false) AS hard,
                 CASE WHEN x.bound IS NOT DISTINCT FROM f.bound THEN x.alerted ELSE 0 END AS before
          FROM d JOIN budgets x ON x.id = d.id
          LEFT JOIN LATERAL vf_budget_bound(x.subject, x.subject_id, x.metric, x.live) f ON true),
    m AS (SELECT n.*, greatest(n.before, CASE WHEN n.used >= n.bound THEN 100
                                              WHEN n.used >= n.bound - n.bound / 5 THEN 80
                                              ELSE 0 END)::smallint AS level FROM n),
    u AS (UPDATE budgets x SET used = m.used, bound = m.bound, hard = m.hard, alerted = m.level
          FROM m WHERE x.id = m.id
          RETURNING x.*, m.before)
    SELECT u.id, u.subject, u.subject_id, u.team_id, u.metric, u.period, u.live, u.bound, u.used,
           u.alerted::int FROM u WHERE u.alerted > u.before;
END $$;
