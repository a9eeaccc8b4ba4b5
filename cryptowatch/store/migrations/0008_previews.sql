-- Previews over the stored candles: asked by a person, worked out by a bulk task, read once. Wall time.

CREATE TABLE previews (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    request  jsonb NOT NULL,            -- cryptowatch.pipeline.previews.PreviewRequest
    asked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    done     float8 NOT NULL DEFAULT 0, -- share of the work
    result   jsonb,                     -- cryptowatch.studies.report.report
    error    text                       -- one line; there is no result then
);
