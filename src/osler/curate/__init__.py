"""Raw datasets to sample shards, through operators that give a reason for every drop."""
