"""Named datasets: what an adapter declares, and readers of published layouts."""
