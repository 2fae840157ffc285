-- Contacts that were merged into another one, among all: each comparison asks for them.
CREATE INDEX ctct_link_merged ON ctct_link (merged_into) WHERE merged_into IS NOT NULL;
