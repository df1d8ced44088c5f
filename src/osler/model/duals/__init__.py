"""One file per pair of towers that contrastive training can begin from."""
