"""In what order the steps do whole jobs: looking, merging, and all the way from a bucket to a notice."""
