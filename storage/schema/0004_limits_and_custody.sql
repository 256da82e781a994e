-- What limits, retries and custody have to know of attempts after a restart. What a provider let us use is the sum over
-- its attempts: reported tokens where it reported, the estimate where it did not.

ALTER TABLE attempts ADD COLUMN provider TEXT;
ALTER TABLE attempts ADD COLUMN input_estimate INTEGER CHECK (input_estimate >= 0);
ALTER TABLE attempts ADD COLUMN output_estimate INTEGER CHECK (output_estimate >= 0);
ALTER TABLE attempts ADD COLUMN http_status INTEGER;
ALTER TABLE attempts ADD COLUMN session TEXT;
ALTER TABLE attempts ADD COLUMN first_output_at INTEGER;
ALTER TABLE attempts ADD COLUMN last_output_at INTEGER;

CREATE INDEX attempts_by_provider ON attempts (provider, started_at) WHERE provider IS NOT NULL;
