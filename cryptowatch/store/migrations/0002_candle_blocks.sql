-- Candles in partitions of time, so that old ones are dropped and not deleted; blocks of 64 candles, for fast reading;
-- what revised candles were before. The laws of blocks and revisions are kept by triggers: whoever writes candles, by
-- whatever statement on `candles`, cannot break them.

-- Where the grid of an interval begins: weeks on Monday, every other interval at the epoch.
CREATE FUNCTION candle_grid_origin(interval_s integer) RETURNS timestamptz LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN interval_s = 604800 THEN timestamptz '1970-01-05 00:00Z' ELSE timestamptz '1970-01-01 00:00Z' END;

-- The open time of the first of the `steps` steps, counted from the grid's origin, among which `open_time` is.
CREATE FUNCTION candle_bin(steps integer, interval_s integer, open_time timestamptz) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN date_bin(make_interval(secs => steps::float8 * interval_s), open_time, candle_grid_origin(interval_s));

-- The partition of `candles` that holds an interval.
CREATE FUNCTION candle_family(interval_s integer) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN 'candles_' || CASE interval_s WHEN 60 THEN '1m' WHEN 300 THEN '5m' WHEN 900 THEN '15m' WHEN 1800 THEN '30m'
                                     WHEN 3600 THEN '1h' WHEN 14400 THEN '4h' WHEN 86400 THEN '1d'
                                     WHEN 604800 THEN '1w' END;

-- The partitions of an interval that hold [from_time, to_time], made where they are missing; gives how many were made.
-- One holds 10,240 candles of a market (a week at 1m): a whole number of chunks and of blocks. `…_rest` holds what has
-- no partition of its own yet. While readers are in the way it gives up and changes nothing: nothing depends on it.
CREATE FUNCTION make_candle_partitions(interval_s integer, from_time timestamptz, to_time timestamptz)
RETURNS integer LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET timezone = 'UTC' SET lock_timeout = '1s' AS $$
DECLARE
    family text := candle_family(interval_s);
    width interval := make_interval(secs => 10240.0 * interval_s);
    start timestamptz := candle_bin(10240, interval_s, from_time);
    child text;
    made integer := 0;
BEGIN
    WHILE start <= to_time LOOP
        child := format('%s_%s', family, to_char(start, 'YYYYMMDD'));
        IF to_regclass(child) IS NULL THEN
            PERFORM pg_advisory_xact_lock(7304);
            IF to_regclass(child) IS NULL THEN
                EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', family || '_rest');
                EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', child, family);
                EXECUTE format(
                    'WITH moved AS (DELETE FROM %I WHERE open_time >= %L AND open_time < %L RETURNING *)
                     INSERT INTO %I SELECT * FROM moved', family || '_rest', start, start + width, child);
                EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                               family, child, start, start + width);
                made := made + 1;
            END IF;
        END IF;
        start := start + width;
    END LOOP;
    RETURN made;
EXCEPTION WHEN lock_not_available THEN
    RETURN 0;
END $$;

DO $$
DECLARE
    seconds integer;
    family text;
    oldest timestamptz;
    newest timestamptz;
BEGIN
    FOREACH seconds IN ARRAY '{60,300,900,1800,3600,14400,86400,604800}'::integer[] LOOP
        family := candle_family(seconds);
        EXECUTE format('ALTER TABLE candles DETACH PARTITION %I', family);
        EXECUTE format('ALTER TABLE %I RENAME TO moving', family);
        EXECUTE format('ALTER INDEX %I RENAME TO moving_pkey', family || '_pkey');
        EXECUTE format('CREATE TABLE %I PARTITION OF candles FOR VALUES IN (%s) PARTITION BY RANGE (open_time)',
                       family, seconds);
        EXECUTE format('CREATE TABLE %I PARTITION OF %I DEFAULT', family || '_rest', family);
        SELECT min(open_time), max(open_time) INTO oldest, newest FROM moving;
        PERFORM make_candle_partitions(seconds, oldest, newest);
        EXECUTE format('INSERT INTO %I SELECT * FROM moving', family);
        DROP TABLE moving;
    END LOOP;
END $$;

-- 64 steps of one market, sealed when all of them are settled. A derived copy of the rows in `candles`: opens, highs,
-- lows, closes, volumes, each as 64 little-endian float64, NaN where no candle is stored. It stays in its row, so that
-- reading one needs no second look-up.
CREATE TABLE candle_blocks (
    market_id  integer NOT NULL,
    interval_s integer NOT NULL,
    start_time timestamptz NOT NULL,     -- open time of the first step
    data       bytea STORAGE PLAIN NOT NULL CHECK (octet_length(data) = 64 * 5 * 8),
    PRIMARY KEY (market_id, interval_s, start_time)
);

-- Every range of 64 steps that holds a candle has a block, or else a row here.
CREATE TABLE unsealed (
    market_id  integer NOT NULL,
    interval_s integer NOT NULL,
    start_time timestamptz NOT NULL,
    PRIMARY KEY (market_id, interval_s, start_time)
);
INSERT INTO unsealed SELECT DISTINCT market_id, interval_s, candle_bin(64, interval_s, open_time) FROM candles;

-- What a candle was before its source changed it.
CREATE TABLE candle_revisions (
    market_id  integer NOT NULL,
    interval_s integer NOT NULL,
    open_time  timestamptz NOT NULL,
    revised_at timestamptz NOT NULL DEFAULT clock_timestamp(), -- wall time
    open       float8 NOT NULL,
    high       float8 NOT NULL,
    low        float8 NOT NULL,
    close      float8 NOT NULL,
    volume     float8 NOT NULL,
    PRIMARY KEY (market_id, interval_s, open_time, revised_at)
);

-- Writers share a lock (CANDLE_WRITERS_LOCK) that whoever seals takes alone. A writer with an older snapshot would not
-- see a block that was sealed since.
CREATE FUNCTION candles_before_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
        RAISE EXCEPTION 'candles are written in READ COMMITTED transactions, not in %',
                        upper(current_setting('transaction_isolation'));
    END IF;
    PERFORM pg_advisory_xact_lock_shared(7302);
    RETURN NULL;
END $$;

-- `changed` holds the rows that came, went, or as they were before an update; `revised` as they are after it. A range
-- that is unsealed already has no block. The planner's choices are held to what is right when there are many blocks.
CREATE FUNCTION candles_after_change() RETURNS trigger LANGUAGE plpgsql
SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off AS $$
BEGIN
    WITH opened AS (
        INSERT INTO unsealed
        SELECT DISTINCT market_id, interval_s, candle_bin(64, interval_s, open_time) FROM changed ORDER BY 1, 2, 3
        ON CONFLICT DO NOTHING RETURNING market_id, interval_s, start_time
    )
    DELETE FROM candle_blocks block USING opened
    WHERE block.market_id = opened.market_id AND block.interval_s = opened.interval_s
      AND block.start_time = opened.start_time;
    RETURN NULL;
END $$;

CREATE FUNCTION candles_revised() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO candle_revisions (market_id, interval_s, open_time, open, high, low, close, volume)
    SELECT market_id, interval_s, open_time, before.open, before.high, before.low, before.close, before.volume
    FROM changed before JOIN revised after USING (market_id, interval_s, open_time)
    WHERE (before.open, before.high, before.low, before.close, before.volume)
       IS DISTINCT FROM (after.open, after.high, after.low, after.close, after.volume);
    RETURN NULL;
END $$;

CREATE FUNCTION candles_keep_their_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'market, interval and open time of a candle never change: delete it and insert another';
END $$;

CREATE TRIGGER before_change BEFORE INSERT OR UPDATE OR DELETE ON candles
    FOR EACH STATEMENT EXECUTE FUNCTION candles_before_change();
CREATE TRIGGER key_change BEFORE UPDATE OF market_id, interval_s, open_time ON candles
    FOR EACH STATEMENT EXECUTE FUNCTION candles_keep_their_key();
CREATE TRIGGER after_insert AFTER INSERT ON candles REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION candles_after_change();
CREATE TRIGGER after_delete AFTER DELETE ON candles REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION candles_after_change();
CREATE TRIGGER after_update AFTER UPDATE ON candles REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION candles_after_change();
CREATE TRIGGER after_update_keep_old AFTER UPDATE ON candles REFERENCING OLD TABLE AS changed NEW TABLE AS revised
    FOR EACH STATEMENT EXECUTE FUNCTION candles_revised();

-- Drop the oldest partition of an interval that lies wholly before `cutoff`, with its blocks and revisions; gives its
-- name, or null when there is none or readers are in the way. The last candle of each market before the cut is kept, in
-- `…_rest`: it fills the beginning of a load that starts with a gap.
CREATE FUNCTION drop_candle_partition(length integer, cutoff timestamptz)
RETURNS text LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET timezone = 'UTC' SET lock_timeout = '2s' AS $$
DECLARE
    family text := candle_family(length);
    child text;
    cut timestamptz;
BEGIN
    SELECT name, stop INTO child, cut
    FROM (SELECT inhrelid::regclass::text AS name,
                 substring(pg_get_expr(relpartbound, oid) FROM $re$TO \('([^']+)'\)$re$)::timestamptz AS stop
          FROM pg_inherits JOIN pg_class ON oid = inhrelid WHERE inhparent = family::regclass) AS partition
    WHERE stop <= cutoff ORDER BY stop LIMIT 1;
    IF child IS NULL THEN
        RETURN NULL;
    END IF;
    PERFORM pg_advisory_xact_lock(7302);
    LOCK TABLE ONLY candles IN ACCESS EXCLUSIVE MODE;

    CREATE TEMP TABLE kept ON COMMIT DROP AS
    SELECT last.* FROM series CROSS JOIN LATERAL (
        SELECT * FROM candles
        WHERE candles.market_id = series.market_id AND candles.interval_s = length AND open_time < cut
        ORDER BY open_time DESC LIMIT 1
    ) AS last WHERE series.interval_s = length;
    EXECUTE format(
        'CREATE TEMP TABLE gone ON COMMIT DROP AS
         SELECT market_id, count(*) - 1 AS candles FROM (SELECT market_id FROM %I UNION ALL
             SELECT market_id FROM %I WHERE open_time < %L) AS row GROUP BY 1',
        child, family || '_rest', cut);
    EXECUTE format('DROP TABLE %I', child);
    EXECUTE format('DELETE FROM %I WHERE open_time < %L', family || '_rest', cut);
    DELETE FROM candle_blocks WHERE interval_s = length AND start_time < cut;
    DELETE FROM unsealed WHERE interval_s = length AND start_time < cut;
    DELETE FROM candle_revisions WHERE interval_s = length AND open_time < cut;
    INSERT INTO candles SELECT * FROM kept;
    DELETE FROM unobtainable hole USING kept
    WHERE hole.market_id = kept.market_id AND hole.interval_s = length AND hole.to_time <= kept.open_time;
    UPDATE series SET wanted_from = greatest(wanted_from, cut),
                      have_from = CASE WHEN have_from < cut THEN cut ELSE have_from END
    WHERE interval_s = length;
    UPDATE series SET first_time = kept.open_time, candles = series.candles - gone.candles
    FROM kept JOIN gone USING (market_id)
    WHERE series.market_id = kept.market_id AND series.interval_s = length;
    DROP TABLE kept, gone;
    RETURN child;
EXCEPTION WHEN lock_not_available THEN
    RETURN NULL;
END $$;
