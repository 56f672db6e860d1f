"""What the team knows by heart: snippets with variables and language variants. Articles come later."""
