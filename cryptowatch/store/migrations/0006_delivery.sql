-- What recipients say about their emails, what people mute and acknowledge, and what makes a delivery wait.

ALTER TABLE recipients ADD COLUMN settings jsonb NOT NULL DEFAULT '{}'; -- cryptowatch.watches.delivery.DeliverySettings
ALTER TABLE deliveries ADD COLUMN postponed_by text;                    -- digest, quiet_hours
ALTER TABLE alerts ADD COLUMN acked_at timestamptz;                     -- market time
CREATE INDEX deliveries_held ON deliveries (recipient, decided_at) WHERE held_by IS NOT NULL;

-- Nothing of what is named is told of candles that close in [since, until), nor at such a moment. Market time.
CREATE TABLE mutes (
    id    integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind  text NOT NULL CHECK (kind IN ('watch', 'market', 'recipient', 'tag')),
    name  text NOT NULL,
    since timestamptz NOT NULL,
    until timestamptz NOT NULL
);
