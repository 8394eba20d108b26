"""What text documents of several programs have in common: numbering, equations, symbols, raised digits."""
