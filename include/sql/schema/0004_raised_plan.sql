-- The setting `calls_per_day` as it was when the vendor said that the day is spent: a person who
-- raises it afterwards says that the vendor allows more.
ALTER TABLE ctct_api_budget ADD COLUMN spent_calls_per_day integer;
