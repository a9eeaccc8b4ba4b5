-- Candles, watches, alerts and what became of them. Times are UTC; prices are in the quote currency.

CREATE TABLE sources (
    name          text PRIMARY KEY,
    last_success  timestamptz,
    last_error    text,
    last_error_at timestamptz,
    paused_until  timestamptz,           -- wall time: asked to wait by the exchange
    clock_ahead_s float8 NOT NULL DEFAULT 0 -- its clock less ours, in seconds
);

CREATE TABLE markets (
    id     integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source text NOT NULL REFERENCES sources (name),
    symbol text NOT NULL,
    UNIQUE (source, symbol)
);

-- One market at one interval: how far it has been asked for, and how far it is settled.
CREATE TABLE series (
    market_id     integer NOT NULL REFERENCES markets (id),
    interval_s    integer NOT NULL,
    wanted_from   timestamptz NOT NULL,  -- history the watches need reaches back to here
    have_from     timestamptz,           -- error-free answers reach back to here
    covered_to    timestamptz,           -- error-free answers hold every candle that closed before this
    settled_to    timestamptz,           -- every step that opens before this, from first_time on, is settled
    first_time    timestamptz,           -- open time of the oldest candle stored
    settled_at    timestamptz,           -- wall time of the last move of settled_to
    candles       bigint NOT NULL DEFAULT 0, -- stored
    revisions     integer NOT NULL DEFAULT 0,
    late_candles  integer NOT NULL DEFAULT 0,
    last_error    text,
    last_error_at timestamptz,
    PRIMARY KEY (market_id, interval_s)
);

CREATE TABLE candles (
    market_id  integer NOT NULL,
    interval_s integer NOT NULL,
    open_time  timestamptz NOT NULL,
    open       float8 NOT NULL,
    high       float8 NOT NULL,
    low        float8 NOT NULL,
    close      float8 NOT NULL,
    volume     float8 NOT NULL,
    PRIMARY KEY (market_id, interval_s, open_time)
) PARTITION BY LIST (interval_s);
CREATE TABLE candles_1m PARTITION OF candles FOR VALUES IN (60);
CREATE TABLE candles_5m PARTITION OF candles FOR VALUES IN (300);
CREATE TABLE candles_15m PARTITION OF candles FOR VALUES IN (900);
CREATE TABLE candles_30m PARTITION OF candles FOR VALUES IN (1800);
CREATE TABLE candles_1h PARTITION OF candles FOR VALUES IN (3600);
CREATE TABLE candles_4h PARTITION OF candles FOR VALUES IN (14400);
CREATE TABLE candles_1d PARTITION OF candles FOR VALUES IN (86400);
CREATE TABLE candles_1w PARTITION OF candles FOR VALUES IN (604800);

-- Holes that the source no longer serves: unknown, never filled. Steps that open in [from_time, to_time).
CREATE TABLE unobtainable (
    market_id  integer NOT NULL,
    interval_s integer NOT NULL,
    from_time  timestamptz NOT NULL,
    to_time    timestamptz NOT NULL,
    PRIMARY KEY (market_id, interval_s, from_time),
    FOREIGN KEY (market_id, interval_s) REFERENCES series (market_id, interval_s)
);

CREATE TABLE recipients (
    name             text PRIMARY KEY,
    email            text NOT NULL,
    subscription_arn text,
    removed_at       timestamptz
);

CREATE TABLE watches (
    id         integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name       text NOT NULL UNIQUE,
    generation integer NOT NULL DEFAULT 1, -- counts the versions of its rule
    definition jsonb NOT NULL,             -- cryptowatch.watches.form.Watch
    interval_s integer NOT NULL,
    applied_at timestamptz NOT NULL,
    removed_at timestamptz
);

-- The intervals a watch reads, its own among them, and how many candles back.
CREATE TABLE watch_inputs (
    watch_id   integer NOT NULL REFERENCES watches (id),
    interval_s integer NOT NULL,
    look_back  integer NOT NULL,
    PRIMARY KEY (watch_id, interval_s)
);

-- Where a watch stands on a market. No row: it does not watch that market now.
CREATE TABLE watch_state (
    watch_id   integer NOT NULL REFERENCES watches (id),
    market_id  integer NOT NULL REFERENCES markets (id),
    start_time timestamptz NOT NULL,       -- open time of the first candle it evaluates
    next_time  timestamptz NOT NULL,       -- open time of the next candle to evaluate
    state      jsonb NOT NULL,             -- cryptowatch.alerts.episode.Episode
    PRIMARY KEY (watch_id, market_id)
);
CREATE INDEX ON watch_state (market_id);

CREATE TABLE alerts (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    watch_id   integer NOT NULL REFERENCES watches (id),
    generation integer NOT NULL,
    market_id  integer NOT NULL REFERENCES markets (id),
    open_time  timestamptz NOT NULL,       -- of the candle
    close_time timestamptz NOT NULL,       -- of the candle: when the moment was
    kind       text NOT NULL CHECK (kind IN ('fired', 'repeated', 'resolved')),
    severity   text NOT NULL,
    rule       text NOT NULL,              -- as it stood when it fired
    interval_s integer NOT NULL,
    price      float8,                     -- the candle's close
    figures    jsonb NOT NULL,             -- expression of the rule -> its value at that candle
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (watch_id, generation, market_id, open_time, kind)
);
CREATE INDEX ON alerts (created_at);
CREATE INDEX ON alerts (watch_id, close_time);

-- What becomes of an alert for one recipient.
CREATE TABLE deliveries (
    alert_id    bigint NOT NULL REFERENCES alerts (id),
    recipient   text NOT NULL REFERENCES recipients (name),
    due_at      timestamptz NOT NULL,      -- market time
    decision    text CHECK (decision IN ('send', 'held')),
    held_by     text,                      -- late, budget, removed, refused
    decided_at  timestamptz,
    lease_until timestamptz,               -- wall time: somebody is sending it
    attempts    integer NOT NULL DEFAULT 0,
    uncertain   integer NOT NULL DEFAULT 0, -- leases that ran out: the email may have gone out unmarked
    email_id    uuid,                      -- the email that carried it
    sent_at     timestamptz,               -- wall time
    PRIMARY KEY (alert_id, recipient)
);
CREATE INDEX deliveries_open ON deliveries (recipient, due_at) WHERE sent_at IS NULL AND held_by IS NULL;
CREATE INDEX deliveries_emails ON deliveries (recipient, email_id) WHERE email_id IS NOT NULL;
