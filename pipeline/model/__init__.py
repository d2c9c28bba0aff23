"""The pure part: slices, timelines, plans, ledgers, manifests as values. It touches nothing outside."""
