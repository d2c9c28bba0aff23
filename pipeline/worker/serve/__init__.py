"""What hears of recordings that have ended, and what whoever operates it sees."""
