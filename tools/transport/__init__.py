"""How a message reaches the provider: one package a transport."""
