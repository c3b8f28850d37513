"""Which parameters the observations to the end of 2024 allow: emulators, a posterior, draws for a scenario."""
