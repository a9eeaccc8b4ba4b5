-- Figures of the whole market, intervals that are built, which markets a star stands for, and how sources stand.

-- A figure over time: it has the value from `time` on, when it was published, until the next one.
CREATE TABLE metrics (
    name  text NOT NULL,
    time  timestamptz NOT NULL,
    value float8 NOT NULL,
    PRIMARY KEY (name, time)
);

ALTER TABLE sources
    ADD COLUMN failures    integer NOT NULL DEFAULT 0, -- runs in a row that got nothing
    ADD COLUMN open_since  timestamptz,                -- wall time: since when it is left alone for its failures
    ADD COLUMN listed_at   timestamptz;                -- market time: when its list of markets was read

-- When the next request to a source may go out: one row that all who ask it take turns at. Lost in a crash, it is
-- begun anew.
CREATE UNLOGGED TABLE request_turns (
    source text PRIMARY KEY,
    next   timestamptz NOT NULL                        -- wall time
) WITH (fillfactor = 50);

ALTER TABLE markets
    ADD COLUMN exchange_id text,                       -- what the exchange calls it, whatever its symbol is
    ADD COLUMN delisted_at timestamptz,                -- market time: the source does not list it any more
    ADD COLUMN renamed_to  text;                       -- the symbol that the exchange's own name has now

-- Stars and `top N`: what a watch's list says, for its markets to be found anew.
CREATE TABLE watch_selections (
    watch_id integer PRIMARY KEY REFERENCES watches (id),
    markets  text[] NOT NULL,
    exclude  text[] NOT NULL
);

-- The interval (seconds) whose candles this one's are built from; NULL: the source's own. Chosen once.
ALTER TABLE series ADD COLUMN built_from integer;

-- The series that watches of today read, and those that the built ones among them are built from.
CREATE VIEW wanted_series AS
SELECT state.market_id, input.interval_s
FROM watch_state state JOIN watch_inputs input USING (watch_id)
UNION
SELECT state.market_id, built.built_from
FROM watch_state state
JOIN watch_inputs input USING (watch_id)
JOIN series built ON built.market_id = state.market_id AND built.interval_s = input.interval_s
WHERE built.built_from IS NOT NULL;
