"""The guide, played: its transcripts are commands that really run, and what they print is compared."""
