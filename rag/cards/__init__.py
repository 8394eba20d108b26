"""Knowledge cards: small domain experts whose words pass three selectors before they reach a prompt."""
