"""The engine beside the ORM: who gets a lane, and what a lane does with each mail."""
