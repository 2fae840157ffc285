-- As of the wanted ones. Grain: none.
ANALYZE routed_membership;
