"""Tables: a row a sample, a column a fact of it. What a column holds is worked out from its cells."""
