"""The speed table: what recpipe does against what one would use instead, measured in one run."""
