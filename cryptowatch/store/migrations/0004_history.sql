-- Backfills that people asked for, and what is looked at again afterwards: gaps and outliers.

-- One backfill of one market at one interval. How far it has come is the have_from of its series.
CREATE TABLE backfills (
    market_id    integer NOT NULL,
    interval_s   integer NOT NULL,
    since        timestamptz NOT NULL,  -- history is asked for back to here
    goal         timestamptz,           -- as far back as the source has any; NULL until it was asked
    started_from timestamptz NOT NULL,  -- how far history reached back when it was asked for
    state        text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'done', 'failed', 'cancelled')),
    error        text,                  -- of the last try
    failures     integer NOT NULL DEFAULT 0, -- in a row
    retry_at     timestamptz,           -- wall time: not before
    candles      bigint NOT NULL DEFAULT 0,  -- stored by it
    answers      bigint NOT NULL DEFAULT 0,  -- of the source
    asked_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    changed_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (market_id, interval_s),
    FOREIGN KEY (market_id, interval_s) REFERENCES series (market_id, interval_s)
);
CREATE INDEX backfills_open ON backfills (market_id) WHERE state = 'open';

-- How far a series was looked through for gaps and outliers.
CREATE TABLE series_reviews (
    market_id   integer NOT NULL,
    interval_s  integer NOT NULL,
    reviewed_to timestamptz NOT NULL,   -- the first step not looked at
    PRIMARY KEY (market_id, interval_s),
    FOREIGN KEY (market_id, interval_s) REFERENCES series (market_id, interval_s)
);

-- Steps that were settled as missing, and are asked for again: those that open in [from_time, to_time).
CREATE TABLE gap_asks (
    market_id  integer NOT NULL,
    interval_s integer NOT NULL,
    from_time  timestamptz NOT NULL,
    to_time    timestamptz NOT NULL,
    asks       integer NOT NULL DEFAULT 0,  -- so often it was asked for again
    found      integer NOT NULL DEFAULT 0,  -- candles of it that came late
    next_ask   timestamptz,                 -- market time; NULL: not any more
    PRIMARY KEY (market_id, interval_s, from_time),
    FOREIGN KEY (market_id, interval_s) REFERENCES series (market_id, interval_s)
);
CREATE INDEX gap_asks_due ON gap_asks (next_ask) WHERE next_ask IS NOT NULL;

-- Candles that look wrong: stored and used as they are, but marked.
CREATE TABLE candle_marks (
    market_id  integer NOT NULL,
    interval_s integer NOT NULL,
    open_time  timestamptz NOT NULL,
    wick       float8 NOT NULL,             -- how far it reaches beyond open and close, as a share of them
    elsewhere  integer NOT NULL REFERENCES markets (id), -- the market that does not show it
    PRIMARY KEY (market_id, interval_s, open_time)
);
