-- What followed a watch's past signals, beside what followed any candle. Worked out by a bulk task. Market time.

CREATE TABLE track_records (
    watch_id   integer NOT NULL REFERENCES watches (id),
    market_id  integer NOT NULL DEFAULT 0,  -- 0: all markets of the watch, pooled
    generation integer NOT NULL,
    from_time  timestamptz,                 -- open time of the first candle looked at
    to_time    timestamptz,                 -- close time of the last
    horizons   jsonb NOT NULL,              -- list of cryptowatch.studies.track_record.Record, with `span` and `words`
    PRIMARY KEY (watch_id, market_id)
);

-- When a watch's record was last asked for and last written.
CREATE TABLE track_record_runs (
    watch_id   integer PRIMARY KEY REFERENCES watches (id),
    generation integer NOT NULL,
    queued_at  timestamptz NOT NULL,
    written_at timestamptz
);
