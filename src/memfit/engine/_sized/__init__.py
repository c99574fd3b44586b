"""How engines are sized that memfit does not start: what they share. Each engine's own rules are in its file."""
