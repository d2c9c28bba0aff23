"""One verb a file: find, arrange, render, verify. A step is where a decision meets an effect."""
