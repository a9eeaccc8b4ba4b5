-- Every new candle moves a row of watch_state for each watch and market. With room on its own page the new version
-- stays there, and no index is written to.
ALTER TABLE watch_state SET (fillfactor = 50);
